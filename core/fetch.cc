// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/fetch.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/fetch_transfer.h"
#include "core/loop.h"
#include "core/mailbox.h"
#include "core/thread.h"

namespace sealgate {

using Clock = FetchTransfer::Clock;

struct Fetcher::State {
    explicit State(Loop& the_loop) : loop(the_loop) {}

    void submit(std::unique_ptr<FetchTransfer> transfer);
    void run();
    void begin(std::unique_ptr<FetchTransfer> transfer);
    void take_finished();
    void expire();
    void finish(FetchTransfer& transfer, FetchAnswer answer);
    void wait();

    Loop& loop;
    std::thread thread;
    CURLM* multi = nullptr;
    Mailbox<std::unique_ptr<FetchTransfer>> inbox;
    std::atomic<bool> stopping{false};
    // The thread's own.
    std::vector<std::unique_ptr<FetchTransfer>> transfers;
    FetchSockets ldap_sockets;
};

void Fetcher::State::submit(std::unique_ptr<FetchTransfer> transfer) {
    if (!multi) {
        multi = make_fetch_multi();
        thread = start_thread("sealgate-fetch", [this] { run(); });
    }
    if (inbox.push(std::move(transfer))) curl_multi_wakeup(multi);
}

void Fetcher::State::run() {
    while (!stopping.load(std::memory_order_acquire)) {
        for (auto& transfer : inbox.take_all()) begin(std::move(transfer));
        int running = 0;
        curl_multi_perform(multi, &running);
        take_finished();
        expire();
        wait();
    }
    for (const auto& transfer : transfers) curl_multi_remove_handle(multi, transfer->easy);
}

void Fetcher::State::begin(std::unique_ptr<FetchTransfer> transfer) {
    FetchTransfer& begun = *transfers.emplace_back(std::move(transfer));
    if (!begun.prepare(ldap_sockets) || curl_multi_add_handle(multi, begun.easy) != CURLM_OK) {
        finish(begun, {FetchAnswer::Outcome::unreachable, 0, "", "libcurl takes no request"});
    }
}

void Fetcher::State::take_finished() {
    int more = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &more)) {
        if (message->msg != CURLMSG_DONE) continue;
        FetchTransfer* transfer = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish(*transfer, transfer->answer_for(message->data.result));
    }
}

// Our own clock: libcurl does not time what waits for a connection to be free.
void Fetcher::State::expire() {
    const auto now = Clock::now();
    for (std::size_t i = transfers.size(); i-- > 0;) {
        if (transfers[i]->deadline <= now) finish(*transfers[i], transfers[i]->too_late());
    }
}

// Takes the transfer out and sends its answer to the loop, with what must be destroyed there.
void Fetcher::State::finish(FetchTransfer& transfer, FetchAnswer answer) {
    curl_multi_remove_handle(multi, transfer.easy);
    loop.post([wanted = std::move(transfer.wanted), done = std::move(transfer.done),
               answer = std::move(answer)]() mutable {
        if (*wanted) done(std::move(answer));
    });
    const auto found = std::find_if(transfers.begin(), transfers.end(),
                                    [&](const auto& held) { return held.get() == &transfer; });
    *found = std::move(transfers.back());
    transfers.pop_back();
}

void Fetcher::State::wait() {
    if (!inbox.empty() || stopping.load(std::memory_order_acquire)) return;
    constexpr int forever_ms = 60'000;
    auto wake_at = Clock::now() + std::chrono::milliseconds(forever_ms);
    for (const auto& transfer : transfers) wake_at = std::min(wake_at, transfer->deadline);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake_at - Clock::now()).count();
    // libcurl 7.88 does not poll the socket of an LDAP bind by itself.
    std::vector<curl_waitfd> extra;
    for (const curl_socket_t socket : ldap_sockets) extra.push_back({socket, CURL_WAIT_POLLIN, 0});
    curl_multi_poll(multi, extra.data(), static_cast<unsigned>(extra.size()),
                    static_cast<int>(std::clamp<long>(left, 0, forever_ms)), nullptr);
}

Fetcher::Fetcher(Loop& loop) : state_(std::make_unique<State>(loop)) {}

Fetcher::~Fetcher() {
    if (!state_->multi) return;
    state_->stopping.store(true, std::memory_order_release);
    curl_multi_wakeup(state_->multi);
    state_->thread.join();
    state_->transfers.clear();  // before the multi handle, as libcurl asks
    curl_multi_cleanup(state_->multi);
}

Fetcher::Ticket Fetcher::fetch(FetchRequest request, Done done) {
    auto transfer = std::make_unique<FetchTransfer>();
    transfer->deadline = Clock::now() + std::chrono::milliseconds(request.timeout_ms);
    transfer->request = std::move(request);
    transfer->done = std::move(done);
    transfer->wanted = std::make_shared<bool>(true);
    Ticket ticket(transfer->wanted);
    state_->submit(std::move(transfer));
    return ticket;
}

}  // namespace sealgate

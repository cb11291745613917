// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/courier.h"

#include <fmt/format.h>

#include <atomic>

#include "core/limits.h"
#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"
#include "core/socket.h"
#include "core/timer.h"
#include "smtp/delivery_session.h"
#include "smtp/destination_queue.h"
#include "smtp/host_search.h"
#include "smtp/outcomes.h"

namespace sealgate {
namespace {

// Numbers every attempt to connect, over all couriers of the process.
std::uint64_t next_dcid() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

}  // namespace

struct Courier::State final : Socket::Handler {
    enum class Phase : std::uint8_t { fresh, searching, connecting, talking, idle, gone };

    State(Courier& itself, Context context, Owner& owner_of_it,
          std::shared_ptr<const Config> configuration, std::string for_domain)
        : courier(itself),
          house(std::move(context)),
          owner(owner_of_it),
          config(std::move(configuration)),
          domain(std::move(for_domain)),
          destination(destination_options(*config, domain)),
          timer(house.loop, [this] { on_time_over(); }) {}
    ~State() override {
        *alive = false;
        if (session) house.log.info("DCID {} close", dcid);
    }

    void start();
    void discard_tasks();
    void search_next();
    void connect(HostSearch::Candidate to);
    void on_connected(Result<void> result, const std::string& what);
    void on_connection_failed(const std::string& details);
    void wake();
    void pump();
    bool step();  // false: nothing to do until something happens
    bool step_task();
    bool step_body();
    void step_outcome();
    void on_closed();
    void say_goodbye();
    void close_connection();
    void end(bool reached, Reply reply);
    void on_time_over();
    void send_output();
    std::string host_text() const;
    Reply refusal_of(const Reply& said) const;
    void later(void (State::*call)());

    void on_bytes(Chunk chunk) override;
    void on_end() override;
    void on_broken(std::string what) override;
    void on_drain() override { pump(); }

    Courier& courier;
    Context house;
    Owner& owner;
    std::shared_ptr<const Config> config;
    std::string domain;
    const DestinationOptions& destination;
    Phase phase = Phase::fresh;
    std::unique_ptr<HostSearch> search;
    HostSearch::Candidate at;  // where the connection goes
    int attempts = 0;
    std::uint64_t dcid = 0;
    std::uint64_t messages = 0;  // over this connection
    bool reached_once = false;
    bool finishing = false;
    bool pumping = false;
    std::unique_ptr<Socket> socket;
    std::unique_ptr<DeliverySession> session;
    std::unique_ptr<DeliveryTask> task;
    std::unique_ptr<SpoolReader> reader;
    bool reading = false;
    bool read_all = false;
    Timer timer;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

void Courier::State::later(void (State::*call)()) {
    house.loop.defer([this, still = alive, call] {
        if (*still) (this->*call)();
    });
}

void Courier::State::start() {
    if (phase != Phase::fresh) return;
    phase = Phase::searching;
    Route route = house.routes.find(domain);
    if (route.kind == Route::Kind::discard) return later(&State::discard_tasks);
    HostSearch::Place place{house.resolver, house.hostname, house.own_endpoints, house.mx_port};
    search = std::make_unique<HostSearch>(house.loop, std::move(place), domain, std::move(route));
    search_next();
}

void Courier::State::discard_tasks() {
    const Reply reply = make_reply(250, "2.0.0", "discarded by smtp-routes");
    while (auto next = owner.next_task(courier)) {
        house.log.info("MID {} to RID {} discarded by smtp-routes", next->mid,
                       rid_list(rids_of(*next)));
        auto outcomes = same_for_all(*next, RecipientOutcome::Kind::delivered, reply);
        owner.on_outcome(courier, std::move(next), std::move(outcomes));
    }
    end(true, reply);
}

void Courier::State::search_next() {
    phase = Phase::searching;
    search->next([this](std::optional<HostSearch::Candidate> found) {
        if (found && attempts < limits::connect_attempts_max) {
            ++attempts;
            connect(std::move(*found));
        } else {
            end(reached_once, search->failure());
        }
    });
}

void Courier::State::connect(HostSearch::Candidate to) {
    phase = Phase::connecting;
    at = std::move(to);
    dcid = next_dcid();
    messages = 0;
    timer.start(house.timeouts.connect_ms);
    socket = Socket::connect(house.loop, at.endpoint, {},
                             [this](Result<void> result, const std::string& what) {
                                 on_connected(std::move(result), what);
                             });
}

void Courier::State::on_connected(Result<void> result, const std::string& what) {
    if (!result) return on_connection_failed(what);
    const Endpoint local = socket->local();
    house.log.info("New SMTP DCID {} interface {} address {} port {}", dcid, local.ip.to_text(),
                   at.endpoint.ip.to_text(), at.endpoint.port);
    Metrics::instance().add(Counter::deliveries_connected);
    session = std::make_unique<DeliverySession>(house.hostname);
    if (search->is_own(local, socket->peer())) {
        search->note_failure(
            make_reply(554, "5.4.6", "mail for " + domain + " loops back to this gateway"));
        close_connection();
        return search_next();
    }
    phase = Phase::talking;
    socket->set_handler(this);
    socket->resume();
    pump();
}

// No host talked to us: the next one's turn.
void Courier::State::on_connection_failed(const std::string& details) {
    house.log.info("Connection Error: DCID {} domain: {} IP: {} port: {} details: {}", dcid, domain,
                   at.endpoint.ip.to_text(), at.endpoint.port, printable(details));
    Metrics::instance().add(Counter::deliveries_failed);
    search->note_failure(make_reply(451, "4.4.1", host_text() + ": " + details));
    close_connection();
    search_next();
}

void Courier::State::on_bytes(Chunk chunk) {
    if (!session) return;
    session->receive(chunk.bytes());
    pump();
}

void Courier::State::on_end() {
    if (!session) return;
    session->fail(make_reply(451, "4.4.2", "lost connection with " + host_text()));
    pump();
}

void Courier::State::on_broken(std::string what) {
    if (!session) return;
    session->fail(make_reply(451, "4.4.2", "lost connection with " + host_text() + ": " + what));
    pump();
}

void Courier::State::on_time_over() {
    switch (phase) {
    case Phase::connecting: return on_connection_failed("connection timed out");
    case Phase::talking:
        session->fail(make_reply(451, "4.4.2", host_text() + " did not answer in time"));
        return pump();
    case Phase::idle: return say_goodbye();
    case Phase::fresh:
    case Phase::searching:
    case Phase::gone: return;
    }
}

void Courier::State::wake() {
    if (phase == Phase::idle) pump();
}

// Takes the dialogue as far as it goes. Owners may call us from inside theirs: the loop goes on.
void Courier::State::pump() {
    if (pumping || !session) return;
    pumping = true;
    while (session && step()) {
    }
    pumping = false;
}

bool Courier::State::step() {
    const DeliverySession::Wait wait = session->advance();
    send_output();
    switch (wait) {
    case DeliverySession::Wait::input:
        phase = Phase::talking;
        timer.start(session->wait_ms(house.timeouts));
        return false;
    case DeliverySession::Wait::task: return step_task();
    case DeliverySession::Wait::body: return step_body();
    case DeliverySession::Wait::outcome: step_outcome(); return true;
    case DeliverySession::Wait::closed: on_closed(); return false;
    }
    return false;
}

void Courier::State::send_output() {
    ChunkList output = session->take_output();
    if (!output.empty()) socket->send(std::move(output));
}

bool Courier::State::step_task() {
    reached_once = true;
    if (!task) {
        if (finishing || messages >= destination.messages_per_connection_max) {
            say_goodbye();
            return false;
        }
        task = owner.next_task(courier);
    }
    if (!task) {
        if (phase != Phase::idle || !timer.running()) timer.start(house.idle_ms);
        phase = Phase::idle;
        return false;
    }
    phase = Phase::talking;
    house.log.info("Delivery start DCID {} MID {} to RID {}", dcid, task->mid,
                   rid_list(rids_of(*task)));
    session->deliver(*task);
    return true;
}

// Bodies that are not in memory: a piece is read when the socket has taken the one before.
bool Courier::State::step_body() {
    timer.start(session->wait_ms(house.timeouts));
    if (reading || read_all || socket->unsent_bytes() >= limits::unsent_bytes_max) return false;
    if (!reader) reader = house.spool.read(task->mid);
    reading = true;
    reader->next([this](Result<ChunkList> piece) {
        reading = false;
        if (!session) return;
        if (!piece) {
            session->fail_body(reply_for(piece.error()));
        } else {
            read_all = piece->empty();
            session->body(std::move(*piece));
        }
        pump();
    });
    return false;
}

void Courier::State::step_outcome() {
    reader.reset();
    reading = read_all = false;
    // An idle connection that the host had closed already is made anew; a host that fell silent in
    // the middle is left for the next one.
    const bool reused = messages > 0;
    if (session->worth_another_host() && (reused || search->more()) &&
        attempts < limits::connect_attempts_max) {
        if (reused) search->again(at);
        on_closed();
        return;
    }
    std::vector<RecipientOutcome> outcomes = session->take_outcomes();
    for (RecipientOutcome& outcome : outcomes) {
        if (outcome.from_host) outcome.host = at.host;
    }
    ++messages;
    log_delivery(house.log, dcid, *task, outcomes);
    if (!delivered_rids(outcomes).empty()) {
        Metrics::instance().add(Counter::bytes_delivered,
                                task->in_memory ? task->bytes.bytes() : task->body_bytes);
    }
    owner.on_outcome(courier, std::move(task), std::move(outcomes));
}

// The session ended by itself: refused, broken off, or after its last outcome.
void Courier::State::on_closed() {
    const Reply why = session->failure();
    const bool greeted = session->greeted();
    const bool from_host = session->failure_from_host();
    if (!greeted || task) {
        house.log.info("Connection Error: DCID {} domain: {} IP: {} port: {} details: {}", dcid,
                       domain, at.endpoint.ip.to_text(), at.endpoint.port, printable(why.text()));
        Metrics::instance().add(Counter::deliveries_failed);
    }
    close_connection();
    if (!greeted) {
        search->note_failure(from_host ? refusal_of(why) : why);
        return search_next();
    }
    if (!task) return end(true, why);
    search->note_failure(why.temporary() ? why : make_reply(451, "4.4.2", why.text()));
    search_next();
}

// What a host said instead of a greeting. Another, or the same one later, may say otherwise:
// deferred, as Postfix sees it (smtp_skip_5xx_greeting). Only 521 and 556 are meant for good (RFC
// 7504).
Reply Courier::State::refusal_of(const Reply& said) const {
    const bool final_word = said.code == 521 || said.code == 556;
    std::string text =
        fmt::format("{} refused to talk to me: {} {}", host_text(), said.code, said.text());
    return make_reply(final_word ? said.code : 451, final_word ? "5.3.2" : "4.4.1",
                      std::move(text));
}

void Courier::State::say_goodbye() {
    if (session->advance() != DeliverySession::Wait::task) return pump();  // it ended meanwhile
    session->quit();
    send_output();
    session.reset();
    timer.stop();
    house.log.info("DCID {} close", dcid);
    Socket::close_after_sending(std::move(socket));
    end(true, make_reply(221, "2.0.0", "done"));
}

void Courier::State::close_connection() {
    timer.stop();
    reader.reset();
    reading = read_all = false;
    if (session) house.log.info("DCID {} close", dcid);
    session.reset();
    socket.reset();
}

void Courier::State::end(bool reached, Reply reply) {
    phase = Phase::gone;
    timer.stop();
    if (reply.code == 0)
        reply = make_reply(451, "4.4.1", "no host of " + domain + " to connect to");
    if (task) {
        auto outcomes = not_delivered(*task, reply);
        owner.on_outcome(courier, std::move(task), std::move(outcomes));
    }
    owner.on_gone(courier, reached, std::move(reply));
}

std::string Courier::State::host_text() const {
    const std::string ip = at.endpoint.ip.to_text();
    const std::string name = at.host.empty() || at.host.front() == '[' ? "host" : at.host;
    return fmt::format("{}[{}]:{}", name, ip, at.endpoint.port);
}

Courier::Courier(Context context, Owner& owner, std::shared_ptr<const Config> config,
                 std::string domain)
    : state_(std::make_unique<State>(*this, std::move(context), owner, std::move(config),
                                     std::move(domain))) {}
Courier::~Courier() = default;

void Courier::start() { state_->start(); }

void Courier::poke() {
    if (state_->phase == State::Phase::idle) state_->later(&State::wake);
}

void Courier::finish() {
    state_->finishing = true;
    poke();
}

std::uint64_t Courier::dcid() const { return state_->dcid; }
const std::string& Courier::domain() const { return state_->domain; }
bool Courier::idle() const { return state_->phase == State::Phase::idle; }

}  // namespace sealgate

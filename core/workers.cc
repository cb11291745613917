// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/workers.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/loop.h"
#include "core/mailbox.h"
#include "core/metrics.h"
#include "core/result.h"
#include "core/thread.h"

namespace sealgate {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto answer_held_max = std::chrono::microseconds(WorkerPool::answer_held_us_max);

struct Worker {
    Mailbox<std::unique_ptr<WorkerPool::Job>> inbox;
    Semaphore wake;
    std::size_t outstanding = 0;  // the loop's: given and not yet delivered
    std::thread thread;
};

}  // namespace

// Shared with posted deliveries, which may come after the pool is gone: then they find no pool.
struct WorkerPool::State : std::enable_shared_from_this<WorkerPool::State> {
    struct Finished {
        std::unique_ptr<Job> job;
        std::size_t worker_index;
    };

    explicit State(Loop& on_loop) : loop(on_loop) {}

    Loop& loop;
    std::vector<std::unique_ptr<Worker>> workers;
    Mailbox<Finished> finished;
    std::atomic<bool> stopping{false};
    bool closed = false;  // the loop's: nothing is delivered any more
    std::size_t outstanding = 0;

    void serve(std::size_t worker_index);
    void serve_line(std::vector<std::unique_ptr<Job>> line, std::size_t worker_index);
    void hand_back(std::vector<Finished>& group);
    void deliver();
};

void WorkerPool::State::serve(std::size_t worker_index) {
    Worker& self = *workers[worker_index];
    while (!stopping.load(std::memory_order_relaxed)) {
        self.wake.wait();
        serve_line(self.inbox.take_all(), worker_index);
    }
}

// What was not begun when the pool stops goes back unrun: jobs are destroyed on the loop thread
// only.
void WorkerPool::State::serve_line(std::vector<std::unique_ptr<Job>> line,
                                   std::size_t worker_index) {
    const std::size_t group_jobs = std::max<std::size_t>(1, line.size() / 4);
    std::vector<Finished> group;
    Clock::time_point group_begin;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (!stopping.load(std::memory_order_relaxed)) line[i]->run();
        const auto now = Clock::now();
        if (group.empty()) group_begin = now;
        group.push_back({std::move(line[i]), worker_index});
        const bool may_wait = i + 1 < line.size() && line[i + 1]->brief() &&
                              group.size() < group_jobs && now - group_begin < answer_held_max;
        if (!may_wait) hand_back(group);
    }
}

void WorkerPool::State::hand_back(std::vector<Finished>& group) {
    bool asleep = false;
    for (Finished& one : group) asleep |= finished.push(std::move(one));
    group.clear();
    if (asleep && !stopping.load(std::memory_order_relaxed))
        loop.post([state = shared_from_this()] { state->deliver(); });
}

void WorkerPool::State::deliver() {
    for (Finished& one : finished.take_all()) {
        if (closed) return;  // also when a delivery before this one destroyed the pool
        --workers[one.worker_index]->outstanding;
        --outstanding;
        one.job->deliver();
    }
}

WorkerPool::WorkerPool(Loop& loop, unsigned threads) : state_(std::make_shared<State>(loop)) {
    CHECK(threads > 0);
    for (unsigned i = 0; i < threads; ++i) state_->workers.push_back(std::make_unique<Worker>());
    for (std::size_t i = 0; i < threads; ++i) {
        state_->workers[i]->thread =
            start_thread("sealgate-crypto", [state = state_.get(), i] { state->serve(i); });
    }
}

WorkerPool::~WorkerPool() {
    state_->stopping.store(true, std::memory_order_relaxed);
    for (auto& worker : state_->workers) worker->wake.raise();
    for (auto& worker : state_->workers) worker->thread.join();
    state_->closed = true;
    for (auto& worker : state_->workers) worker->inbox.take_all();
    state_->finished.take_all();
}

void WorkerPool::submit(std::unique_ptr<Job> job) {
    auto least = std::min_element(
        state_->workers.begin(), state_->workers.end(),
        [](const auto& a, const auto& b) { return a->outstanding < b->outstanding; });
    Worker& worker = **least;
    ++worker.outstanding;
    ++state_->outstanding;
    Metrics::instance().add(Counter::crypto_jobs);
    if (worker.inbox.push(std::move(job))) worker.wake.raise();
}

unsigned WorkerPool::threads() const { return static_cast<unsigned>(state_->workers.size()); }

std::size_t WorkerPool::outstanding() const { return state_->outstanding; }

}  // namespace sealgate

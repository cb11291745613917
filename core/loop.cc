// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/loop.h"

#include <algorithm>
#include <ctime>

#include "core/result.h"
#include "core/socket_internal.h"

namespace sealgate {

void Loop::State::run_posted() {
    for (auto& task : posted.take_all()) task();
}

void Loop::State::run_deferred() {
    // A deferred task may defer another: that one runs in the next round, so that a pair of them
    // cannot keep the sockets waiting.
    std::vector<std::function<void()>> tasks;
    tasks.swap(deferred);
    uv_idle_stop(&no_sleep);
    for (auto& task : tasks) task();
}

namespace {

std::uint64_t thread_cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

// The round's length without its sleep. Sockets' callbacks run inside libuv's polling, so the time
// between a prepare and a check would not do; libuv itself counts what it slept.
void Loop::State::count_round() {
    const std::uint64_t now_ns = uv_hrtime();
    const std::uint64_t slept_ns = uv_metrics_idle_time(&loop);
    const std::uint64_t worked_ns = thread_cpu_ns();
    if (round_ended_ns != 0) {
        const std::uint64_t whole_ns = now_ns - round_ended_ns;
        const std::uint64_t asleep_ns = std::min(slept_ns - idle_ns, whole_ns);
        stalls.add((whole_ns - asleep_ns) / 1000);
        work.add((worked_ns - cpu_ns) / 1000);
    }
    round_ended_ns = now_ns;
    cpu_ns = worked_ns;
    idle_ns = slept_ns;
}

uv_buf_t Loop::State::read_room() {
    if (read_block && !read_block->shared() && read_used > 0) read_used = 0;  // all was released
    if (!read_block || read_block->capacity - read_used < limits::read_room_bytes_min) {
        if (read_block) read_block->release();
        read_block = Block::allocate(limits::read_block_bytes);
        read_used = 0;
    }
    auto* room = reinterpret_cast<char*>(read_block->bytes() + read_used);
    return uv_buf_init(room, static_cast<unsigned>(read_block->capacity - read_used));
}

Chunk Loop::State::take_read(std::size_t bytes) {
    Chunk chunk = Chunk::window(*read_block, read_used, bytes);
    read_used += bytes;
    return chunk;
}

Loop::Loop() : state_(std::make_unique<State>()) {
    State& s = *state_;
    CHECK(uv_loop_init(&s.loop) == 0);
    s.loop.data = &s;
    CHECK(uv_loop_configure(&s.loop, UV_METRICS_IDLE_TIME) == 0);
    CHECK(uv_async_init(&s.loop, &s.wake, [](uv_async_t* handle) {
              static_cast<State*>(handle->loop->data)->run_posted();
          }) == 0);
    uv_prepare_init(&s.loop, &s.before_sleep);
    uv_prepare_start(&s.before_sleep, [](uv_prepare_t* handle) {
        auto& state = *static_cast<State*>(handle->loop->data);
        state.run_deferred();
        state.count_round();
    });
    uv_idle_init(&s.loop, &s.no_sleep);
    uv_timer_init(&s.loop, &s.starved_timer);
    // Only what is at work keeps the loop alive, not these.
    uv_unref(reinterpret_cast<uv_handle_t*>(&s.before_sleep));
    uv_unref(reinterpret_cast<uv_handle_t*>(&s.no_sleep));
    uv_unref(reinterpret_cast<uv_handle_t*>(&s.starved_timer));
}

Loop::~Loop() {
    State& s = *state_;
    for (auto& [handle, task] : s.signals)
        uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&s.starved_timer), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&s.no_sleep), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&s.before_sleep), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&s.wake), nullptr);
    while (!s.lingering.empty()) static_cast<Socket::State*>(*s.lingering.begin())->close();
    // Sockets and timers that were destroyed still have their close callbacks to run.
    s.deferred.clear();
    s.starved.clear();
    s.posted.take_all();
    uv_run(&s.loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&s.loop) == 0);
    if (s.read_block) s.read_block->release();
}

void Loop::run() { uv_run(&state_->loop, UV_RUN_DEFAULT); }

bool Loop::run_until(const std::function<bool()>& done, std::uint64_t timeout_ms) {
    State& s = *state_;
    uv_update_time(&s.loop);
    const std::uint64_t end = uv_now(&s.loop) + timeout_ms;
    uv_timer_t tick;
    uv_timer_init(&s.loop, &tick);
    uv_timer_start(
        &tick, [](uv_timer_t*) {}, 1, 1);  // the loop must not sleep past `done`
    while (!done() && uv_now(&s.loop) < end) uv_run(&s.loop, UV_RUN_ONCE);
    bool closed = false;
    tick.data = &closed;
    uv_close(reinterpret_cast<uv_handle_t*>(&tick),
             [](uv_handle_t* handle) { *static_cast<bool*>(handle->data) = true; });
    while (!closed) uv_run(&s.loop, UV_RUN_NOWAIT);
    return done();
}

void Loop::stop() { uv_stop(&state_->loop); }

void Loop::post(std::function<void()> task) {
    if (state_->posted.push(std::move(task))) uv_async_send(&state_->wake);
}

void Loop::defer(std::function<void()> task) {
    if (state_->deferred.empty()) uv_idle_start(&state_->no_sleep, [](uv_idle_t*) {});
    state_->deferred.push_back(std::move(task));
}

std::uint64_t Loop::now_ms() const { return uv_now(&state_->loop); }

std::int64_t Loop::wall_seconds() const { return static_cast<std::int64_t>(::time(nullptr)); }

void Loop::on_signal(int signal_number, std::function<void()> task) {
    auto& [handle, stored] = state_->signals.emplace_back(uv_signal_t{}, std::move(task));
    handle.data = &stored;
    uv_signal_init(&state_->loop, &handle);
    uv_signal_start(
        &handle,
        [](uv_signal_t* signal, int) { (*static_cast<std::function<void()>*>(signal->data))(); },
        signal_number);
    uv_unref(reinterpret_cast<uv_handle_t*>(&handle));
}

const LoopStalls& Loop::stalls() const { return state_->stalls; }

const LoopStalls& Loop::work() const { return state_->work; }

uv_loop_s* Loop::uv() const { return &state_->loop; }

struct PollWatcher::Handle {
    uv_poll_t poll;
    std::function<void()> on_readable;
};

PollWatcher::PollWatcher(Loop& loop, int descriptor, std::function<void()> on_readable)
    : handle_(new Handle{{}, std::move(on_readable)}) {
    CHECK(uv_poll_init(loop.uv(), &handle_->poll, descriptor) == 0);
    handle_->poll.data = handle_;
    uv_poll_start(&handle_->poll, UV_READABLE, [](uv_poll_t* poll, int, int) {
        static_cast<Handle*>(poll->data)->on_readable();
    });
}

PollWatcher::~PollWatcher() {
    uv_poll_stop(&handle_->poll);
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll),
             [](uv_handle_t* poll) { delete static_cast<Handle*>(poll->data); });
}

}  // namespace sealgate

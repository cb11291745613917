// SPDX-License-Identifier: GPL-3.0-or-later
// The event loop: one thread that owns every session, the queue and the indexes.
//
// Nothing that runs on it may block: no file, no DNS, no lock that another thread holds, no
// public-key operation. Other threads reach it by post() only. libuv is seen by this file,
// core/socket*, core/timer* and core/workers* alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/chunk.h"
#include "core/loop_stalls.h"

struct uv_loop_s;

namespace sealgate {

class Loop {
public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Runs until stop(), then closes what is still open.
    void run();
    // Runs until `done()` is true or `timeout_ms` is over; for tests and start-up. True when done.
    bool run_until(const std::function<bool()>& done, std::uint64_t timeout_ms);
    void stop();  // loop thread, or a posted function

    // Any thread: `task` runs on the loop thread, in the order of posting from one thread.
    void post(std::function<void()> task);
    // Loop thread: `task` runs once, at the end of this round, before the loop sleeps again. For
    // work that pays when batched (log lines, hand-offs) and for calls that must not nest.
    void defer(std::function<void()> task);

    // Monotonic, in milliseconds, as of this round of the loop.
    std::uint64_t now_ms() const;
    // Wall clock seconds since 1970, as of this round; what log lines and signatures use.
    std::int64_t wall_seconds() const;

    // Calls `task` when the signal comes (SIGHUP, SIGTERM…); for the life of the loop.
    void on_signal(int signal_number, std::function<void()> task);

    // Of all rounds so far. Loop thread.
    const LoopStalls& stalls() const;
    // The CPU time of the same rounds: where stalls() are much longer, the thread had to wait for a
    // core.
    const LoopStalls& work() const;

    uv_loop_s* uv() const;

    struct State;
    State& state() { return *state_; }

private:
    std::unique_ptr<State> state_;
};

// Watches a file descriptor that somebody else reads (libunbound's). Loop thread.
class PollWatcher {
public:
    PollWatcher(Loop& loop, int descriptor, std::function<void()> on_readable);
    ~PollWatcher();
    PollWatcher(const PollWatcher&) = delete;
    PollWatcher& operator=(const PollWatcher&) = delete;

private:
    struct Handle;
    Handle* handle_;  // freed by libuv's close callback, after us
};

}  // namespace sealgate

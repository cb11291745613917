// SPDX-License-Identifier: GPL-3.0-or-later
// The source's time, and a clock that wakes the loop at a moment of it.
//
// The loop's own timers count milliseconds, in which an open loop begins a dozen messages late.
// Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/loop.h"

namespace sealgate {

// CLOCK_MONOTONIC.
std::uint64_t now_ns();

class Alarm {
public:
    Alarm(Loop& loop, std::function<void()> ring);
    ~Alarm();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    // Rings once, as soon as it is that time; forgets an earlier wish.
    void ring_at(std::uint64_t at_ns);

private:
    int descriptor_;  // timerfd_create(2)
    std::uint64_t rings_at_ns_ = 0;
    std::function<void()> ring_;
    std::unique_ptr<PollWatcher> watcher_;
};

}  // namespace sealgate

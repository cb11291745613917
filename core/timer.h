// SPDX-License-Identifier: GPL-3.0-or-later
// A timer on the loop. Destroying it stops it; its task is never called after that.
#pragma once

#include <cstdint>
#include <functional>

namespace sealgate {

class Loop;

class Timer {
public:
    Timer(Loop& loop, std::function<void()> task);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // Restarts when running. `repeat_ms` 0: once.
    void start(std::uint64_t after_ms, std::uint64_t repeat_ms = 0);
    void stop();
    bool running() const;

private:
    struct Handle;
    Handle* handle_;  // freed by libuv's close callback, after us
};

}  // namespace sealgate

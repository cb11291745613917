// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/load_clock.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "core/result.h"

namespace sealgate {
namespace {

constexpr std::uint64_t ns_per_second = 1'000'000'000;

timespec to_timespec(std::uint64_t ns) {
    return {static_cast<time_t>(ns / ns_per_second), static_cast<long>(ns % ns_per_second)};
}

}  // namespace

std::uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * ns_per_second +
           static_cast<std::uint64_t>(now.tv_nsec);
}

Alarm::Alarm(Loop& loop, std::function<void()> ring)
    : descriptor_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      ring_(std::move(ring)) {
    CHECK(descriptor_ >= 0);
    watcher_ = std::make_unique<PollWatcher>(loop, descriptor_, [this] {
        std::uint64_t times = 0;
        // Nothing to read: the alarm was set anew after the loop saw it ring.
        if (::read(descriptor_, &times, sizeof times) != sizeof times) return;
        rings_at_ns_ = 0;
        ring_();
    });
}

Alarm::~Alarm() {
    watcher_.reset();
    ::close(descriptor_);
}

void Alarm::ring_at(std::uint64_t at_ns) {
    at_ns = std::max<std::uint64_t>(at_ns, 1);  // 0 would switch it off
    if (at_ns == rings_at_ns_) return;
    rings_at_ns_ = at_ns;
    itimerspec when{};
    when.it_value = to_timespec(at_ns);
    CHECK(::timerfd_settime(descriptor_, TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// When a message is tried again, and when it is given up: a bounce profile as arithmetic.
//
// Wall clock seconds, as in the envelope: a restart must not begin the waiting anew. RFC 5321
// §4.5.4.1 asks for a give-up time of at least 4–5 days and 30 minutes between tries; spec's
// defaults are those of the systems this gateway stands beside.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/config.h"

namespace sealgate {

// At least a second, so that nothing is tried in a tight loop.
inline std::int64_t whole_seconds(std::uint64_t milliseconds) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>((milliseconds + 999) / 1000));
}

// From the end of attempt number `attempts` (the first is 1) to the next: retry-first, doubling,
// at most retry-max.
inline std::int64_t retry_delay_seconds(const BounceProfileOptions& profile,
                                        std::uint32_t attempts) {
    const std::uint64_t longest = std::max(profile.retry_max_ms, profile.retry_first_ms);
    std::uint64_t delay = profile.retry_first_ms;
    for (std::uint32_t i = 1; i < attempts && delay < longest; ++i) delay *= 2;
    return whole_seconds(std::min(delay, longest));
}

inline std::int64_t expires_at(const BounceProfileOptions& profile, std::int64_t arrived) {
    return arrived + whole_seconds(profile.queue_time_max_ms);
}

// After attempt number `attempts` failed for now: is it over? The first attempt is no retry.
inline bool given_up(const BounceProfileOptions& profile, std::int64_t arrived,
                     std::uint32_t attempts, std::int64_t now) {
    return attempts > profile.retries_max || now >= expires_at(profile, arrived);
}

// The last attempt is made when the time is over, not up to retry-max later.
inline std::int64_t next_attempt_at(const BounceProfileOptions& profile, std::int64_t arrived,
                                    std::uint32_t attempts, std::int64_t now) {
    return std::min(now + retry_delay_seconds(profile, attempts), expires_at(profile, arrived));
}

}  // namespace sealgate

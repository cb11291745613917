// SPDX-License-Identifier: GPL-3.0-or-later
// How long a loop was busy in each of its rounds: what an event that is ready may have to wait. Or
// how much CPU time each took, which is less where the thread waits for a core.
//
// Log-linear: four steps for each power of two, from 1 µs to beyond 4 s, so a value is told within
// a quarter. Loop thread; reading is a walk over 96 numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sealgate {

class LoopStalls {
public:
    void add(std::uint64_t busy_us);

    std::uint64_t rounds() const { return rounds_; }
    std::uint64_t max_us() const { return max_us_; }
    // The value that `share` (0 to 1) of the rounds do not exceed, rounded up to its step; never
    // above max_us(). 0 without rounds.
    std::uint64_t quantile_us(double share) const;

private:
    static constexpr std::size_t steps = 4;  // in a power of two
    static constexpr std::size_t bucket_count = steps * 24;
    static std::size_t bucket_of(std::uint64_t us);
    static std::uint64_t end_of(std::size_t bucket);

    std::array<std::uint64_t, bucket_count> buckets_{};
    std::uint64_t rounds_ = 0;
    std::uint64_t max_us_ = 0;
};

}  // namespace sealgate

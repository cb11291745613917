// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/loop_stalls.h"

#include <algorithm>
#include <bit>

namespace sealgate {

// Below 4 µs a bucket is one microsecond; then the two bits behind the highest choose the step.
std::size_t LoopStalls::bucket_of(std::uint64_t us) {
    if (us < steps) return static_cast<std::size_t>(us);
    const auto power = static_cast<std::size_t>(std::bit_width(us)) - 1;
    const auto step = static_cast<std::size_t>(us >> (power - 2)) & (steps - 1);
    return std::min((power - 1) * steps + step, bucket_count - 1);
}

// The largest value of a bucket.
std::uint64_t LoopStalls::end_of(std::size_t bucket) {
    if (bucket < steps) return bucket;
    const std::size_t power = bucket / steps + 1;
    const std::uint64_t step = bucket % steps;
    return ((steps + step + 1) << (power - 2)) - 1;
}

void LoopStalls::add(std::uint64_t busy_us) {
    ++buckets_[bucket_of(busy_us)];
    ++rounds_;
    max_us_ = std::max(max_us_, busy_us);
}

std::uint64_t LoopStalls::quantile_us(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(rounds_));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
        seen += buckets_[bucket];
        if (seen > 0 && seen >= wanted) return std::min(end_of(bucket), max_us_);
    }
    return max_us_;
}

}  // namespace sealgate

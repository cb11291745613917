// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sealgate {
namespace {

constexpr unsigned part_bits = 10;  // parts of a doubling: 1,024
constexpr std::size_t parts = std::size_t{1} << part_bits;
constexpr unsigned time_bits = 32;
constexpr std::size_t counters = (time_bits - part_bits + 1) * parts;
static_assert(LatencyHistogram::us_max == (std::uint64_t{1} << time_bits) - 1);

}  // namespace

// Times below 2 × 1,024 count by themselves. Above, the shift leaves 11 bits, the first of them 1:
// the shift says which doubling it is, the other ten which part of it.
std::size_t LatencyHistogram::index_of(std::uint64_t us) {
    const auto bits = static_cast<unsigned>(std::bit_width(us));
    const unsigned shift = bits > part_bits + 1 ? bits - part_bits - 1 : 0;
    return shift * parts + static_cast<std::size_t>(us >> shift);
}

std::uint64_t LatencyHistogram::last_of(std::size_t index) {
    const std::size_t shift = index < 2 * parts ? 0 : index / parts - 1;
    return ((std::uint64_t{index - shift * parts} + 1) << shift) - 1;
}

void LatencyHistogram::add(std::uint64_t us) {
    us = std::min(us, us_max);
    if (counts_.empty()) counts_.resize(counters);
    ++counts_[index_of(us)];
    ++count_;
    max_ = std::max(max_, us);
    sum_ += static_cast<double>(us);
}

void LatencyHistogram::clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    count_ = max_ = 0;
    sum_ = 0;
}

double LatencyHistogram::mean() const {
    return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t LatencyHistogram::at(double part) const {
    if (count_ == 0) return 0;
    const double wanted = std::ceil(part * static_cast<double>(count_));
    const std::uint64_t rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= rank) return std::min(last_of(i), max_);
    }
    return max_;
}

}  // namespace sealgate

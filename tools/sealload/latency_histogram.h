// SPDX-License-Identifier: GPL-3.0-or-later
// Counts of times, exact to three significant digits, in memory that does not grow.
//
// Log-linear, as HdrHistogram is (which Debian 12 has no package of): each time of up to 2,047 µs
// has a counter of its own, and every doubling above it is cut into 1,024 equal parts, so that
// what comes out is at most 0.1 % above what went in. The greatest time is kept exactly. 184 KB,
// whatever is counted; the counters are made when the first time is. One owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sealgate {

class LatencyHistogram {
public:
    static constexpr std::uint64_t us_max = (std::uint64_t{1} << 32) - 1;  // 71 minutes; longer: so

    void add(std::uint64_t us);
    void clear();

    std::uint64_t count() const { return count_; }
    std::uint64_t max() const { return max_; }
    double mean() const;
    // The time that `part` (0 … 1) of all did not exceed; 0 when there were none.
    std::uint64_t at(double part) const;

private:
    static std::size_t index_of(std::uint64_t us);
    static std::uint64_t last_of(std::size_t index);  // the greatest time counted there

    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0, max_ = 0;
    double sum_ = 0;
};

}  // namespace sealgate

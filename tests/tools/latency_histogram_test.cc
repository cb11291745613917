// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/latency_histogram.h"

#include <gtest/gtest.h>

#include <vector>

namespace sealgate {
namespace {

TEST(LatencyHistogram, IsZeroWithoutTimes) {
    const LatencyHistogram none;
    EXPECT_EQ(none.count(), 0u);
    EXPECT_EQ(none.max(), 0u);
    EXPECT_EQ(none.at(0.5), 0u);
    EXPECT_EQ(none.at(1), 0u);
    EXPECT_EQ(none.mean(), 0);
}

// Each time alone, with a greater one beside it so that it is not told by max(): it must come out
// as itself or up to a thousandth above.
TEST(LatencyHistogram, KeepsThreeDigitsAtEveryEdge) {
    std::vector<std::uint64_t> times = {0, 1, 999, 1023, 1024, 1025, 2046, 2047, 2048, 2049, 2050};
    for (unsigned bit = 12; bit < 32; ++bit)
        for (const int off : {-1, 0, 1, 2})
            times.push_back((std::uint64_t{1} << bit) + static_cast<std::uint64_t>(off));
    times.push_back(LatencyHistogram::us_max - 1);
    for (const std::uint64_t us : times) {
        SCOPED_TRACE(us);
        LatencyHistogram histogram;
        histogram.add(us);
        histogram.add(LatencyHistogram::us_max);
        EXPECT_GE(histogram.at(0.5), us);
        EXPECT_LE(histogram.at(0.5), us + us / 1024);
        EXPECT_EQ(histogram.max(), LatencyHistogram::us_max);
    }
}

TEST(LatencyHistogram, CountsEachTimeOfTwoMillisecondsByItself) {
    LatencyHistogram histogram;
    for (std::uint64_t us = 0; us < 2048; ++us) histogram.add(us);
    for (std::uint64_t us = 0; us < 2048; ++us)
        EXPECT_EQ(histogram.at(static_cast<double>(us + 1) / 2048), us);
}

TEST(LatencyHistogram, TakesWhatIsLongerThanItsLimitAsTheLimit) {
    LatencyHistogram histogram;
    histogram.add(LatencyHistogram::us_max);
    histogram.add(LatencyHistogram::us_max + 1);
    histogram.add(~std::uint64_t{0});
    EXPECT_EQ(histogram.count(), 3u);
    EXPECT_EQ(histogram.max(), LatencyHistogram::us_max);
    EXPECT_EQ(histogram.at(0.01), LatencyHistogram::us_max);
}

TEST(LatencyHistogram, TellsRanksAsTheyAreDefined) {
    LatencyHistogram histogram;
    for (int i = 0; i < 99; ++i) histogram.add(10);
    histogram.add(1000);
    EXPECT_EQ(histogram.at(0), 10u);
    EXPECT_EQ(histogram.at(0.5), 10u);
    EXPECT_EQ(histogram.at(0.99), 10u);
    EXPECT_EQ(histogram.at(0.991), 1000u);
    EXPECT_EQ(histogram.at(1), 1000u);
    EXPECT_DOUBLE_EQ(histogram.mean(), (99 * 10 + 1000) / 100.0);
}

TEST(LatencyHistogram, IsEmptyAfterClear) {
    LatencyHistogram histogram;
    histogram.add(5);
    histogram.clear();
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.max(), 0u);
    histogram.add(7);
    EXPECT_EQ(histogram.at(0.5), 7u);
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/load_rate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace sealgate {
namespace {

std::vector<double> first_moments(const LoadRate& rate, Arrivals arrivals, std::size_t count,
                                  std::uint64_t seed = 1) {
    ArrivalClock clock(rate, arrivals, seed);
    std::vector<double> moments;
    for (; moments.size() < count; clock.take())
        moments.push_back(static_cast<double>(clock.next_ns()) / 1e9);
    return moments;
}

TEST(LoadRate, ReadsRates) {
    const struct {
        const char* text;
        double ramp;
        bool good;
        double from, to;
    } rows[] = {
        {"500", 0, true, 500, 500},
        {"500", 10, true, 0, 500},
        {"0.5", 0, true, 0.5, 0.5},
        {"100..2000", 10, true, 100, 2000},
        {"2000..100", 10, true, 2000, 100},
        {"0..5", 1, true, 0, 5},
        {"10000000", 0, true, 1e7, 1e7},
        {"10000001", 0, false, 0, 0},
        {"100..2000", 0, false, 0, 0},
        {"0", 0, false, 0, 0},
        {"5..0", 1, false, 0, 0},
        {"", 0, false, 0, 0},
        {"x", 0, false, 0, 0},
        {"-5", 0, false, 0, 0},
        {"1..", 1, false, 0, 0},
        {"..1", 1, false, 0, 0},
        {"1..2..3", 1, false, 0, 0},
        {"5/s", 0, false, 0, 0},
    };
    for (const auto& [text, ramp, good, from, to] : rows) {
        SCOPED_TRACE(text);
        const auto rate = LoadRate::parse(text, ramp);
        ASSERT_EQ(rate.has_value(), good);
        if (!good) continue;
        EXPECT_DOUBLE_EQ(rate->from, from);
        EXPECT_DOUBLE_EQ(rate->to, to);
    }
}

TEST(LoadRate, ReadsDurations) {
    const struct {
        const char* text;
        double seconds;  // -1: refused
    } rows[] = {{"90", 90},  {"90s", 90},         {"1.5m", 90},  {"200ms", 0.2}, {"2h", 7200},
                {"0", 0},    {"8760h", 31536000}, {"8761h", -1}, {"", -1},       {"s", -1},
                {"1 s", -1}, {"-1s", -1},         {"1d", -1},    {"1sm", -1}};
    for (const auto& [text, seconds] : rows)
        EXPECT_DOUBLE_EQ(parse_duration(text).value_or(-1), seconds) << text;
}

TEST(LoadRate, MomentsAreTheInverseOfWhatIsDue) {
    const LoadRate rates[] = {{100, 100, 0},  {0, 100, 10},   {100, 200, 10},
                              {200, 100, 10}, {100, 100, 10}, {0.1, 1e7, 3600}};
    for (const LoadRate& rate : rates) {
        SCOPED_TRACE(testing::Message() << rate.from << ".." << rate.to);
        EXPECT_DOUBLE_EQ(rate.due_at(0), 0);
        EXPECT_DOUBLE_EQ(rate.moment_of(0), 0);
        for (const double seconds : {0.001, 0.5, 5.0, 9.999, 10.0, 10.001, 3600.0, 7200.0}) {
            const double due = rate.due_at(seconds);
            EXPECT_NEAR(rate.moment_of(due), seconds, seconds * 1e-9);
        }
    }
}

TEST(ArrivalClock, ComesEvenlyAtAConstantRate) {
    const auto moments = first_moments({1000, 1000, 0}, Arrivals::constant, 5000);
    for (std::size_t i = 0; i < moments.size(); ++i)
        EXPECT_NEAR(moments[i], static_cast<double>(i + 1) / 1000, 1e-9);
}

// From 0 to 100 in 10 s, N messages are due at t = √(N/5); then one each 10 ms.
TEST(ArrivalClock, ClimbsInAStraightLine) {
    const auto moments = first_moments({0, 100, 10}, Arrivals::constant, 600);
    EXPECT_NEAR(moments[0], std::sqrt(0.2), 1e-9);
    EXPECT_NEAR(moments[124], 5, 1e-9);
    EXPECT_NEAR(moments[499], 10, 1e-9);
    EXPECT_NEAR(moments[599], 11, 1e-9);
}

TEST(ArrivalClock, ComesAtRandomAsManySendersDo) {
    constexpr std::size_t count = 100000;
    const auto moments = first_moments({1000, 1000, 0}, Arrivals::poisson, count);
    double before = 0, squares = 0;
    for (const double moment : moments) {
        ASSERT_GE(moment, before);
        squares += (moment - before) * (moment - before);
        before = moment;
    }
    const double mean = moments.back() / count;
    EXPECT_NEAR(mean, 0.001, 0.00002);
    // Of an exponential distribution the mean square is twice the square of the mean.
    EXPECT_NEAR(squares / count / (mean * mean), 2, 0.1);
}

TEST(ArrivalClock, StaysWithinTheClockAtARateOfNearlyNothing) {
    const auto rate = LoadRate::parse("0.00000000000001", 0);
    ASSERT_TRUE(rate);
    const auto moments = first_moments(*rate, Arrivals::constant, 3);
    for (const double moment : moments) EXPECT_DOUBLE_EQ(moment, 9e9);
}

TEST(ArrivalClock, DependsOnTheSeedAlone) {
    const LoadRate rate{10, 1000, 5};
    EXPECT_EQ(first_moments(rate, Arrivals::poisson, 100, 7),
              first_moments(rate, Arrivals::poisson, 100, 7));
    EXPECT_NE(first_moments(rate, Arrivals::poisson, 100, 7),
              first_moments(rate, Arrivals::poisson, 100, 8));
}

}  // namespace
}  // namespace sealgate

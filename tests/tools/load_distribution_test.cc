// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/load_distribution.h"

#include <gtest/gtest.h>

#include <map>

#include "tools/sealload/source_mails.h"

namespace sealgate {
namespace {

TEST(LoadDistribution, ReadsAmounts) {
    const struct {
        const char* text;
        std::int64_t value;  // -1: refused
    } rows[] = {
        {"0", 0},
        {"7", 7},
        {"10K", 10240},
        {"10k", 10240},
        {"3M", 3 << 20},
        {"1G", 1 << 30},
        {"1048576G", std::int64_t{1} << 50},
        {"1048577G", -1},
        {"1125899906842624", std::int64_t{1} << 50},
        {"1125899906842625", -1},
        {"18446744073709551616", -1},
        {"", -1},
        {"K", -1},
        {"-1", -1},
        {"+1", -1},
        {" 1", -1},
        {"1 ", -1},
        {"1KB", -1},
        {"1.5K", -1},
        {"0x10", -1},
    };
    for (const auto& [text, value] : rows) {
        const auto amount = parse_amount(text);
        EXPECT_EQ(amount ? static_cast<std::int64_t>(*amount) : -1, value) << text;
    }
}

TEST(LoadDistribution, ReadsDecimals) {
    const struct {
        const char* text;
        double value;  // -1: refused
    } rows[] = {
        {"0", 0},      {"0.5", 0.5}, {".5", 0.5}, {"5.", 5},   {"123456789012345", 123456789012345},
        {"", -1},      {".", -1},    {"-1", -1},  {"1e3", -1}, {"1234567890123456", -1},
        {"1.2.3", -1}, {"nan", -1},  {"1,5", -1},
    };
    for (const auto& [text, value] : rows)
        EXPECT_DOUBLE_EQ(parse_decimal(text).value_or(-1), value) << text;
}

TEST(LoadDistribution, RefusesWhatItCannotRead) {
    for (const char* text :
         {"", ",", "1,", ",1", "1:", ":1", "1:x", "1:-1", "1:0", "1:0,2:0", "2..1", "..2", "1..",
          "1...2", "1..2..3", "1:2:3", "4K:70;5K:30", "a"}) {
        EXPECT_FALSE(LoadDistribution::parse(text)) << text;
    }
}

TEST(LoadDistribution, GivesOneNumberAlways) {
    const auto one = LoadDistribution::parse("10K");
    ASSERT_TRUE(one);
    LoadRandom random(1);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(one->pick(random), 10240u);
    EXPECT_EQ(one->min(), 10240u);
    EXPECT_EQ(one->max(), 10240u);
}

TEST(LoadDistribution, GivesEachNumberOfARangeAboutAsOften) {
    const auto range = LoadDistribution::parse("3..7");
    ASSERT_TRUE(range);
    LoadRandom random(1);
    std::map<std::uint64_t, int> seen;
    for (int i = 0; i < 50000; ++i) ++seen[range->pick(random)];
    ASSERT_EQ(seen.size(), 5u);
    EXPECT_EQ(seen.begin()->first, 3u);
    for (const auto& [value, times] : seen) EXPECT_NEAR(times, 10000, 500) << value;
}

TEST(LoadDistribution, KeepsWeights) {
    const auto mixed = LoadDistribution::parse("1:70,2:25,100..200:5,300:0");
    ASSERT_TRUE(mixed);
    EXPECT_EQ(mixed->min(), 1u);
    EXPECT_EQ(mixed->max(), 300u);
    LoadRandom random(1);
    int ones = 0, twos = 0, more = 0;
    for (int i = 0; i < 100000; ++i) {
        const std::uint64_t value = mixed->pick(random);
        ASSERT_LE(value, 200u);
        (value == 1 ? ones : value == 2 ? twos : more)++;
    }
    EXPECT_NEAR(ones, 70000, 1000);
    EXPECT_NEAR(twos, 25000, 1000);
    EXPECT_NEAR(more, 5000, 500);
}

TEST(LoadDistribution, ReadsNamesWithWeights) {
    const auto names = parse_weighted_names("sign:30,plain:70.5,opaque");
    ASSERT_TRUE(names);
    ASSERT_EQ(names->size(), 3u);
    EXPECT_EQ((*names)[0].name, "sign");
    EXPECT_DOUBLE_EQ((*names)[1].weight, 70.5);
    EXPECT_DOUBLE_EQ((*names)[2].weight, 1);
    for (const char* text : {"", ":1", "a:", "a,", "a:b"})
        EXPECT_FALSE(parse_weighted_names(text)) << text;
}

TEST(LoadRandom, IsTheSameForASeedAndAnotherForEachStream) {
    EXPECT_EQ(LoadRandom(1, 5).next(), LoadRandom(1, 5).next());
    std::map<std::uint64_t, int> seen;
    for (std::uint64_t seed = 0; seed < 30; ++seed)
        for (std::uint64_t stream = 0; stream < 1000; ++stream)
            ++seen[LoadRandom(seed, stream).next()];
    EXPECT_EQ(seen.size(), 30000u);
}

TEST(StepsOf, CoverARangeWithBothItsEnds) {
    const struct {
        const char* sizes;
        std::size_t steps;
        std::uint64_t first, last;
    } rows[] = {
        {"4K", 1, 4096, 4096},         {"5..5", 1, 5, 5},       {"1..2", 2, 1, 2},
        {"1..256", 256, 1, 256},       {"1..257", 256, 1, 257}, {"1K..100K", 256, 1024, 102400},
        {"0..100M", 16, 0, 100 << 20},
    };
    for (const auto& [sizes, count, first, last] : rows) {
        SCOPED_TRACE(sizes);
        const auto steps = steps_of(*LoadDistribution::parse(sizes));
        ASSERT_EQ(steps.size(), count);
        EXPECT_EQ(steps.front().bytes, first);
        EXPECT_EQ(steps.back().bytes, last);
        double weights = 0;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            weights += steps[i].weight;
            if (i > 0) {
                EXPECT_GT(steps[i].bytes, steps[i - 1].bytes);
            }
        }
        EXPECT_NEAR(weights, 1, 1e-9);
    }
}

}  // namespace
}  // namespace sealgate

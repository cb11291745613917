// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/sink_faults.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sealgate {
namespace {

TEST(Faults, TakesWhatIsWritten) {
    for (const char* text : {"connect=421", "ehlo=502", "starttls=454", "mail=451:5%", "rcpt=400",
                             "rcpt=599:0.01%", "data=452:100%", "end=550:50.5%"}) {
        EXPECT_TRUE(Faults().add_fail(text)) << text;
    }
    for (const char* text : {"connect=200ms", "mail=1ms", "rcpt=0s..1s", "data=1s..1s:3%",
                             "end=60m", "starttls=3600s:0.5%"}) {
        EXPECT_TRUE(Faults().add_delay(text)) << text;
    }
    for (const char* text : {"connect", "data:1%", "reply:100%", "end:0.1%", "rcpt"}) {
        EXPECT_TRUE(Faults().add_drop(text)) << text;
    }
}

TEST(Faults, RefusesWhatItDoesNotUnderstand) {
    for (const char* text : {"",
                             "rcpt",
                             "=451",
                             "rcpt=",
                             "rcpt=:5%",
                             "rcpt=451:",
                             "rcpt=451:5",
                             "rcpt=451:%",
                             "rcpt=451:0%",
                             "rcpt=451:100.1%",
                             "rcpt=451:-1%",
                             "rcpt=451:nan%",
                             "rcpt=451:1e1%",
                             "rcpt=451:5%%",
                             "rcpt=451:5% ",
                             "rcpt=399",
                             "rcpt=600",
                             "rcpt=250",
                             "rcpt=-451",
                             "rcpt=45l",
                             "rcpt=451x",
                             "rcpt= 451",
                             "RCPT=451",
                             "vrfy=451",
                             "reply=451",
                             "5"}) {
        Faults faults;
        EXPECT_FALSE(faults.add_fail(text)) << text;
        EXPECT_TRUE(faults.empty());
    }
    for (const char* text : {"",
                             "mail",
                             "mail=",
                             "mail=0ms",
                             "mail=0s..0s",
                             "mail=5",
                             "mail=5h",
                             "mail=ms",
                             "mail=-5ms",
                             "mail=1.5s",
                             "mail=2s..1s",
                             "mail=1s..",
                             "mail=..1s",
                             "mail=1s...2s",
                             "mail=61m",
                             "mail=3601s",
                             "mail=99999999999999999999s",
                             "mail=18446744073709551615s",
                             "mail=1s:0%",
                             "mail=1s:5",
                             "mail=1s ",
                             "reply=1s"}) {
        Faults faults;
        EXPECT_FALSE(faults.add_delay(text)) << text;
        EXPECT_TRUE(faults.empty());
    }
    for (const char* text : {"", "data:", "data:0%", "data:101%", "data:1", "data=1%", "nowhere:1%",
                             " data", "quit"}) {
        Faults faults;
        EXPECT_FALSE(faults.add_drop(text)) << text;
        EXPECT_TRUE(faults.empty());
    }
}

TEST(Faults, StrikesAsOftenAsItsPercentageSays) {
    for (const double percent : {0.5, 5.0, 50.0, 99.0, 100.0}) {
        Faults faults;
        ASSERT_TRUE(faults.add_drop("end:" + std::to_string(percent) + "%"));
        constexpr int draws = 20000;
        int times = 0;
        for (int i = 0; i < draws; ++i) times += faults.drops(FaultPlace::end) ? 1 : 0;
        EXPECT_NEAR(times * 100.0 / draws, percent, percent == 100 ? 0 : 1.5);
        EXPECT_EQ(faults.times(), static_cast<std::uint64_t>(times));
        EXPECT_FALSE(faults.drops(FaultPlace::rcpt));
    }
}

std::vector<int> codes(std::uint64_t seed, bool with_another_row) {
    Faults faults;
    EXPECT_TRUE(faults.add_fail("rcpt=451:30%"));
    if (with_another_row) {
        EXPECT_TRUE(faults.add_fail("mail=550:50%"));
    }
    faults.set_seed(seed);
    std::vector<int> drawn;
    for (int i = 0; i < 200; ++i) {
        drawn.push_back(faults.fail_code(FaultPlace::rcpt));
        if (with_another_row) faults.fail_code(FaultPlace::mail);
    }
    return drawn;
}

TEST(Faults, AreTheSameForTheSameSeedWhateverElseFails) {
    EXPECT_EQ(codes(1, false), codes(1, false));
    EXPECT_EQ(codes(1, false), codes(1, true));
    EXPECT_NE(codes(1, false), codes(2, false));
}

TEST(Faults, DelaysLieWithinTheirRange) {
    Faults faults;
    ASSERT_TRUE(faults.add_delay("end=10ms..13ms"));
    std::vector<std::uint64_t> seen;
    for (int i = 0; i < 200; ++i) seen.push_back(faults.delay_ms(FaultPlace::end));
    EXPECT_EQ(*std::min_element(seen.begin(), seen.end()), 10U);
    EXPECT_EQ(*std::max_element(seen.begin(), seen.end()), 13U);
    EXPECT_EQ(faults.delay_ms(FaultPlace::mail), 0U);
}

TEST(Faults, TheFirstRowThatStrikesDecidesAndIsCounted) {
    Faults faults;
    ASSERT_TRUE(faults.add_fail("rcpt=451"));
    ASSERT_TRUE(faults.add_fail("rcpt=550"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(faults.fail_code(FaultPlace::rcpt), 451);
    const auto counts = faults.counts();
    ASSERT_EQ(counts.size(), 2U);
    EXPECT_EQ(counts[0].fault, "fail rcpt=451");
    EXPECT_EQ(counts[0].times, 3U);
    EXPECT_EQ(counts[1].times, 0U);
}

}  // namespace
}  // namespace sealgate

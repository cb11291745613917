// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/loop_stalls.h"

#include <gtest/gtest.h>

#include <ctime>
#include <thread>

#include "core/loop.h"

namespace sealgate {
namespace {

TEST(LoopStalls, SaysNothingBeforeTheFirstRound) {
    EXPECT_EQ(LoopStalls().quantile_us(0.5), 0u);
    EXPECT_EQ(LoopStalls().max_us(), 0u);
}

TEST(LoopStalls, TellsAnyValueWithinAQuarterAndNeverTooSmall) {
    for (std::uint64_t us = 0; us < 3'000'000; us += 1 + us / 50) {
        LoopStalls stalls;
        stalls.add(us);
        stalls.add(std::uint64_t{1} << 40);  // so that the largest does not cut it
        EXPECT_GE(stalls.quantile_us(0.5), us);
        EXPECT_LE(stalls.quantile_us(0.5), us + us / 4);
    }
}

TEST(LoopStalls, FindsTheRareLongRound) {
    LoopStalls stalls;
    for (int i = 0; i < 9990; ++i) stalls.add(100);
    for (int i = 0; i < 10; ++i) stalls.add(50'000);
    EXPECT_LE(stalls.quantile_us(0.99), 125u);
    EXPECT_LE(stalls.quantile_us(0.999), 125u);
    EXPECT_EQ(stalls.quantile_us(0.9999), 50'000u);
    EXPECT_EQ(stalls.max_us(), 50'000u);
    EXPECT_EQ(stalls.rounds(), 10'000u);
}

TEST(LoopStalls, OfALoopAreItsBusyTimeAndNotItsSleep) {
    Loop loop;
    bool done = false;
    loop.post([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        done = true;
    });
    ASSERT_TRUE(loop.run_until([&] { return done; }, 20'000));
    std::thread late([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        loop.post([&] { done = false; });
    });
    ASSERT_TRUE(loop.run_until([&] { return !done; }, 20'000));
    late.join();
    loop.run_until([] { return false; }, 5);  // so that the last round has ended
    EXPECT_GE(loop.stalls().max_us(), 30'000u);
    EXPECT_GE(loop.stalls().rounds(), 3u);
    EXPECT_LT(loop.stalls().quantile_us(0.5), 300'000u);
    EXPECT_EQ(loop.work().rounds(), loop.stalls().rounds());
    EXPECT_LT(loop.work().max_us(), 30'000u) << "nothing was computed in those 30 ms";
}

TEST(LoopStalls, OfALoopTellItsComputingToo) {
    Loop loop;
    bool done = false;
    loop.post([&] {
        const std::clock_t until = std::clock() + CLOCKS_PER_SEC / 50;
        while (std::clock() < until) {
        }
        done = true;
    });
    ASSERT_TRUE(loop.run_until([&] { return done; }, 20'000));
    loop.run_until([] { return false; }, 5);
    EXPECT_GE(loop.work().max_us(), 15'000u);
    EXPECT_LE(loop.work().max_us(), loop.stalls().max_us() + 1'000);
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Messages of several bodies when the process ends without warning: what is committed has one body
// in the store, and nothing else is there.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/core/spool_process.h"

namespace sealgate {
namespace {

using namespace test;

// Pairs for ever; the even MIDs keep their first body.
[[noreturn]] void store_pairs_until_killed(const SharedFolder& folder, unsigned after_ms) {
    SpoolProcess process(folder.path("data"));
    std::thread([after_ms] {
        std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
        ::kill(::getpid(), SIGKILL);
    }).detach();
    std::map<MessageId, std::unique_ptr<Pair>> pairs;
    for (;;) {
        auto pair = std::make_unique<Pair>(process);
        const MessageId mid = pair->mid();
        pair->write();
        REQUIRE(pair->finish());
        if (mid % 5 == 0) pair->drop(1 - mid % 2);
        pair->commit(mid % 2, [&pairs, mid](Result<StoredMessage> stored) {
            REQUIRE(stored);
            if (mid % 7 != 0) pairs[mid]->drop(1 - mid % 2);
        });
        pairs[mid] = std::move(pair);
        if (pairs.size() > 20) pairs.erase(pairs.begin());  // its commit may be unanswered
        process.loop().run_until([] { return false; }, 1);
    }
}

class SpoolVariantsCrashTest : public testing::TestWithParam<unsigned> {
protected:
    SharedFolder folder_;
};

TEST_P(SpoolVariantsCrashTest, LeavesOneBodyOfEachMessageWhenKilled) {
    EXPECT_EXIT(store_pairs_until_killed(folder_, GetParam()), testing::KilledBySignal(SIGKILL),
                "");
    std::size_t bytes = 0;
    {
        SpoolProcess process(folder_.path("data"));
        for (const auto& [mid, message] : process.recovered()) {
            EXPECT_EQ(message.envelope, std::to_string(mid % 2));
            EXPECT_EQ(process.read(mid), Pair::body(mid, mid % 2)) << "MID " << mid;
            bytes += message.body_bytes;
        }
    }
    EXPECT_EQ(stored_body_bytes(folder_.path("data")), bytes);
}

INSTANTIATE_TEST_SUITE_P(KilledAfterMs, SpoolVariantsCrashTest,
                         testing::Values(20, 50, 110, 230, 470));

enum class Point : std::uint8_t { streaming, finished, committing, committed, loser_gone };

// Ends without a clean end of the spool, at one point in the life of each of two pairs.
[[noreturn]] void end_at(const SharedFolder& folder, Point point) {
    SpoolProcess process(folder.path("data"));
    std::array<Pair, 2> pairs = {Pair(process), Pair(process)};
    for (const std::size_t winner : {0u, 1u}) {
        Pair& pair = pairs[winner];
        pair.write();
        process.rest();
        if (point == Point::streaming) continue;
        REQUIRE(pair.finish());
        if (point == Point::finished) continue;
        if (point == Point::committing) {
            pair.commit(winner, [](Result<StoredMessage>) {});
            continue;
        }
        REQUIRE(pair.commit_and_wait(winner));
        if (point == Point::committed) continue;
        pair.drop(1 - winner);
        process.rest();
    }
    std::_Exit(0);
}

class SpoolPointTest : public testing::TestWithParam<Point> {
protected:
    SharedFolder folder_;
};

TEST_P(SpoolPointTest, LeavesTheCommittedBodyAndNoOther) {
    EXPECT_EXIT(end_at(folder_, GetParam()), testing::ExitedWithCode(0), "");
    // Large ones were streamed, or this shows nothing.
    if (GetParam() != Point::loser_gone) {
        EXPECT_GT(stored_body_bytes(folder_.path("data")), 250'000u);
    }
    std::size_t bytes = 0;
    {
        SpoolProcess process(folder_.path("data"));
        const std::size_t count = process.recovered().size();
        switch (GetParam()) {
        case Point::streaming:
        case Point::finished: EXPECT_EQ(count, 0u); break;
        case Point::committing: EXPECT_LE(count, 2u); break;
        case Point::committed:
        case Point::loser_gone: EXPECT_EQ(count, 2u); break;
        }
        for (const auto& [mid, message] : process.recovered()) {
            const std::size_t winner = message.envelope == "1";
            EXPECT_EQ(process.read(mid), Pair::body(mid, winner));
            bytes += message.body_bytes;
        }
    }
    EXPECT_EQ(stored_body_bytes(folder_.path("data")), bytes);
}

INSTANTIATE_TEST_SUITE_P(Points, SpoolPointTest,
                         testing::Values(Point::streaming, Point::finished, Point::committing,
                                         Point::committed, Point::loser_gone));

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Several bodies of one message, of which one is committed. What is in the store is looked at
// record by record, with the spool closed.
#include <gtest/gtest.h>

#include <array>

#include "tests/core/spool_fixture.h"

namespace sealgate {
namespace {

using namespace test;

constexpr std::size_t variant_piece = limits::spool_variant_piece_bytes;
constexpr std::size_t young = limits::young_message_bytes_max;

class SpoolVariantsTest : public SpoolTest {};

enum class Losers : std::uint8_t { go_before, go_while_on_its_way, go_after, are_left };

struct Race {
    const char* name;
    std::size_t variants;  // begin()'s included
    std::size_t winner;
    Losers losers;
    std::size_t body_bytes;
};

class SpoolRaceTest : public SpoolVariantsTest, public testing::WithParamInterface<Race> {};

TEST_P(SpoolRaceTest, KeepsTheCommittedBodyAndNothingOfTheOthers) {
    const Race& race = GetParam();
    const MessageId mid = spool_->next_mid();
    std::vector<Writer> writers;
    std::vector<std::string> bodies;
    for (std::size_t i = 0; i < race.variants; ++i) {
        writers.push_back(i == 0 ? spool_->begin(mid) : spool_->begin_variant(mid));
        EXPECT_EQ(writers.back()->mid(), mid);
        bodies.push_back(std::to_string(i) + body_of(race.body_bytes + i));
    }
    for (std::size_t i = 0; i < race.variants; ++i) {
        write(*writers[i], bodies[i]);
        ASSERT_TRUE(writers[i]->finish());
        EXPECT_EQ(writers[i]->body_bytes(), bodies[i].size());
    }
    const auto drop_losers = [&] {
        for (std::size_t i = 0; i < race.variants; ++i)
            if (i != race.winner) writers[i].reset();
    };
    if (race.losers == Losers::go_before) drop_losers();
    bool done = false;
    writers[race.winner]->commit("envelope", [&](Result<StoredMessage> stored) {
        ASSERT_TRUE(stored);
        EXPECT_EQ(stored->body_bytes, bodies[race.winner].size());
        if (stored->in_memory) {
            EXPECT_EQ(stored->body.to_string(), bodies[race.winner]);
        }
        done = true;
    });
    if (race.losers == Losers::go_while_on_its_way) drop_losers();
    ASSERT_TRUE(loop_.run_until([&] { return done; }, 20'000));
    if (race.losers == Losers::go_after) drop_losers();
    EXPECT_EQ(read(mid), bodies[race.winner]);
    settle();
    EXPECT_EQ(read(mid), bodies[race.winner]);
    if (race.losers == Losers::are_left) {
        // As after a crash: the losers' writers never spoke again; recovery removes what they left.
        reopen();
        writers.clear();
    }
    expect_only(mid, bodies[race.winner]);
    spool_->remove(mid);
    settle();
    expect_nothing();
}

INSTANTIATE_TEST_SUITE_P(
    Rows, SpoolRaceTest,
    testing::Values(
        // clang-format off
        Race{"SmallFirst", 2, 0, Losers::go_before, 100},
        Race{"SmallSecond", 2, 1, Losers::go_before, 100},
        Race{"SmallSecondOthersAfter", 2, 1, Losers::go_after, 100},
        Race{"APieceFirst", 2, 0, Losers::go_after, variant_piece - 1},
        Race{"APieceSecond", 2, 1, Losers::go_after, variant_piece - 2},
        Race{"AboveAPieceFirst", 2, 0, Losers::go_after, variant_piece},
        Race{"AboveAPieceSecond", 2, 1, Losers::go_after, variant_piece},
        Race{"AboveAPieceFirstBefore", 2, 0, Losers::go_before, variant_piece},
        Race{"AboveAPieceSecondBefore", 2, 1, Losers::go_before, variant_piece},
        Race{"LargeFirst", 2, 0, Losers::go_after, 1'000'000},
        Race{"LargeSecond", 2, 1, Losers::go_after, 1'000'000},
        Race{"LargeFirstBefore", 2, 0, Losers::go_before, 1'000'000},
        Race{"LargeSecondBefore", 2, 1, Losers::go_before, 1'000'000},
        Race{"LargeFirstMeanwhile", 2, 0, Losers::go_while_on_its_way, 1'000'000},
        Race{"LargeSecondMeanwhile", 2, 1, Losers::go_while_on_its_way, 1'000'000},
        Race{"LargeFirstOthersLeft", 2, 0, Losers::are_left, 1'000'000},
        Race{"LargeSecondOthersLeft", 2, 1, Losers::are_left, 1'000'000},
        // More than single deletions are used for.
        Race{"HugeFirst", 2, 0, Losers::go_after, 10'000'000},
        Race{"HugeSecond", 2, 1, Losers::go_after, 10'000'000},
        Race{"HugeSecondOthersLeft", 2, 1, Losers::are_left, 10'000'000},
        Race{"AllFirst", limits::spool_variants_max, 0, Losers::go_after, 100'000},
        Race{"AllMiddle", limits::spool_variants_max, 7, Losers::go_before, 100'000},
        Race{"AllLast", limits::spool_variants_max, limits::spool_variants_max - 1, Losers::are_left, 100'000}),
    // clang-format on
    [](const auto& row) { return row.param.name; });

TEST_F(SpoolVariantsTest, LeavesNothingWhenNoneIsCommitted) {
    for (const std::size_t bytes : {std::size_t{10}, variant_piece + 1, std::size_t{1'000'000}}) {
        const MessageId mid = spool_->next_mid();
        auto first = spool_->begin(mid);
        auto second = spool_->begin_variant(mid);
        write(*first, body_of(bytes));
        write(*second, body_of(bytes));
        second.reset();
    }
    settle();
    expect_nothing();
}

// The gateway takes up again what it had begun otherwise: as many bodies as it likes, in turns.
TEST_F(SpoolVariantsTest, BeginsAnewWhenTheOthersAreGone) {
    const MessageId mid = spool_->next_mid();
    spool_->begin(mid).reset();
    Writer last;
    for (std::size_t i = 0; i < 3 * limits::spool_variants_max; ++i) {
        last.reset();
        last = spool_->begin_variant(mid);
        write(*last, std::to_string(i) + body_of(200'000));
    }
    ASSERT_TRUE(finish_and_commit(*last));
    last.reset();
    settle();
    expect_only(mid, "47" + body_of(200'000));
}

TEST_F(SpoolVariantsTest, TakesAnIndexAgainThatACommittedBodyDoesNotHave) {
    const MessageId mid = spool_->next_mid();
    auto first = spool_->begin(mid);
    auto second = spool_->begin_variant(mid);
    auto third = spool_->begin_variant(mid);
    for (SpoolWriter* writer : {first.get(), second.get(), third.get()})
        write(*writer, body_of(100'000));
    second.reset();
    auto fourth = spool_->begin_variant(mid);
    write(*fourth, "fourth" + body_of(100'000));
    ASSERT_TRUE(finish_and_commit(*fourth));
    third.reset();
    first.reset();
    settle();
    expect_only(mid, "fourth" + body_of(100'000));
}

TEST_F(SpoolVariantsTest, WritesNothingOfASmallLoser) {
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{10'000}, variant_piece}) {
        const std::uint64_t before = records_written();
        open();
        const MessageId mid = spool_->next_mid();
        auto as_it_came = spool_->begin(mid);
        auto decrypted = spool_->begin_variant(mid);
        write(*as_it_came, body_of(bytes), 777);
        write(*decrypted, body_of(bytes), 778);
        ASSERT_TRUE(decrypted->finish());
        decrypted->set_head(list_of("Header: of the verdict\r\n"));
        ASSERT_TRUE(commit(*decrypted));
        as_it_came.reset();
        spool_->remove(mid);
        EXPECT_EQ(records_written() - before, 4u + 2u);  // and how far MIDs were used, twice
    }
}

TEST_F(SpoolVariantsTest, UndoesACommitWithoutTouchingTheOthers) {
    const MessageId mid = spool_->next_mid();
    auto first = spool_->begin(mid);
    auto second = spool_->begin_variant(mid);
    write(*first, body_of(200'000));
    write(*second, "second" + body_of(200'000));
    ASSERT_TRUE(first->finish());
    first->set_head(list_of(body_of(100'000)));
    first->commit("first", [](Result<StoredMessage>) { FAIL(); });
    usleep(20'000);  // the spool thread may have written it
    first.reset();
    ASSERT_TRUE(finish_and_commit(*second));
    second.reset();
    settle();
    expect_only(mid, "second" + body_of(200'000));
}

TEST_F(SpoolVariantsTest, HoldsTwoBodiesInWhatOneCosts) {
    const std::size_t before = BlockPool::instance().in_use_bytes();
    const MessageId mid = spool_->next_mid();
    std::array<Writer, 2> writers = {spool_->begin(mid), spool_->begin_variant(mid)};
    std::array<QuietSource, 2> sources;
    for (std::size_t i = 0; i < 2; ++i) writers[i]->set_source(&sources[i]);
    std::size_t most = 0;
    for (int round = 0; round < 500; ++round) {
        for (std::size_t i = 0; i < 2; ++i) {
            const int drains = sources[i].drains;
            const Result<Flow> flow = writers[i]->write(Chunk::copy_of(body_of(8000)));
            ASSERT_TRUE(flow);
            most = std::max(most, BlockPool::instance().in_use_bytes() - before);
            if (*flow == Flow::full) {
                ASSERT_TRUE(loop_.run_until([&] { return sources[i].drains > drains; }, 20'000));
            }
        }
    }
    EXPECT_LT(most, 150u * 1024);
    EXPECT_GT(sources[0].drains, 0);
    EXPECT_GT(sources[1].drains, 0);
    for (const Writer& writer : writers) ASSERT_TRUE(writer->finish());
    ASSERT_TRUE(commit(*writers[1]));
    writers = {};
    EXPECT_EQ(BlockPool::instance().in_use_bytes(), before);
}

// The first body has been streaming for a while when it turns out that there will be two.
TEST_F(SpoolVariantsTest, ChangesToSmallerPiecesInTheMiddle) {
    for (const std::size_t early : {variant_piece - 1, variant_piece, variant_piece + 1, piece - 1,
                                    piece, piece + 1, young, 2 * young}) {
        SCOPED_TRACE(early);
        const MessageId mid = spool_->next_mid();
        auto first = spool_->begin(mid);
        const std::string body = body_of(early + 300'000);
        write(*first, body.substr(0, early));
        auto second = spool_->begin_variant(mid);
        write(*first, body.substr(early, 100'000));
        second.reset();
        write(*first, body.substr(early + 100'000));
        const Result<StoredMessage> stored = finish_and_commit(*first);
        ASSERT_TRUE(stored);
        EXPECT_EQ(stored->body_bytes, body.size());
        EXPECT_EQ(read(mid), body);
        spool_->remove(mid);
    }
    settle();
    expect_nothing();
}

TEST_F(SpoolVariantsTest, MayOutliveTheSpool) {
    const MessageId mid = spool_->next_mid();
    auto first = spool_->begin(mid);
    auto second = spool_->begin_variant(mid);
    write(*first, body_of(100'000));
    write(*second, body_of(100'000));
    spool_.reset();
    second.reset();
    first.reset();
    open();
    expect_nothing();
}

TEST_F(SpoolVariantsTest, GoesOnWithManyMessagesAtOnce) {
    constexpr std::size_t count = 60;
    std::vector<std::array<Writer, 2>> messages;
    std::map<MessageId, std::string> want;
    std::size_t done = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const MessageId mid = spool_->next_mid();
        messages.push_back({spool_->begin(mid), spool_->begin_variant(mid)});
        want[mid] = std::to_string(i % 2) + body_of(1000 + i * 3000);
        for (const std::size_t variant : {0u, 1u})
            write(*messages.back()[variant], std::to_string(variant) + body_of(1000 + i * 3000));
    }
    for (std::size_t i = 0; i < count; ++i) {
        Writer& winner = messages[i][i % 2];
        if (i % 3 == 0) messages[i][1 - i % 2].reset();
        ASSERT_TRUE(winner->finish());
        winner->commit("e", [&](Result<StoredMessage> stored) { done += stored.has_value(); });
        if (i % 3 == 1) messages[i][1 - i % 2].reset();
    }
    ASSERT_TRUE(loop_.run_until([&] { return done == count; }, 20'000));
    messages.clear();
    settle();
    EXPECT_EQ(count_records('P'), 0u);
    EXPECT_EQ(count_records('E'), count);
    open();
    for (const auto& [mid, body] : want) EXPECT_EQ(read(mid), body);
    for (const auto& [mid, body] : want) spool_->remove(mid);
    settle();
    expect_nothing();
}

class SpoolVariantsDeathTest : public SpoolVariantsTest {
protected:
    SpoolVariantsDeathTest() : mid_(spool_->next_mid()) {
        testing::FLAGS_gtest_death_test_style = "threadsafe";
        writers_ = {spool_->begin(mid_), spool_->begin_variant(mid_)};
        for (const Writer& writer : writers_) EXPECT_TRUE(writer->finish());
    }
    MessageId mid_;
    std::array<Writer, 2> writers_;
};

TEST_F(SpoolVariantsDeathTest, CommitsOneOfAllOnly) {
    const auto ignore = [](Result<StoredMessage>) {};
    writers_[0]->commit("e", ignore);
    EXPECT_DEATH(writers_[1]->commit("e", ignore), "commit_asked");
    EXPECT_DEATH(writers_[0]->commit("e", ignore), "commit_asked");
}

TEST_F(SpoolVariantsDeathTest, BeginsNoVariantOfWhatIsCommitted) {
    ASSERT_TRUE(commit(*writers_[1]));
    EXPECT_DEATH(spool_->begin_variant(mid_), "stored");
}

TEST_F(SpoolVariantsDeathTest, HasAsManyVariantsAsThereAreIndexes) {
    std::vector<Writer> more;
    while (more.size() + 2 < limits::spool_variants_max)
        more.push_back(spool_->begin_variant(mid_));
    EXPECT_DEATH(spool_->begin_variant(mid_), "taken");
    more.pop_back();
    more.push_back(spool_->begin_variant(mid_));
}

}  // namespace
}  // namespace sealgate

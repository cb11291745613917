// SPDX-License-Identifier: GPL-3.0-or-later
// What comes first in a body and is given last.
#include <gtest/gtest.h>

#include "tests/core/spool_fixture.h"

namespace sealgate {
namespace {

using namespace test;

constexpr std::size_t young = limits::young_message_bytes_max;

struct Head {
    const char* name;
    std::size_t head_bytes;
    std::size_t body_bytes;
};

class SpoolHeadTest : public SpoolTest, public testing::WithParamInterface<Head> {};

TEST_P(SpoolHeadTest, ComesBeforeTheBody) {
    const auto& [name, head_bytes, body_bytes] = GetParam();
    const std::string head = std::string(head_bytes, 'H');
    const std::string body = body_of(body_bytes);
    for (const std::size_t cut : {std::size_t{50'000}, std::size_t{997}, head_bytes + 1}) {
        for (const bool as_variant : {false, true}) {
            const MessageId mid = spool_->next_mid();
            auto first = spool_->begin(mid);
            Writer second = as_variant ? spool_->begin_variant(mid) : nullptr;
            SpoolWriter& writer = as_variant ? *second : *first;
            write(writer, body);
            ASSERT_TRUE(writer.finish());
            writer.set_head(list_of(head, cut));
            EXPECT_EQ(writer.body_bytes(), head_bytes + body_bytes);
            const Result<StoredMessage> stored = commit(writer);
            ASSERT_TRUE(stored);
            EXPECT_EQ(stored->body_bytes, head_bytes + body_bytes);
            const bool is_young = head_bytes + body_bytes <= young &&
                                  (!as_variant || body_bytes <= limits::young_variant_bytes_max);
            EXPECT_EQ(stored->in_memory, is_young);
            if (stored->in_memory) {
                EXPECT_EQ(stored->body.to_string(), head + body);
            }
            EXPECT_EQ(read(mid), head + body);
            bool updated = false;
            spool_->update(mid, "another",
                           [&](Result<void> result) { updated = result.has_value(); });
            ASSERT_TRUE(loop_.run_until([&] { return updated; }, 20'000));
            reopen();
            EXPECT_EQ(recovered_[mid].envelope, "another");
            EXPECT_EQ(recovered_[mid].body_bytes, head_bytes + body_bytes);
            EXPECT_EQ(read(mid), head + body);
            spool_->remove(mid);
            settle();
            expect_nothing();
        }
    }
}

TEST_P(SpoolHeadTest, GoesWithItsBody) {
    const auto& [name, head_bytes, body_bytes] = GetParam();
    for (const bool committing : {false, true}) {
        auto writer = spool_->begin(spool_->next_mid());
        write(*writer, body_of(body_bytes));
        ASSERT_TRUE(writer->finish());
        writer->set_head(list_of(std::string(head_bytes, 'H')));
        if (committing) writer->commit("e", [](Result<StoredMessage>) { FAIL(); });
        usleep(1000);
    }
    settle();
    expect_nothing();
}

constexpr std::size_t head_max = limits::spool_head_bytes_max;

INSTANTIATE_TEST_SUITE_P(
    Rows, SpoolHeadTest,
    testing::Values(
        Head{"NoneBeforeNothing", 0, 0}, Head{"NoneBeforeAByte", 0, 1},
        Head{"NoneBeforePieces", 0, 200'000}, Head{"AByteBeforeNothing", 1, 0},
        Head{"AByteBeforeAByte", 1, 1}, Head{"AByteBeforePieces", 1, 200'000},
        Head{"OneBelowAPiece", 1000, piece - 1001}, Head{"OnePiece", 1000, piece - 1000},
        Head{"OneAboveAPiece", 1000, piece - 999}, Head{"APieceBeforeNothing", piece, 0},
        Head{"MoreThanAPieceBeforeNothing", piece + 1, 0},
        Head{"AsYoungAsCanBe", 1000, young - 1000}, Head{"NotYoung", 1000, young - 999},
        Head{"NotYoungByItsHead", young, 1}, Head{"LargeBeforeAByte", 200 * 1024, 1},
        Head{"LargeBeforePieces", 200 * 1024, 1'000'000}, Head{"LargestBeforeNothing", head_max, 0},
        Head{"LargestBeforeAByte", head_max, 1}, Head{"LargestBeforePieces", head_max, 1'000'000}),
    [](const auto& row) { return row.param.name; });

class SpoolHeadLimitsTest : public SpoolTest {};

TEST_F(SpoolHeadLimitsTest, KeepsAHeadWithoutTheBlocksOfItsSmallChunks) {
    auto writer = spool_->begin(spool_->next_mid());
    ASSERT_TRUE(writer->finish());
    const std::size_t before = BlockPool::instance().in_use_bytes();
    ChunkList head;
    for (int i = 0; i < 100; ++i)
        head.append(Chunk::copy_of(std::string(piece, 'x')).slice(100, 200));
    writer->set_head(std::move(head));
    EXPECT_LT(BlockPool::instance().in_use_bytes() - before, 32u * 1024);
}

TEST_F(SpoolHeadLimitsTest, TakesNoHeadPastItsLimitAndNoneTwice) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    auto writer = spool_->begin(spool_->next_mid());
    ASSERT_TRUE(writer->finish());
    EXPECT_DEATH(writer->set_head(list_of(std::string(head_max + 1, 'H'))), "spool_head_bytes_max");
    writer->set_head(list_of("H"));
    EXPECT_DEATH(writer->set_head(list_of("H")), "head.empty");
}

}  // namespace
}  // namespace sealgate

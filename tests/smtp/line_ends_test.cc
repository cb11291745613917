// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/line_ends.h"

#include <gtest/gtest.h>

#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

using namespace mime_test;

struct Case {
    const char* name;
    std::string in;
    std::string want;
};

const Case cases[] = {
    {"Nothing", "", ""},
    {"NoLineEnd", "abc", "abc"},
    {"BareLineFeeds", "a\nb\n", "a\r\nb\r\n"},
    {"CrlfStays", "a\r\nb\r\n", "a\r\nb\r\n"},
    {"Mixed", "a\nb\r\nc\n\r\n\n", "a\r\nb\r\nc\r\n\r\n\r\n"},
    {"OnlyLineFeeds", "\n\n\n", "\r\n\r\n\r\n"},
    {"BareCarriageReturnStays", "a\rb\r\rc\r", "a\rb\r\rc\r"},
    {"CarriageReturnsBeforeALineFeed", "a\r\r\nb", "a\r\r\nb"},
    {"LineFeedFirst", "\na", "\r\na"},
    {"LastLineWithoutEnd", "a\nb", "a\r\nb"},
    {"EightBitAndNul", std::string("\xff\0\n\x80", 4), std::string("\xff\0\r\n\x80", 5)},
};

class LineEndStageTest : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Rows, LineEndStageTest, testing::ValuesIn(cases),
                         [](const auto& row) { return row.param.name; });

TEST_P(LineEndStageTest, GivesTheSameLinesHoweverTheInputIsCut) {
    const Case& row = GetParam();
    for (std::size_t cut = 0; cut <= row.in.size(); ++cut) {
        SCOPED_TRACE(testing::Message() << "cut after byte " << cut);
        TextSink sink;
        LineEndStage stage(sink);
        ASSERT_TRUE(stage.write(Chunk::copy_of(row.in.substr(0, cut))));
        ASSERT_TRUE(stage.write(Chunk::copy_of(row.in.substr(cut))));
        ASSERT_TRUE(stage.finish());
        EXPECT_EQ(sink.text, row.want);
        EXPECT_TRUE(sink.finished);
    }
}

TEST_P(LineEndStageTest, LeavesItsOutputAsItIs) {
    const Case& row = GetParam();
    TextSink sink;
    LineEndStage stage(sink);
    for (const char byte : row.want)
        ASSERT_TRUE(stage.write(Chunk::copy_of(std::string_view(&byte, 1))));
    EXPECT_EQ(sink.text, row.want);
}

// Whoever keeps what comes out keeps whole blocks.
TEST(LineEndStage, TakesNoMoreMemoryThanWhatItGives) {
    struct Keeper final : Sink {
        Result<Flow> write(Chunk chunk) override {
            kept.append(std::move(chunk));
            return Flow::open;
        }
        Result<Flow> finish() override { return Flow::open; }
        ChunkList kept;
    } sink;
    LineEndStage stage(sink, LineEndStage::BareCr::ends_line);
    std::string text;
    while (text.size() < 16 * 1024) text += std::string(63, 'x') + "\n";
    const Chunk chunk = Chunk::copy_of(text);
    const std::size_t before = BlockPool::instance().in_use_bytes();
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(stage.write(chunk));
    EXPECT_EQ(sink.kept.bytes(), 4 * (text.size() + text.size() / 64));
    EXPECT_LE(BlockPool::instance().in_use_bytes() - before, sink.kept.bytes() + 17 * 1024);
}

TEST(LineEndStage, PassesChunksWithCrlfWithoutACopy) {
    struct Same final : Sink {
        Result<Flow> write(Chunk chunk) override {
            data = chunk.data();
            return Flow::full;
        }
        Result<Flow> finish() override { return Flow::open; }
        const std::uint8_t* data = nullptr;
    } sink;
    LineEndStage stage(sink);
    const Chunk chunk = Chunk::copy_of("a\r\nb\r\n");
    EXPECT_EQ(*stage.write(chunk), Flow::full);
    EXPECT_EQ(sink.data, chunk.data());
}

}  // namespace
}  // namespace sealgate

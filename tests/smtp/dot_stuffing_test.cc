// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/dot_stuffing.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

struct Case {
    const char* name;
    std::string in;
    std::string want;
};

class DotStuffingTest : public testing::TestWithParam<Case> {};

TEST_P(DotStuffingTest, GivesTheSameHoweverTheInputIsCut) {
    const auto& [name, in, want] = GetParam();
    for (std::size_t cut = 0; cut <= in.size(); ++cut) {
        ChunkList output;
        DotStuffing stage(output);
        ASSERT_TRUE(stage.write(Chunk::copy_of(in.substr(0, cut))));
        ASSERT_TRUE(stage.write(Chunk::copy_of(in.substr(cut))));
        ASSERT_TRUE(stage.finish());
        EXPECT_EQ(output.to_string(), want) << "cut after byte " << cut;
    }
    ChunkList output;
    DotStuffing stage(output);
    for (const char byte : in) ASSERT_TRUE(stage.write(Chunk::copy_of(std::string_view(&byte, 1))));
    ASSERT_TRUE(stage.finish());
    EXPECT_EQ(output.to_string(), want) << "byte by byte";
}

const Case cases[] = {
    {"Empty", "", ".\r\n"},
    {"Plain", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n.\r\n"},
    {"NoLineEnd", "a\r\n\r\nb", "a\r\n\r\nb\r\n.\r\n"},
    {"EndsInCr", "a\r", "a\r\n.\r\n"},
    {"DotFirst", ".a\r\n", "..a\r\n.\r\n"},
    {"LoneDot", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"},
    {"TwoDots", "a\r\n..\r\n", "a\r\n...\r\n.\r\n"},
    {"DotInside", "a.b\r\n.c.\r\nd.\r\n", "a.b\r\n..c.\r\nd.\r\n.\r\n"},
    {"OnlyADot", ".", "..\r\n.\r\n"},
    {"DotLinesInARow", ".\r\n.\r\n.\r\n", "..\r\n..\r\n..\r\n.\r\n"},
};
INSTANTIATE_TEST_SUITE_P(Rows, DotStuffingTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(DotStuffing, CopiesNothing) {
    const Chunk chunk = Chunk::copy_of("one\r\n.two\r\nthree\r\n");
    ChunkList output;
    DotStuffing stage(output);
    ASSERT_TRUE(stage.write(chunk));
    ASSERT_EQ(output.count(), 3U);
    EXPECT_EQ(output.begin()->data(), chunk.data());
}

}  // namespace
}  // namespace sealgate

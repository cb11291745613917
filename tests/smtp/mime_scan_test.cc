// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_scan.h"

#include <gtest/gtest.h>

#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

struct Case {
    const char* name;
    std::string in;
    bool eight_bit = false;
    bool long_lines = false;
};

std::string xs(std::size_t count) { return std::string(count, 'x'); }

const Case cases[] = {
    // clang-format off
    {"Empty", ""},
    {"Short", "a\r\nb\r\n"},
    {"At998", xs(998) + "\r\n"},
    {"At999", xs(999) + "\r\n", false, true},
    {"At1000", xs(1000) + "\r\n", false, true},
    {"At998WithoutEnd", xs(998)},
    {"At998WithCr", xs(998) + "\r"},
    {"At999WithoutEnd", xs(999), false, true},
    {"At998BareLf", xs(998) + "\n"},
    {"At999BareLf", xs(999) + "\n", false, true},
    {"SecondAt998", "a\r\n" + xs(998) + "\r\n"},
    {"SecondAt999", "a\r\n" + xs(999) + "\r\nb", false, true},
    {"SecondAt999BareLf", "a\n" + xs(999) + "\nb", false, true},
    {"LastAt999", xs(998) + "\r\n" + xs(998) + "\r\n" + xs(999), false, true},
    {"VeryLong", xs(5000), false, true},
    {"EightBitAtEnd", xs(70) + "\xC3", true},
    {"EightBitAtBegin", "\xC3" + xs(70), true},
    // clang-format on
};

class MimeScanTest : public testing::TestWithParam<Case> {};

TEST_P(MimeScanTest, LearnsTheSameAtEveryCut) {
    const Case& row = GetParam();
    for (std::size_t cut = 0; cut <= row.in.size(); ++cut) {
        SCOPED_TRACE(cut);
        mime_test::TextSink sink;
        MimeScanStage stage(sink);
        ASSERT_TRUE(stage.write(Chunk::copy_of(row.in.substr(0, cut))));
        ASSERT_TRUE(stage.write(Chunk::copy_of(row.in.substr(cut))));
        ASSERT_TRUE(stage.finish());
        EXPECT_EQ(stage.scan().has_eight_bit(), row.eight_bit);
        EXPECT_EQ(stage.scan().has_long_lines(), row.long_lines);
        EXPECT_EQ(stage.scan().bytes(), row.in.size());
        EXPECT_EQ(sink.text, row.in);
    }
}

TEST_P(MimeScanTest, LearnsTheSameByteByByte) {
    MimeScan scan;
    for (const char& c : GetParam().in) scan.feed(as_bytes(std::string_view(&c, 1)));
    EXPECT_EQ(scan.has_eight_bit(), GetParam().eight_bit);
    EXPECT_EQ(scan.has_long_lines(), GetParam().long_lines);
}

INSTANTIATE_TEST_SUITE_P(Rows, MimeScanTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(MimeScan, FindsOneEightBitByteAnywhereInABlock) {
    for (std::size_t at = 0; at < 200; ++at) {
        std::string text = xs(200);
        text[at] = '\x80';
        MimeScan scan;
        scan.feed(as_bytes(text));
        EXPECT_TRUE(scan.has_eight_bit()) << at;
    }
}

}  // namespace
}  // namespace sealgate

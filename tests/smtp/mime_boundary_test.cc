// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_boundary.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace sealgate {
namespace {

using Answer = DelimiterScanner::Answer;

struct Case {
    const char* name;
    std::string line;  // without its line end
    Delimiter want;
    const char* boundary = "b 1";
};

const Case cases[] = {
    // clang-format off
    {"Next", "--b 1", Delimiter::next},
    {"Close", "--b 1--", Delimiter::close},
    {"NextPadded", "--b 1 \t", Delimiter::next},
    {"ClosePadded", "--b 1-- \t ", Delimiter::close},
    {"MostPadding", "--b 1" + std::string(limits::line_bytes_max, ' '), Delimiter::next},
    {"BoundaryOfDashes", "------", Delimiter::close, "--"},
    {"NextOfDashes", "----", Delimiter::next, "--"},
    {"Empty", "", Delimiter::none},
    {"OneDash", "-", Delimiter::none},
    {"TwoDashes", "--", Delimiter::none},
    {"Prefix", "--b ", Delimiter::none},
    {"Longer", "--b 12", Delimiter::none},
    {"LongerWithDash", "--b 1-2", Delimiter::none},
    {"OneClosingDash", "--b 1-", Delimiter::none},
    {"ThreeClosingDashes", "--b 1---", Delimiter::none},
    {"TextBehindClose", "--b 1--x", Delimiter::none},
    {"TextBehindPadding", "--b 1 x", Delimiter::none},
    {"DashesBehindPadding", "--b 1 --", Delimiter::none},
    {"OtherCase", "--B 1", Delimiter::none},
    {"SpaceFirst", " --b 1", Delimiter::none},
    {"SpaceBehindDashes", "-- b 1", Delimiter::none},
    {"OtherWhiteSpace", "--b 1\f", Delimiter::none},
    {"Nul", std::string("--b 1\0", 6), Delimiter::none},
    // clang-format on
};

class DelimiterTest : public testing::TestWithParam<Case> {};

Answer scan(DelimiterScanner& scanner, std::string_view line) {
    for (const char c : line) {
        const Answer answer = scanner.step(static_cast<std::uint8_t>(c));
        if (answer != Answer::unknown) return answer;
    }
    return Answer::unknown;
}

TEST_P(DelimiterTest, IsMatchedWholeAndByteByByte) {
    const auto& [name, line, want, boundary] = GetParam();
    EXPECT_EQ(match_delimiter(line, boundary), want);
    DelimiterScanner scanner(boundary);
    const Answer answer = want == Delimiter::next    ? Answer::next
                          : want == Delimiter::close ? Answer::close
                                                     : Answer::no;
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(scan(scanner, line + "\r\n"), answer);
        scanner.restart();
    }
    if (want == Delimiter::none) return;
    EXPECT_EQ(scan(scanner, line), Answer::unknown);
    EXPECT_EQ(scanner.at_end(), answer);
    for (std::size_t bytes = 0; bytes <= line.size(); ++bytes)
        EXPECT_TRUE(scanner.may_begin(line.substr(0, bytes)));
}

INSTANTIATE_TEST_SUITE_P(Rows, DelimiterTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(DelimiterScanner, WantsCrAndLf) {
    for (const char* line : {"--b\n", "--b\rx", "--b\r\r\n", "--b--\n", "--b \n"}) {
        DelimiterScanner scanner("b");
        EXPECT_EQ(scan(scanner, line), Answer::no) << line;
    }
}

TEST(DelimiterScanner, TakesPaddingToItsLimit) {
    DelimiterScanner scanner("b");
    EXPECT_EQ(scan(scanner, "--b" + std::string(limits::line_bytes_max + 1, ' ')), Answer::no);
}

TEST(DelimiterScanner, KnowsSoonWhatCannotBegin) {
    const DelimiterScanner scanner("abc");
    for (const char* line : {"", "-", "--", "--a", "--abc", "--abcd"})
        EXPECT_TRUE(scanner.may_begin(line)) << line;
    for (const char* line : {"x", "-x", "--b", "--abd", "\r\n", "- --abc"})
        EXPECT_FALSE(scanner.may_begin(line)) << line;
}

TEST(DelimiterScanner, SaysAtTheEndWhatAnUnfinishedLineWas) {
    const struct {
        const char* line;
        Answer want;
    } rows[] = {{"", Answer::no},        {"-", Answer::no},         {"--", Answer::no},
                {"--a", Answer::no},     {"--ab", Answer::next},    {"--ab-", Answer::no},
                {"--ab ", Answer::next}, {"--ab--", Answer::close}, {"--ab--\r", Answer::close}};
    for (const auto& [line, want] : rows) {
        DelimiterScanner scanner("ab");
        EXPECT_EQ(scan(scanner, line), Answer::unknown);
        EXPECT_EQ(scanner.at_end(), want) << line;
    }
}

TEST(BoundaryOf, IsWhatTheTypeNamesWithinItsLimit) {
    const auto boundary = [](const std::string& parameters) {
        return boundary_of(parse_content_type("multipart/mixed; " + parameters));
    };
    EXPECT_EQ(boundary("boundary=\"a b\""), "a b");
    EXPECT_EQ(boundary("boundary=\"a b \t\""), "a b");
    EXPECT_EQ(boundary("boundary=\"\""), "");
    EXPECT_EQ(boundary("boundary=\"  \""), "");
    EXPECT_EQ(boundary("x=y"), "");
    const std::string longest(limits::boundary_bytes_max, 'x');
    EXPECT_EQ(boundary("boundary=" + longest), longest);
    EXPECT_EQ(boundary("boundary=" + longest + "x"), "");
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/data_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sealgate {
namespace {

struct Outcome {
    std::string content;
    bool ended = false;
    bool bare = false;
    std::string rest;  // behind the end of data
};

void feed(DataReader& reader, std::string_view in, Outcome& outcome) {
    while (!in.empty() && !reader.ended()) {
        const DataReader::Run run = reader.next(as_bytes(in));
        ASSERT_GT(run.consumed, 0u);
        ASSERT_LE(run.content_begin, run.content_end);
        ASSERT_LE(run.content_end, run.consumed);
        outcome.content += in.substr(run.content_begin, run.content_end - run.content_begin);
        in.remove_prefix(run.consumed);
    }
    outcome.rest += in;
    outcome.ended = reader.ended();
    outcome.bare = reader.has_bare_line_end();
}

Outcome read_in_pieces(std::string_view in, std::vector<std::size_t> cuts) {
    DataReader reader;
    Outcome outcome;
    std::size_t from = 0;
    cuts.push_back(in.size());
    for (const std::size_t to : cuts) {
        feed(reader, in.substr(from, to - from), outcome);
        from = to;
    }
    return outcome;
}

struct Case {
    const char* name;
    std::string in;
    Outcome want;
};

class DataReaderRows : public testing::TestWithParam<Case> {};

TEST_P(DataReaderRows, ReadTheSameHoweverTheInputIsCut) {
    const auto& [name, in, want] = GetParam();
    std::vector<std::vector<std::size_t>> all_cuts;
    for (std::size_t a = 0; a <= in.size(); ++a) {
        for (std::size_t b = a; b <= in.size(); ++b) all_cuts.push_back({a, b});
    }
    all_cuts.emplace_back();
    for (std::size_t i = 1; i < in.size(); ++i) all_cuts.back().push_back(i);
    for (const auto& cuts : all_cuts) {
        const Outcome got = read_in_pieces(in, cuts);
        ASSERT_EQ(got.ended, want.ended) << name;
        ASSERT_EQ(got.bare, want.bare) << name;
        ASSERT_EQ(got.rest, want.rest) << name;
        if (!want.bare) {
            ASSERT_EQ(got.content, want.content) << name;
        }
    }
}

const std::string end = "\r\n.\r\n";

INSTANTIATE_TEST_SUITE_P(
    Lines, DataReaderRows,
    testing::Values(Case{"Empty", ".\r\n", {"", true, false, ""}},
                    Case{"OneLine", "a\r\n.\r\n", {"a\r\n", true, false, ""}},
                    Case{"BlankLine", "\r\n.\r\n", {"\r\n", true, false, ""}},
                    Case{"Unstuffed",
                         "..\r\n..a\r\n.b\r\n...\r\n.\r\n",
                         {".\r\n.a\r\nb\r\n..\r\n", true, false, ""}},
                    Case{"DotsInside", "a.\r\nb.c\r\n.\r\n", {"a.\r\nb.c\r\n", true, false, ""}},
                    Case{
                        "CommandsBehind", "a\r\n.\r\nQUIT\r\n", {"a\r\n", true, false, "QUIT\r\n"}},
                    Case{"SecondMessageBehind", "a\r\n.\r\n.\r\n", {"a\r\n", true, false, ".\r\n"}},
                    Case{"NotEnded", "a\r\n.", {"a\r\n", false, false, ""}},
                    Case{"NotEndedAfterCr", "a\r\n.\r", {"a\r\n", false, false, ""}},
                    Case{"EightBitAndNul",
                         std::string("\xff\0\x80\r\n.\r\n", 8),
                         {std::string("\xff\0\x80\r\n", 5), true, false, ""}}));

INSTANTIATE_TEST_SUITE_P(
    BareLineEnds, DataReaderRows,
    testing::Values(Case{"Lf", "a\nb" + end, {"", true, true, ""}},
                    Case{"Cr", "a\rb" + end, {"", true, true, ""}},
                    Case{"LfFirst", "\n" + end, {"", true, true, ""}},
                    Case{"CrFirst", "\r.\r\n" + end, {"", true, true, ""}},
                    Case{"CrCrLf", "a\r\r\n" + end, {"", true, true, ""}},
                    Case{"LfCr", "a\n\r" + end, {"", true, true, ""}},
                    Case{"DotLf", "a\r\n.\nb" + end, {"", true, true, ""}},
                    Case{"DotCrX", "a\r\n.\rb" + end, {"", true, true, ""}},
                    Case{"DotCrCrLf", "a\r\n.\r\r\n" + end, {"", true, true, ""}},
                    Case{"DotDotLf", "a\r\n..\nb" + end, {"", true, true, ""}},
                    Case{"CrBeforeEnd", "a\r" + end, {"", true, true, ""}},
                    Case{"LfBehindIsNotOurs", "a" + end + "\n", {"a\r\n", true, false, "\n"}}));

// Every end-of-data imitation known: it ends nothing, and what follows is content.
INSTANTIATE_TEST_SUITE_P(
    Smuggling, DataReaderRows,
    testing::Values(Case{"LfDotLf", "a\n.\nQ" + end, {"", true, true, ""}},
                    Case{"LfDotCr", "a\n.\rQ" + end, {"", true, true, ""}},
                    Case{"CrDotLf", "a\r.\nQ" + end, {"", true, true, ""}},
                    Case{"CrDotCr", "a\r.\rQ" + end, {"", true, true, ""}},
                    Case{"LfDotCrLf", "a\n.\r\nQ" + end, {"", true, true, ""}},
                    Case{"CrDotCrLf", "a\r.\r\nQ" + end, {"", true, true, ""}},
                    Case{"CrLfDotLf", "a\r\n.\nQ" + end, {"", true, true, ""}},
                    Case{"CrLfDotCr", "a\r\n.\rQ" + end, {"", true, true, ""}},
                    Case{"CrLfDotCrCrLf", "a\r\n.\r\r\nQ" + end, {"", true, true, ""}},
                    Case{"CrCrLfDotCrCrLf", "a\r\r\n.\r\r\nQ" + end, {"", true, true, ""}},
                    Case{"NulDot",
                         std::string("a\r\n\0.\r\nQ", 8) + end,
                         {std::string("a\r\n\0.\r\nQ\r\n", 10), true, false, ""}}));

}  // namespace
}  // namespace sealgate

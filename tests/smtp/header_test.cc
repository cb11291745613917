// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sealgate {
namespace {

Header parse(std::string_view text) { return Header::parse(Chunk::copy_of(text)); }

std::vector<std::string> names_of(const Header& header) {
    std::vector<std::string> names;
    for (const HeaderField& field : header.fields()) names.emplace_back(header.name(field));
    return names;
}

using Names = std::vector<std::string>;

struct Case {
    const char* name;
    std::string in;
    std::string header;  // the part of `in` that is header
    HeaderEnd end;
    Names names;
};

const Case cases[] = {
    // clang-format off
    {"Ordinary", "A: 1\r\nB: 2\r\n\r\nbody", "A: 1\r\nB: 2\r\n\r\n", HeaderEnd::blank_line, {"A", "B"}},
    {"Folded", "A: 1\r\n 2\r\n\t3\r\nB:\r\n\r\n", "A: 1\r\n 2\r\n\t3\r\nB:\r\n\r\n", HeaderEnd::blank_line, {"A", "B"}},
    {"WhiteLineContinues", "A: 1\r\n  \r\nB: 2\r\n\r\n", "A: 1\r\n  \r\nB: 2\r\n\r\n", HeaderEnd::blank_line, {"A", "B"}},
    {"NoBlankLine", "A: 1\r\nB: 2", "A: 1\r\nB: 2", HeaderEnd::end_of_message, {"A", "B"}},
    {"EndsAfterField", "A: 1\r\n", "A: 1\r\n", HeaderEnd::end_of_message, {"A"}},
    {"Empty", "", "", HeaderEnd::end_of_message, {}},
    {"OnlyBlankLine", "\r\nA: 1\r\n", "\r\n", HeaderEnd::blank_line, {}},
    {"NoColonEndsIt", "A: 1\r\nhello\r\nB: 2\r\n\r\n", "A: 1\r\n", HeaderEnd::other_line, {"A"}},
    {"WordsEndIt", "A: 1\r\nhello world: x\r\n", "A: 1\r\n", HeaderEnd::other_line, {"A"}},
    {"EmptyNameEndsIt", "A: 1\r\n: x\r\n\r\n", "A: 1\r\n", HeaderEnd::other_line, {"A"}},
    {"FirstLineContinuation", " x\r\nA: 1\r\n\r\n", "", HeaderEnd::other_line, {}},
    {"EightBitNameEndsIt", "A: 1\r\nB\xe4: 2\r\n\r\n", "A: 1\r\n", HeaderEnd::other_line, {"A"}},
    {"ControlInNameEndsIt", "A: 1\r\nB\x01: 2\r\n\r\n", "A: 1\r\n", HeaderEnd::other_line, {"A"}},
    {"BareCrAtLineBegin", "A: 1\r\n\rB: 2\r\n\r\n", "A: 1\r\n", HeaderEnd::other_line, {"A"}},
    {"EightBitAndNulInValue", std::string("A: \xe4\0\x01\r\n\r\n", 10), std::string("A: \xe4\0\x01\r\n\r\n", 10), HeaderEnd::blank_line, {"A"}},
    {"WhiteBeforeColon", "A \t: 1\r\n\r\n", "A \t: 1\r\n\r\n", HeaderEnd::blank_line, {"A"}},
    {"MboxLine", "From a@example.org Mon Jan  1\r\nA: 1\r\n\r\n", "From a@example.org Mon Jan  1\r\nA: 1\r\n\r\n", HeaderEnd::blank_line, {"", "A"}},
    {"QuotedMboxLine", ">From a@example.org\r\nA: 1\r\n\r\n", ">From a@example.org\r\nA: 1\r\n\r\n", HeaderEnd::blank_line, {"", "A"}},
    {"MboxLineLaterEndsIt", "A: 1\r\nFrom a@example.org x\r\n\r\n", "A: 1\r\n", HeaderEnd::other_line, {"A"}},
    {"MboxLineHasNoContinuation", "From a@example.org\r\n x\r\nA: 1\r\n\r\n", "From a@example.org\r\n", HeaderEnd::other_line, {""}},
    {"FromWithSpaceBeforeColon", "From : a@example.org\r\n\r\n", "From : a@example.org\r\n\r\n", HeaderEnd::blank_line, {"From"}},
    {"BareLineFeeds", "A: 1\n B\nC: 2\n\nbody", "A: 1\n B\nC: 2\n\n", HeaderEnd::blank_line, {"A", "C"}},
    {"OnlyAWord", "hello", "", HeaderEnd::other_line, {}},
    {"LongestName", std::string(997, 'n') + ": x\r\n\r\n", std::string(997, 'n') + ": x\r\n\r\n", HeaderEnd::blank_line, {std::string(997, 'n')}},
    {"TooLongName", std::string(1000, 'n') + ": x\r\n\r\n", "", HeaderEnd::other_line, {}},
    // clang-format on
};

class HeaderTest : public testing::TestWithParam<Case> {};

TEST_P(HeaderTest, FindsFieldsAndEnd) {
    const Case& row = GetParam();
    const Header header = parse(row.in);
    EXPECT_EQ(header.bytes().text(), row.header);
    EXPECT_EQ(header.ended_by(), row.end);
    EXPECT_EQ(names_of(header), row.names);
}

TEST_P(HeaderTest, CollectsTheSameAtEveryCut) {
    const Case& row = GetParam();
    for (std::size_t cut = 0; cut <= row.in.size(); ++cut) {
        SCOPED_TRACE(cut);
        HeaderCollector collector;
        std::string rest;
        for (const std::string& piece : {row.in.substr(0, cut), row.in.substr(cut)}) {
            if (collector.done()) {
                rest += piece;
                continue;
            }
            ASSERT_TRUE(collector.write(Chunk::copy_of(piece)));
        }
        ASSERT_TRUE(collector.finish());
        const Header header = collector.take_header();
        EXPECT_EQ(header.bytes().text(), row.header);
        EXPECT_EQ(names_of(header), row.names);
        EXPECT_EQ(collector.take_rest().to_string() + rest, row.in.substr(row.header.size()));
    }
}

INSTANTIATE_TEST_SUITE_P(Rows, HeaderTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(HeaderLookup, ComparesNamesWithoutCaseAndUnfoldsValues) {
    const Header header = parse(
        "Received: one\r\nSUBJECT: Hello\r\n  =?utf-8?q?w=C3=B6rld?= \r\nreceived: two\r\n"
        "Message-Id: <1@example.org>\r\n\r\n");
    EXPECT_EQ(header.count("RECEIVED"), 2u);
    EXPECT_EQ(header.value(*header.all("Received")[1]), "two");
    EXPECT_EQ(header.value_of("subject"), "Hello  =?utf-8?q?w=C3=B6rld?=");
    EXPECT_EQ(header.subject(), "Hello  w\xC3\xB6rld");
    EXPECT_EQ(header.message_id(), "<1@example.org>");
    EXPECT_EQ(header.first("X"), nullptr);
    EXPECT_EQ(header.value_of("X"), "");
    EXPECT_EQ(header.slice(*header.first("message-id")).text(), "Message-Id: <1@example.org>\r\n");
    EXPECT_FALSE(header.has_eight_bit());
    EXPECT_TRUE(parse("A: \xC3\r\n\r\n").has_eight_bit());
}

TEST(HeaderLookup, FieldsEndBeforeTheBlankLine) {
    EXPECT_EQ(parse("A: 1\r\n\r\n").fields_end(), 6u);
    EXPECT_EQ(parse("\r\n").fields_end(), 0u);
    EXPECT_EQ(parse("A: 1\r\nhello\r\n").fields_end(), 6u);
}

TEST(HeaderLookup, ContradictingTransferEncodingsAreUnknown) {
    EXPECT_EQ(parse("Content-Transfer-Encoding: 8BIT\r\n\r\n").transfer_encoding(),
              TransferEncoding::eight_bit);
    EXPECT_EQ(parse("Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
                  .transfer_encoding(),
              TransferEncoding::eight_bit);
    EXPECT_EQ(parse("Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: base64\r\n\r\n")
                  .transfer_encoding(),
              TransferEncoding::unknown);
    EXPECT_EQ(parse("\r\n").transfer_encoding(), TransferEncoding::absent);
}

TEST(HeaderCollector, DoesNotCopyAHeaderInOneChunk) {
    const Chunk chunk = Chunk::copy_of("A: 1\r\n\r\nbody");
    HeaderCollector collector;
    ASSERT_TRUE(*collector.write(chunk));
    EXPECT_EQ(collector.take_header().bytes().data(), chunk.data());
    EXPECT_EQ(collector.take_rest().begin()->data(), chunk.data() + 8);
}

TEST(HeaderCollector, RefusesAHeaderPastItsLimitWhereverItIsCut) {
    const std::string fields = "A: 12345678\r\nB: 12345678\r\n";  // 26, and 2 for the blank line
    for (const std::size_t bytes_max : {std::size_t{27}, std::size_t{28}}) {
        for (std::size_t cut = 0; cut <= fields.size(); ++cut) {
            HeaderCollector collector(bytes_max);
            ASSERT_TRUE(collector.write(Chunk::copy_of(fields.substr(0, cut))));
            const auto done = collector.write(Chunk::copy_of(fields.substr(cut) + "\r\nbody"));
            EXPECT_EQ(done.has_value(), bytes_max == 28) << cut;
            if (!done) {
                EXPECT_EQ(done.error().kind, ErrorKind::limit);
            }
        }
    }
}

TEST(HeaderCollector, StopsAnEndlessHeader) {
    HeaderCollector collector(1000);
    bool refused = false;
    for (int i = 0; i < 100 && !refused; ++i)
        refused = !collector.write(Chunk::copy_of("X: " + std::string(95, 'x') + "\r\n"));
    EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/addresses.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

using Addresses = std::vector<std::string>;

struct Case {
    const char* name;
    std::string in;
    Addresses want;
    bool malformed = false;
};

const Case cases[] = {
    // clang-format off
    {"Bare", "a@example.org", {"a@example.org"}},
    {"Angle", "A B <a@example.org>", {"a@example.org"}},
    {"AngleOnly", "<a@example.org>", {"a@example.org"}},
    {"QuotedName", "\"B, A\" <a@example.org>", {"a@example.org"}},
    {"EncodedName", "=?utf-8?q?J=C3=BCrgen?= <a@example.org>", {"a@example.org"}},
    {"NameWithDots", "J. R. Doe <a@example.org>", {"a@example.org"}},
    {"RawUtf8Name", "J\xC3\xBCrgen <a@example.org>", {"a@example.org"}},
    {"Utf8Address", "\xE7\x94\xA8@\xE4\xBE\x8B.example", {"\xE7\x94\xA8@\xE4\xBE\x8B.example"}},
    {"Comments", "(x) a (y) @ (z (nested)) example.org (w)", {"a@example.org"}},
    {"CommentWithAddress", "a@example.org (<b@example.net>)", {"a@example.org"}},
    {"CommentWithEscapes", "(\\) <b@example.net>) a@example.org", {"a@example.org"}},
    {"Folded", "A\r\n <a@example.org>\r\n", {"a@example.org"}},
    {"Two", "a@example.org, B <b@example.net>", {"a@example.org", "b@example.net"}},
    {"EmptyPlaces", ", a@example.org,, b@example.net,", {"a@example.org", "b@example.net"}},
    {"Group", "Us: a@example.org, B <b@example.net>;", {"a@example.org", "b@example.net"}},
    {"EmptyGroup", "undisclosed-recipients:;", {}},
    {"GroupAndMore", "Us: a@example.org;, c@example.com", {"a@example.org", "c@example.com"}},
    {"QuotedLocal", "\"a b\"@example.org", {"\"a b\"@example.org"}},
    {"QuotedLocalWithAt", "\"a@good.example\"@example.org", {"\"a@good.example\"@example.org"}},
    {"QuotedLocalWithQuote", "\"a\\\"b\"@example.org", {"\"a\\\"b\"@example.org"}},
    {"NeedlessQuotes", "\"a.b\"@example.org", {"a.b@example.org"}},
    {"ObsoleteLocal", "a . b @ example . org", {"a.b@example.org"}},
    {"Literal", "a@[192.0.2.1]", {"a@[192.0.2.1]"}},
    {"Route", "<@x.example,@y.example:a@example.org>", {"a@example.org"}},
    {"QuotedNameIsNoAddress", "\"a@good.example\" <b@evil.example>", {"b@evil.example"}},
    {"QuotedAngleIsNoAddress", "\"<a@good.example>\" <b@evil.example>", {"b@evil.example"}},
    {"EncodedNameIsNoAddress", "=?utf-8?q?a=40good.example_=3Ca=40good.example=3E?= <b@evil.example>", {"b@evil.example"}},
    {"UnquotedNameIsMalformed", "a@good.example <b@evil.example>", {"b@evil.example"}, true},
    {"TwoAngles", "<a@good.example> <b@evil.example>", {"a@good.example", "b@evil.example"}, true},
    {"TwoBare", "a@good.example b@evil.example", {}, true},
    {"Semicolon", "a@good.example; b@evil.example", {"a@good.example", "b@evil.example"}, true},
    {"TextBehind", "<a@example.org> x", {"a@example.org"}, true},
    {"NoEndAngle", "A <a@example.org", {"a@example.org"}, true},
    {"NoEndQuote", "\"A <a@example.org>", {}, true},
    {"NoEndComment", "a@example.org (x", {}, true},
    {"NoEndGroup", "Us: a@example.org", {"a@example.org"}, true},
    {"NestedAngles", "<<a@example.org>>", {"a@example.org"}, true},
    {"NoDomain", "a", {}, true},
    {"EmptyDomain", "a@", {}, true},
    {"EmptyLocal", "@example.org", {}, true},
    {"NullPath", "<>", {}, true},
    {"TwoAts", "a@good.example@evil.example", {}, true},
    {"TwoDots", "a..b@example.org", {}, true},
    {"DotAtEnd", "a@example.org.", {}, true},
    {"DotAtBegin", ".a@example.org", {}, true},
    {"EncodedWordAlone", "=?utf-8?q?a=40good.example?=", {}, true},
    {"NulInside", std::string("a\0@example.org", 14), {}, true},
    {"NulInQuotes", std::string("\"a\0\" <b@example.org>", 20), {}, true},
    {"Backslash", "a\\@good.example <b@evil.example>", {"b@evil.example"}, true},
    {"Empty", "", {}},
    // clang-format on
};

class AddressesTest : public testing::TestWithParam<Case> {};

TEST_P(AddressesTest, ReadsTheList) {
    const AddressList list = parse_addresses(GetParam().in);
    EXPECT_EQ(list.malformed, GetParam().malformed);
    if (!GetParam().want.empty() || !GetParam().malformed) {
        EXPECT_EQ(list.addresses, GetParam().want);
    }
}

TEST_P(AddressesTest, ReadsItsOwnOutputAgain) {
    for (const std::string& address : parse_addresses(GetParam().in).addresses) {
        const AddressList again = parse_addresses(address);
        EXPECT_FALSE(again.malformed) << address;
        EXPECT_EQ(again.addresses, Addresses{address});
    }
}

INSTANTIATE_TEST_SUITE_P(Rows, AddressesTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

std::optional<std::string> sole(std::string_view header) {
    return sole_from_address(Header::parse(Chunk::copy_of(header)));
}

TEST(SoleFromAddress, IsThereOnlyForExactlyOne) {
    EXPECT_EQ(sole("From: A <a@example.org>\r\n\r\n"), "a@example.org");
    EXPECT_EQ(sole("From : a@example.org\r\n\r\n"), "a@example.org");
    EXPECT_EQ(sole("Subject: x\r\n\r\n"), std::nullopt);
    EXPECT_EQ(sole("From:\r\n\r\n"), std::nullopt);
    EXPECT_EQ(sole("From: a@example.org, b@example.org\r\n\r\n"), std::nullopt);
    EXPECT_EQ(sole("From: a@example.org\r\nFrom: a@example.org\r\n\r\n"), std::nullopt);
    EXPECT_EQ(sole("From: a@good.example <b@evil.example>\r\n\r\n"), std::nullopt);
    EXPECT_EQ(sole("From b@evil.example\r\nFrom: a@example.org\r\n\r\n"), "a@example.org");
}

struct SoleCase {
    const char* name;
    std::string from;  // the field's value
    const char* want;  // null: there is none
};

const SoleCase sole_cases[] = {
    // clang-format off
    {"Bare", "a@good.example", "a@good.example"},
    {"Named", "A B <a@good.example>", "a@good.example"},
    {"CommentBehind", "a@good.example (A B)", "a@good.example"},
    {"CommentBefore", "(A B) <a@good.example>", "a@good.example"},
    {"Folded", "\"A B\"\r\n\t<a@good.example>", "a@good.example"},
    {"FoldedByLineFeed", "\"A B\"\n <a@good.example>", "a@good.example"},
    {"CommentsOfRfc5322", "Pete(A nice \\) chap) <pete(his account)@good.example(his host)>", "pete@good.example"},
    {"SpaceAroundAt", "a @ good.example", "a@good.example"},
    {"SpaceInsideBrackets", "A < a@good.example >", "a@good.example"},
    {"EncodedName", "=?utf-8?q?A?= <a@good.example>", "a@good.example"},
    {"QuotedLocal", "\"a b\"@good.example", "\"a b\"@good.example"},
    {"Utf8Address", "\xE7\x94\xA8@\xE4\xBE\x8B.example", "\xE7\x94\xA8@\xE4\xBE\x8B.example"},
    {"NameIsItsOwnAddress", "\"a@good.example\" <a@good.example>", "a@good.example"},
    {"NameIsItsOwnAddressInBrackets", "\"A <A@good.example>\" <a@good.example>", "a@good.example"},
    {"NameIsAnotherAddress", "\"a@good.example\" <b@evil.example>", "b@evil.example"},
    {"EncodedNameIsAnotherAddress", "=?utf-8?q?a=40good.example?= <b@evil.example>", "b@evil.example"},
    {"NameWithBrackets", "\"A <the first>\" <a@good.example>", "a@good.example"},
    {"EmptyPlaces", ", a@good.example,", "a@good.example"},
    {"Two", "a@good.example, b@evil.example", nullptr},
    {"TwoNamed", "A <a@good.example>, B <b@evil.example>", nullptr},
    {"TwoTheSame", "a@good.example, a@good.example", nullptr},
    {"GroupOfOne", "Us: a@good.example;", nullptr},
    {"GroupOfNone", "Us:;", nullptr},
    {"GroupAndOne", "Us:;, a@good.example", nullptr},
    {"NameIsAGroup", "a@good.example: b@evil.example;", nullptr},
    {"Route", "<@good.example:b@evil.example>", nullptr},
    {"RouteOfTwo", "<@good.example,@x.example:b@evil.example>", nullptr},
    {"UnquotedName", "a@good.example <b@evil.example>", nullptr},
    {"TwoBrackets", "<a@good.example> <b@evil.example>", nullptr},
    {"BracketsInName", "\"<a@good.example>\" <b@evil.example>", nullptr},
    {"OpenBracketInName", "\"<a@good.example\" <b@evil.example>", nullptr},
    {"EscapedBracketInName", "\"\\<a@good.example\\>\" <b@evil.example>", nullptr},
    {"BracketsInComment", "(<a@good.example>) b@evil.example", nullptr},
    {"BracketsInInnerComment", "(x (<a@good.example>)) <b@evil.example>", nullptr},
    {"BracketsInCommentBehind", "b@evil.example (<a@good.example>)", nullptr},
    {"CommentInDomain", "a@good.example(x).evil.example", nullptr},
    {"SpaceInDomain", "a@good.example .evil.example", nullptr},
    {"SpaceBehindDot", "a@good.example. evil.example", nullptr},
    {"FoldInDomain", "a@good.example\r\n .evil.example", nullptr},
    {"SpaceInLocal", "b. a@good.example", nullptr},
    {"CommentInLocal", "b(x).a@good.example", nullptr},
    {"LocalWithAt", "\"a@good.example\"@evil.example", nullptr},
    {"LocalWithBrackets", "\"<a>\"@evil.example", nullptr},
    {"EncodedLocal", "=?utf-8?b?YUBnb29kLmV4YW1wbGU=?=@evil.example", nullptr},
    {"EncodedLocalThenNul", "=?utf-8?b?YUBnb29kLmV4YW1wbGU=?==?utf-8?Q?=00?=@evil.example", nullptr},
    {"EncodedQuotedLocal", "\"=?utf-8?q?a?=\"@evil.example", nullptr},
    {"EncodedAll", "=?utf-8?q?a=40good.example?=", nullptr},
    {"NulInComment", std::string("a@good.example (\0)", 18), nullptr},
    {"NulInName", std::string("\"a@good.example\0\" <b@evil.example>", 34), nullptr},
    {"BareCr", "\"A\rB\" <b@evil.example>", nullptr},
    {"BareCrBetween", "A\r <b@evil.example>", nullptr},
    {"Delete", "\"A\x7f\" (\x7f) <b@evil.example>", nullptr},
    {"EscapeInComment", "(\x1b[2K) b@evil.example", nullptr},
    {"RightToLeftOverride", "\xE2\x80\xAE" "elpmaxe.doog@a@evil.example", nullptr},
    {"RightToLeftLocal", "\xE2\x80\xAE" "elpmaxe.doog\xE2\x80\xAC@evil.example", nullptr},
    {"IsolateInLocal", "a\xE2\x81\xA7@evil.example", nullptr},
    {"ZeroWidthInDomain", "a@good\xE2\x80\x8B.example", nullptr},
    {"ByteOrderMark", "\xEF\xBB\xBF" "a@good.example", nullptr},
    {"C1Control", "a\xC2\x85@good.example", nullptr},
    {"NoUtf8", "\xE4@good.example", nullptr},
    {"TrailingDot", "a@good.example.", nullptr},
    {"NoDomain", "a", nullptr},
    {"Null", "<>", nullptr},
    {"OpenComment", "a@good.example (", nullptr},
    {"OpenName", "\"A <a@good.example>", nullptr},
    {"Semicolon", "a@good.example;", nullptr},
    {"Empty", "", nullptr},
    // clang-format on
};

class SoleFromAddressRows : public testing::TestWithParam<SoleCase> {};

TEST_P(SoleFromAddressRows, GivesTheOneAddressThatEveryReaderSees) {
    const auto found = sole("From: " + GetParam().from + "\r\nSubject: x\r\n\r\n");
    EXPECT_EQ(found.value_or("none"), GetParam().want ? GetParam().want : "none");
}

INSTANTIATE_TEST_SUITE_P(Rows, SoleFromAddressRows, testing::ValuesIn(sole_cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(SoleFromAddress, TwoFieldsStayVisible) {
    const Header header =
        Header::parse(Chunk::copy_of("From: a@example.org\r\nfrom: b@example.net\r\n\r\n"));
    const SenderFields from = addresses_of(header, "From");
    EXPECT_EQ(from.field_count, 2u);
    EXPECT_EQ(from.list.addresses, (Addresses{"a@example.org", "b@example.net"}));
}

}  // namespace
}  // namespace sealgate

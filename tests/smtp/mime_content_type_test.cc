// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_content_type.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Case {
    const char* name;
    std::string in;
    std::string type;  // "type/subtype", empty when invalid
    Parameters parameters;
};

const Case cases[] = {
    // clang-format off
    {"Plain", "text/plain", "text/plain", {}},
    {"UpperCase", "TEXT/Html; CHARSET=UTF-8", "text/html", {{"charset", "UTF-8"}}},
    {"Quoted", "multipart/mixed; boundary=\"a b\\\"c\"", "multipart/mixed", {{"boundary", "a b\"c"}}},
    {"Folded", " multipart/mixed;\r\n\tboundary=\"x\"\r\n", "multipart/mixed", {{"boundary", "x"}}},
    {"FoldInsideQuotes", "a/b; n=\"x\r\n y\"", "a/b", {{"n", "x y"}}},
    {"Comments", "(a) text (b) / (c) plain (d); (e) charset (f) = (g) x (h)", "text/plain", {{"charset", "x"}}},
    {"UnquotedSpecials", "multipart/mixed; boundary=----=_Part:1/2?3", "multipart/mixed", {{"boundary", "----=_Part:1/2?3"}}},
    {"UnquotedParenthesis", "multipart/mixed; boundary=a(b)", "multipart/mixed", {{"boundary", "a(b)"}}},
    {"NoSemicolon", "text/html charset=x", "text/html", {{"charset", "x"}}},
    {"SemicolonsTooMany", "text/html;; ;charset=x;", "text/html", {{"charset", "x"}}},
    {"JunkBetween", "text/html; foo; =bar; charset=x", "text/html", {{"charset", "x"}}},
    {"NoEndQuote", "a/b; n=\"x y", "a/b", {{"n", "x y"}}},
    {"FirstOfTwoCounts", "a/b; n=1; n=2", "a/b", {{"n", "1"}}},
    {"Continuations", "a/b; n*0=\"x\"; n*1=y; m=z; n*2=\"w\"", "a/b", {{"n", "xyw"}, {"m", "z"}}},
    {"ContinuationsOutOfOrder", "a/b; n*1=y; n*0=x", "a/b", {{"n", "xy"}}},
    {"ContinuationsWithGap", "a/b; n*0=x; n*2=z", "a/b", {{"n", "x"}}},
    {"Extended", "a/b; n*=iso-8859-1'en'%E4%20x", "a/b", {{"n", "\xC3\xA4 x"}}},
    {"ExtendedContinuations", "a/b; n*0*=utf-8''%C3; n*1*=%A4; n*2=\"%20\"", "a/b", {{"n", "\xC3\xA4%20"}}},
    {"ExtendedBadHex", "a/b; n*=utf-8''%ZZ%4", "a/b", {{"n", "%ZZ%4"}}},
    {"Empty", "", "", {}},
    {"NoSubtype", "text", "", {}},
    {"EmptySubtype", "text/", "", {}},
    {"EmptyType", "/plain", "", {}},
    {"QuotedType", "\"text/plain\"", "", {}},
    // clang-format on
};

class ContentTypeTest : public testing::TestWithParam<Case> {};

TEST_P(ContentTypeTest, IsRead) {
    const ContentType type = parse_content_type(GetParam().in);
    EXPECT_EQ(type.valid() ? type.type + "/" + type.subtype : "", GetParam().type);
    EXPECT_EQ(type.parameters, GetParam().parameters);
}

TEST_P(ContentTypeTest, NeverFailsOnAPrefix) {
    for (std::size_t n = 0; n < GetParam().in.size(); ++n)
        (void)parse_content_type(GetParam().in.substr(0, n));
}

INSTANTIATE_TEST_SUITE_P(Rows, ContentTypeTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ContentType, TellsOfBoundariesThatOtherReadersReadOtherwise) {
    const struct {
        const char* parameters;
        bool doubtful;
    } rows[] = {
        {"", false},
        {"boundary=a", false},
        {"boundary=\"a\"", false},
        {"boundary=\"----=_Part:1/2?3@x, y\"", false},
        {"boundary=a; protocol=b; micalg=c", false},
        {"boundary=a; protocol=b; protocol=c", false},
        {"boundary=a (b)", false},
        {"boundary=\"a\"; x=\"; boundary=b\"", false},
        {"boundary=a; boundary=b", true},
        {"boundary=a; boundary=a", true},
        {"boundary=a; protocol=b; BOUNDARY=c", true},
        {"boundary=\"\"; boundary=b", true},
        {"boundary=a; boundary*=utf-8''b", true},
        {"boundary*=utf-8''b; boundary=a", true},
        {"boundary*0=a; boundary=b", true},
        {"boundary*0=a", true},
        {"boundary*=utf-8''a", true},
        {"boundary=a=b", true},
        {"boundary=a(b)", true},
        {"boundary=a/b", true},
        {"boundary=a@b", true},
        {"boundary=a\"b", true},
        {"boundary=a\xE4", true},
        {"boundary=\"a", true},
        {"boundary=\"a\\b\"", true},
        {"boundary=\"a(b)\"", true},
        {"boundary=\"a\r\n b\"", true},
        {"boundary=\"a\xE4\"", true},
        {"boundary=\"a\x01\"", true},
    };
    for (const auto& [parameters, doubtful] : rows)
        EXPECT_EQ(
            parse_content_type("multipart/signed; " + std::string(parameters)).boundary_doubtful,
            doubtful)
            << parameters;
}

TEST(TransferEncoding, IsReadFromItsFirstToken) {
    EXPECT_EQ(parse_transfer_encoding(" 7BIT\r\n"), TransferEncoding::seven_bit);
    EXPECT_EQ(parse_transfer_encoding("8bit (really)"), TransferEncoding::eight_bit);
    EXPECT_EQ(parse_transfer_encoding("(x) binary"), TransferEncoding::binary);
    EXPECT_EQ(parse_transfer_encoding("Quoted-Printable;"), TransferEncoding::quoted_printable);
    EXPECT_EQ(parse_transfer_encoding("\"base64\""), TransferEncoding::base64);
    EXPECT_EQ(parse_transfer_encoding("x-uuencode"), TransferEncoding::unknown);
    EXPECT_EQ(parse_transfer_encoding("8-bit"), TransferEncoding::unknown);
    EXPECT_EQ(parse_transfer_encoding("=7bit"), TransferEncoding::unknown);
    EXPECT_EQ(parse_transfer_encoding(" \r\n"), TransferEncoding::absent);
}

}  // namespace
}  // namespace sealgate

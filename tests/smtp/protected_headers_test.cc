// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/protected_headers.h"

#include <gtest/gtest.h>

#include "smtp/header_edit.h"
#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

Header parse(std::string_view text) { return Header::parse(Chunk::copy_of(text)); }

const std::string cipher = "Content-Type: text/plain; hp=\"cipher\"\r\n";
const std::string clear = "Content-Type: text/plain; hp=\"clear\"\r\n";
const std::string draft = "Content-Type: text/plain; protected-headers=\"v1\"\r\n";
const std::string bare = "Content-Type: text/plain\r\n";

struct Case {
    const char* name;
    std::string outer;
    std::string payload;
    std::string want;  // the delivered fields, without MIME's
};

const Case cases[] = {
    // clang-format off
    {"Subject", "Subject: [...]\r\n", cipher + "Subject: true\r\n", "Subject: true\r\n"},
    {"SubjectOfDraft", "Subject: ...\r\n", draft + "Subject: true\r\n", "Subject: true\r\n"},
    {"SubjectOfClear", "Subject: [list] true\r\n", clear + "Subject: true\r\n", "Subject: true\r\n"},
    {"NamesInAnyCase", "SUBJECT: [...]\r\n", cipher + "subject: true\r\n", "subject: true\r\n"},
    {"Folded", "Subject: [...]\r\n", cipher + "Subject: a\r\n\tb\r\n c\r\n", "Subject: a\r\n\tb\r\n c\r\n"},
    {"LineFeeds", "Subject: [...]\r\n", cipher + "Subject: a\n b\n", "Subject: a\r\n b\r\n"},
    {"EmptySubject", "Subject: [...]\r\n", cipher + "Subject: \r\n", "Subject: \r\n"},
    {"NoOuterSubject", "To: x\r\n", cipher + "Subject: true\r\n", "To: x\r\nSubject: true\r\n"},
    {"NoInnerSubject", "Subject: [...]\r\n", cipher + "To: x\r\n", "Subject: [...]\r\nTo: x\r\n"},
    {"SeveralOuterSubjects", "Subject: a\r\nTo: x\r\nSubject: b\r\n", cipher + "Subject: true\r\n", "Subject: true\r\nTo: x\r\n"},
    {"AllThatCome", "", cipher + "Subject: 1\r\nTo: 2\r\nCc: 3\r\nReply-To: 4\r\nFollowup-To: 5\r\nMail-Followup-To: 6\r\nDate: 7\r\nKeywords: 8\r\nComments: 9\r\nIn-Reply-To: 10\r\nReferences: 11\r\nMessage-ID: 12\r\n",
     "Subject: 1\r\nTo: 2\r\nCc: 3\r\nReply-To: 4\r\nFollowup-To: 5\r\nMail-Followup-To: 6\r\nDate: 7\r\nKeywords: 8\r\nComments: 9\r\nIn-Reply-To: 10\r\nReferences: 11\r\nMessage-ID: 12\r\n"},
    {"MessageIdStays", "Message-ID: <1>\r\n", cipher + "Message-ID: <2>\r\n", "Message-ID: <1>\r\n"},
    {"ReplyToAddedOnTheWay", "Reply-To: eve@x.example\r\nTo: a\r\nMail-Followup-To: eve\r\n", cipher + "To: a\r\n", "To: a\r\n"},
    {"ReplyToAddedOnTheWayOfClear", "Reply-To: eve@x.example\r\n", clear, ""},
    {"ReplyToNeverPromised", "Reply-To: a@x.example\r\n", draft + "Subject: x\r\n", "Reply-To: a@x.example\r\nSubject: x\r\n"},
    {"ReplyToReplaced", "Reply-To: eve@x.example\r\n", cipher + "Reply-To: a@b.example\r\n", "Reply-To: a@b.example\r\n"},
    {"ReplyToTwice", "Reply-To: eve@x.example\r\n", cipher + "Reply-To: a\r\nReply-To: b\r\n", "Reply-To: eve@x.example\r\n"},
    {"FromStays", "From: a@b.example\r\n", cipher + "From: eve@x.example\r\n", "From: a@b.example\r\n"},
    {"NoFromOutside", "", cipher + "From: eve@x.example\r\n", ""},
    {"WhatNeverComes", "", cipher + "Sender: 1\r\nReturn-Path: 2\r\nReceived: 3\r\nAuthentication-Results: 4\r\nList-Id: 5\r\nList-Unsubscribe: 6\r\nDKIM-Signature: 7\r\nResent-From: 8\r\nBcc: 9\r\nDisposition-Notification-To: 10\r\nX-Spam: 11\r\nARC-Seal: 12\r\nMIME-Version: 13\r\nHP-Outer: Subject: 14\r\n", ""},
    {"WhatStays", "Sender: 1\r\nReturn-Path: 2\r\nReceived: 3\r\nList-Id: 5\r\nX-Spam: 11\r\n", cipher + "Sender: a\r\nReturn-Path: b\r\nReceived: c\r\nList-Id: d\r\nX-Spam: e\r\n", "Sender: 1\r\nReturn-Path: 2\r\nReceived: 3\r\nList-Id: 5\r\nX-Spam: 11\r\n"},
    {"NotMarked", "Subject: [...]\r\n", bare + "Subject: true\r\n", "Subject: [...]\r\n"},
    {"NoContentType", "Subject: [...]\r\n", "Subject: true\r\n", "Subject: [...]\r\n"},
    {"MarkedOtherwise", "Subject: [...]\r\n", "Content-Type: text/plain; hp=\"other\"; protected-headers=\"v2\"\r\nSubject: true\r\n", "Subject: [...]\r\n"},
    {"MarkedInAComment", "Subject: [...]\r\n", "Content-Type: text/plain (; hp=cipher)\r\nSubject: true\r\n", "Subject: [...]\r\n"},
    {"Twice", "Subject: [...]\r\n", cipher + "Subject: a\r\nSubject: b\r\n", "Subject: [...]\r\n"},
    {"EightBit", "Subject: [...]\r\n", cipher + "Subject: \xC3\xA4\r\n", "Subject: [...]\r\n"},
    {"Nul", "Subject: [...]\r\n", cipher + std::string("Subject: a\0b\r\n", 14), "Subject: [...]\r\n"},
    {"Escape", "Subject: [...]\r\n", cipher + "Subject: \x1b[2J\r\n", "Subject: [...]\r\n"},
    {"BareCr", "Subject: [...]\r\n", cipher + "Subject: a\rBcc: b\r\n", "Subject: [...]\r\n"},
    {"CrCrLf", "Subject: [...]\r\n", cipher + "Subject: a\r\r\n", "Subject: [...]\r\n"},
    {"WhiteLine", "Subject: [...]\r\n", cipher + "Subject: a\r\n \t\r\n b\r\n", "Subject: [...]\r\n"},
    {"LongestLine", "Subject: [...]\r\n", cipher + "Subject: " + std::string(989, 'x') + "\r\n", "Subject: " + std::string(989, 'x') + "\r\n"},
    {"LineTooLong", "Subject: [...]\r\n", cipher + "Subject: " + std::string(990, 'x') + "\r\n", "Subject: [...]\r\n"},
    {"SecondLineTooLong", "Subject: [...]\r\n", cipher + "Subject: x\r\n " + std::string(998, 'x') + "\r\n", "Subject: [...]\r\n"},
    // clang-format on
};

class ProtectedHeadersTest : public testing::TestWithParam<Case> {};

TEST_P(ProtectedHeadersTest, GoWhereTheyBelong) {
    const Header outer = parse(GetParam().outer + "\r\n");
    const Header payload = parse(GetParam().payload + "\r\n");
    const ProtectedHeaders read = read_protected_headers(outer, payload);
    const std::string header =
        delivered_header(outer, parse("\r\n"), "gw.example", &read).to_string();
    EXPECT_EQ(header, GetParam().want + "MIME-Version: 1.0\r\n\r\n");
}

INSTANTIATE_TEST_SUITE_P(Rows, ProtectedHeadersTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ProtectedHeaders, AreKnownByTheirMark) {
    const auto protection = [](const std::string& parameters) {
        return header_protection(parse_content_type("text/plain; " + parameters));
    };
    EXPECT_EQ(protection("hp=cipher"), HeaderProtection::cipher);
    EXPECT_EQ(protection("HP=\"CLEAR\""), HeaderProtection::clear);
    EXPECT_EQ(protection("protected-headers=v1"), HeaderProtection::draft);
    EXPECT_EQ(protection("hp=clear; protected-headers=v1"), HeaderProtection::clear);
    EXPECT_EQ(protection("hp=x; protected-headers=v1"), HeaderProtection::draft);
    EXPECT_EQ(protection("hp=\"\""), HeaderProtection::none);
    EXPECT_EQ(protection("hp-legacy-display=1"), HeaderProtection::none);
    EXPECT_EQ(protection("charset=x"), HeaderProtection::none);
    EXPECT_EQ(header_protection(ContentType{}), HeaderProtection::none);
}

TEST(ProtectedHeaders, TellWhetherFromDiffers) {
    const struct {
        const char* name;
        std::string outer;
        std::string inner;
        bool differs;
    } rows[] = {
        {"the same", "From: a@b.example\r\n", "From: a@b.example\r\n", false},
        {"only the name inside", "From: a@b.example\r\n", "From: A B <a@b.example>\r\n", false},
        {"other case", "From: a@b.example\r\n", "From: A@B.example\r\n", false},
        {"U-label", "From: a@xn--bcher-kva.example\r\n",
         "From: a@b\xC3\xBC"
         "cher.example\r\n",
         false},
        {"both two", "From: a@b.example, c@d.example\r\n", "From: A <a@b.example>, c@d.example\r\n",
         false},
        {"none inside", "From: a@b.example\r\n", "", false},
        {"another", "From: a@b.example\r\n", "From: eve@x.example\r\n", true},
        {"another behind the same name", "From: A <a@b.example>\r\n", "From: A <a@x.example>\r\n",
         true},
        {"one more", "From: a@b.example\r\n", "From: a@b.example, c@d.example\r\n", true},
        {"one less", "From: a@b.example, c@d.example\r\n", "From: a@b.example\r\n", true},
        {"other order", "From: a@b.example, c@d.example\r\n", "From: c@d.example, a@b.example\r\n",
         true},
        {"twice inside", "From: a@b.example\r\n", "From: a@b.example\r\nFrom: a@b.example\r\n",
         true},
        {"twice outside", "From: a@b.example\r\nFrom: a@b.example\r\n", "From: a@b.example\r\n",
         true},
        {"none outside", "", "From: a@b.example\r\n", true},
        {"malformed inside", "From: a@b.example\r\n", "From: a@b.example <x@y.example>\r\n", true},
        {"malformed both", "From: a\r\n", "From: a\r\n", true},
    };
    for (const auto& [name, outer, inner, differs] : rows) {
        for (const std::string& mark : {cipher, clear, draft})
            EXPECT_EQ(read_protected_headers(parse(outer + "\r\n"), parse(mark + inner + "\r\n"))
                          .from_differs,
                      differs)
                << name;
        EXPECT_FALSE(read_protected_headers(parse(outer + "\r\n"), parse(bare + inner + "\r\n"))
                         .from_differs)
            << "what is not marked is not looked at";
    }
}

TEST(ProtectedHeaders, ShareThePayloadsBytes) {
    const Header payload = parse(cipher + "Subject: true\r\n\r\n");
    const ProtectedHeaders read = read_protected_headers(parse("\r\n"), payload);
    ASSERT_EQ(read.fields.size(), 1u);
    EXPECT_EQ(read.fields[0].field.data(), payload.bytes().data() + cipher.size());
}

// A sample of before the RFC: a multipart/signed whose first part carries the fields.
TEST(ProtectedHeaders, AreFoundInForeignMail) {
    const std::filesystem::path path =
        std::filesystem::path(SEALGATE_CORPUS_DIR) /
        "notmuch/test/corpora/protected-headers/smime-multipart-signed.eml";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no corpora";
    const std::string mail = mime_test::with_crlf(mime_test::read_file(path));
    const Header outer = parse(mail);
    const std::size_t part = mail.find("\r\n--179\r\n") + 9;
    const Header payload = parse(std::string_view(mail).substr(part));
    const ProtectedHeaders read = read_protected_headers(outer, payload);
    EXPECT_EQ(read.protection, HeaderProtection::draft);
    EXPECT_FALSE(read.from_differs);
    const Header delivered =
        parse(delivered_header(outer, payload, "gw.example", &read).to_string());
    EXPECT_EQ(delivered.value_of("Subject"), "The FooCorp contract");
    EXPECT_EQ(delivered.value_of("To"), "Bob Babbage <bob@smime.example>");
    EXPECT_EQ(delivered.content_type().subtype, "plain");
    EXPECT_EQ(delivered.count("Received"), 1u);
    EXPECT_EQ(delivered.count("Message-ID"), 1u);
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/header_edit.h"

#include <gtest/gtest.h>

#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

constexpr std::string_view host = "gw.example";

Header parse(std::string_view text) { return Header::parse(Chunk::copy_of(text)); }

TEST(SplitHeader, PutsMimeFieldsInside) {
    const Header header = parse(
        "From x\r\nFrom: a@b.example\r\nmime-version: 1.0\r\nCONTENT-type: text/plain;\r\n"
        " charset=x\r\nSubject: x\r\nContent-Foo: y\r\nContentious: z\r\n\r\nbody");
    const SplitHeader split = split_header(header);
    EXPECT_EQ(split.outside.to_string(), "From: a@b.example\r\nSubject: x\r\nContentious: z\r\n");
    EXPECT_EQ(split.inside.to_string(),
              "CONTENT-type: text/plain;\r\n charset=x\r\nContent-Foo: y\r\n\r\n");
}

// --- delivered ---------------------------------------------------------------------------------

struct Case {
    const char* name;
    std::string outer;  // fields
    std::string entity;
    std::string want;  // without the blank line
};

const std::string smime = "MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\n";
const std::string made = "MIME-Version: 1.0\r\n";
const std::string plain = "Content-Type: text/plain\r\n";

const Case cases[] = {
    // clang-format off
    {"Ordinary", "From: a@b.example\r\n" + smime + "Subject: x\r\n", plain, "From: a@b.example\r\nSubject: x\r\n" + made + plain},
    {"AllMimeFieldsGo", "Content-Class: x\r\n" + smime + "Content-Transfer-Encoding: base64\r\nCONTENT-DISPOSITION: attachment;\r\n filename=smime.p7m\r\nTo: x\r\n", plain, "To: x\r\n" + made + plain},
    {"AllMimeFieldsCome", smime, "Content-Type: text/plain;\r\n\tcharset=x\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: <1>\r\n", made + "Content-Type: text/plain;\r\n\tcharset=x\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: <1>\r\n"},
    {"OtherInnerFieldsStayInside", smime + "Subject: x\r\n", "MIME-Version: 2.0\r\nSubject: y\r\nFrom: eve@x.example\r\n" + plain + "X-Y: z\r\n", "Subject: x\r\n" + made + plain},
    {"NoInnerHeader", smime + "Subject: x\r\n", "", "Subject: x\r\n" + made},
    {"NoOuterHeader", "", plain, made + plain},
    {"ForgedGo", "Authentication-Results: gw.example; smime=pass\r\nTo: x\r\nauthentication-results: (x)\r\n \"GW.example.\" 1; smime=pass\r\n" + smime, plain, "To: x\r\n" + made + plain},
    {"OthersResultsStay", "Authentication-Results: mx.example; dkim=pass\r\n" + smime, plain, "Authentication-Results: mx.example; dkim=pass\r\n" + made + plain},
    {"HpOuterGoes", "HP-Outer: Subject: x\r\n" + smime, plain + "HP-Outer: Subject: y\r\n", made + plain},
    {"MboxLineGoes", "From a@b.example Mon\r\nTo: x\r\n" + smime, plain, "To: x\r\n" + made + plain},
    {"OrderIsKept", "Received: 1\r\nReceived: 2\r\nTo: x\r\nReceived: 3\r\n" + smime, plain, "Received: 1\r\nReceived: 2\r\nTo: x\r\nReceived: 3\r\n" + made + plain},
    {"InnerLineFeeds", smime, "Content-Type: text/plain;\n charset=x\nContent-ID: <1>\n", made + "Content-Type: text/plain;\r\n charset=x\r\nContent-ID: <1>\r\n"},
    {"InnerBareCr", smime, "Content-Type: text/plain; a=b\rBcc: x\r\n", made + "Content-Type: text/plain; a=b Bcc: x\r\n"},
    {"OuterFieldsStayAsTheyAre", "X: a\rb\r\nY: c\n d\n" + smime, plain, "X: a\rb\r\nY: c\n d\n" + made + plain},
    {"InnerCrCrLf", smime, "Content-Type: text/plain\r\r\n", made + "Content-Type: text/plain \r\n"},
    // clang-format on
};

class DeliveredHeaderTest : public testing::TestWithParam<Case> {};

TEST_P(DeliveredHeaderTest, IsMadeOfBoth) {
    const auto& [name, outer, entity, want] = GetParam();
    const ChunkList header =
        delivered_header(parse(outer + "\r\nouter body"), parse(entity + "\r\ninner body"), host);
    EXPECT_EQ(header.to_string(), want + "\r\n");
}

INSTANTIATE_TEST_SUITE_P(Rows, DeliveredHeaderTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(DeliveredHeader, EndsFieldsThatEndTheirHeaderWithoutALineEnd) {
    EXPECT_EQ(
        delivered_header(parse("Subject: x"), parse("Content-Type: text/plain"), host).to_string(),
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n");
    EXPECT_EQ(delivered_header(parse("Subject: x\r\nhello\r\n"),
                               parse("Content-Type: text/plain\r"), host)
                  .to_string(),
              "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n");
}

TEST(DeliveredHeader, CopiesNoField) {
    const Header outer = parse("Subject: x\r\n" + smime + "\r\n");
    const Header entity = parse(plain + "\r\n");
    const ChunkList header = delivered_header(outer, entity, host);
    ASSERT_EQ(header.count(), 4u);
    EXPECT_EQ(header.begin()[0].data(), outer.bytes().data());
    EXPECT_EQ(header.begin()[2].data(), entity.bytes().data());
}

TEST(DeliveredHeader, PutsInnerFieldsInTheOuterOnesPlaces) {
    const Header outer = parse(
        "To: x\r\nSUBJECT: [...]\r\nReply-To: e\r\nsubject: two\r\nDate: 1\r\n" + smime + "\r\n");
    ProtectedHeaders inside;
    inside.fields = {{"Subject", Chunk::literal("Subject: true\r\n")},
                     {"Reply-To", {}},
                     {"Keywords", Chunk::literal("Keywords: k\r\n")}};
    EXPECT_EQ(delivered_header(outer, parse(plain + "\r\n"), host, &inside).to_string(),
              "To: x\r\nSubject: true\r\nDate: 1\r\nKeywords: k\r\n" + made + plain + "\r\n");
}

// --- original ----------------------------------------------------------------------------------

TEST(OriginalHeader, LosesWhatIsForgedAndNothingElse) {
    const struct {
        const char* name;
        std::string header;
        std::string want;
    } rows[] = {
        {"nothing forged", "To: x\r\nmime-version:1.0\r\nX : \xE4\r\n\r\n",
         "To: x\r\nmime-version:1.0\r\nX : \xE4\r\n\r\n"},
        {"first", "Authentication-Results: gw.example; smime=pass\r\nTo: x\r\n\r\n",
         "To: x\r\n\r\n"},
        {"last", "To: x\r\nAuthentication-Results: gw.example;\r\n smime=pass\r\n\r\n",
         "To: x\r\n\r\n"},
        {"several",
         "Authentication-Results: gw.example; a=pass\r\nTo: x\r\n"
         "Authentication-Results: mx.example; a=pass\r\n"
         "AUTHENTICATION-RESULTS: GW.EXAMPLE; a=pass\r\nCc: y\r\n\r\n",
         "To: x\r\nAuthentication-Results: mx.example; a=pass\r\nCc: y\r\n\r\n"},
        {"only", "Authentication-Results: gw.example; smime=pass\r\n\r\n", "\r\n"},
        {"mbox", "From x\r\nTo: x\r\n\r\n", "To: x\r\n\r\n"},
        {"no blank line", "To: x\r\nAuthentication-Results: gw.example; x=pass\r\nhello\r\n",
         "To: x\r\n"},
        {"empty", "", ""},
    };
    for (const auto& [name, text, want] : rows) {
        SCOPED_TRACE(name);
        const Header header = parse(text);
        const ChunkList kept = original_header(header, host);
        EXPECT_EQ(kept.to_string(), want);
        for (const Chunk& chunk : kept) EXPECT_GE(chunk.data(), header.bytes().data());
    }
    const Header whole = parse(rows[0].header);
    EXPECT_EQ(original_header(whole, host).count(), 1u) << "in one piece";
}

TEST(RelayedHeader, IsTheHeaderWithoutMboxLines) {
    const struct {
        const char* name;
        std::string header;
        std::string want;
    } rows[] = {
        {"none", "To: x\r\nAuthentication-Results: gw.example; a=pass\r\n\r\n",
         "To: x\r\nAuthentication-Results: gw.example; a=pass\r\n\r\n"},
        {"one", "From x\r\nTo: x\r\n\r\n", "To: x\r\n\r\n"},
        {"two", "From x\r\n>From y\r\nTo: x\r\n\r\n", "To: x\r\n\r\n"},
        {"alone", "From x\r\n\r\n", "\r\n"},
        {"empty", "", ""},
    };
    for (const auto& [name, text, want] : rows) {
        SCOPED_TRACE(name);
        const Header header = parse(text);
        const Chunk kept = relayed_header(header);
        EXPECT_EQ(kept.text(), want);
        if (!want.empty()) {
            EXPECT_GE(kept.data(), header.bytes().data()) << "copied";
        }
    }
}

TEST(OriginalHeader, IsTheVeryHeaderOfForeignMail) {
    const std::filesystem::path corpora = SEALGATE_CORPUS_DIR;
    int count = 0;
    for (const char* folder : {"mime-mime4j", "mime-stalwart", "mime-mailparser"}) {
        for (const auto& path : mime_test::mails_under(corpora / folder)) {
            SCOPED_TRACE(path);
            ++count;
            const Header header = parse(mime_test::with_crlf(mime_test::read_file(path)));
            const bool mbox = !header.fields().empty() && header.name(header.fields()[0]).empty();
            if (!mbox) {
                EXPECT_EQ(original_header(header, host).to_string(), header.bytes().text());
            }
            // And what is made of it is a header to the last byte, with the fields that were there.
            const std::string text =
                delivered_header(header, parse(plain + "\r\n"), host).to_string();
            const Header made_header = parse(text);
            EXPECT_EQ(made_header.bytes().size(), text.size());
            EXPECT_EQ(made_header.ended_by(), HeaderEnd::blank_line);
            for (const char* name : {"From", "To", "Subject", "Received", "Message-ID"})
                EXPECT_EQ(made_header.count(name), header.count(name)) << name;
        }
    }
    if (count == 0) GTEST_SKIP() << "no corpora";
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/dsn.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "smtp/dsn_text.h"

namespace sealgate {
namespace {

BounceReport a_report() {
    BounceReport report;
    report.hostname = "mx.example.org";
    report.to = "a@example.com";
    report.envelope_id = "QQ+3D1";
    report.message_id = "<x@example.com>";
    report.subject = "Hello";
    report.arrived = 1'795'290'460;
    report.now = 1'795'290'520;
    report.unique = "65.6.abc";
    DsnRecipient& recipient = report.recipients.emplace_back();
    recipient.address = "b@example.net";
    recipient.original = "rfc822;B+2Bx@example.net";
    recipient.status = "5.1.1";
    recipient.explanation = "No such user";
    recipient.reply = "550 5.1.1 unknown";
    recipient.remote_host = "mx.example.net";
    report.return_ = BounceReport::Return::whole;
    report.original.append(Chunk::literal("Subject: Hello\r\n\r\nHi\r\n"));
    return report;
}

// What Python's email package reads in the report.
std::string read_by_python(const BounceReport& report) {
    const std::string path =
        testing::TempDir() + "sealgate_dsn." + std::to_string(getpid()) + ".eml";
    std::ofstream(path, std::ios::binary) << make_dsn(report).to_string();
    const std::string command =
        "python3 " SEALGATE_SOURCE_DIR "/tests/smtp/dsn_report.py < " + path + " 2>&1";
    std::string out;
    FILE* pipe = popen(command.c_str(), "r");
    char block[4096];
    for (std::size_t got; (got = fread(block, 1, sizeof block, pipe)) > 0;) out.append(block, got);
    EXPECT_EQ(pclose(pipe), 0) << out;
    std::filesystem::remove(path);
    return out;
}

#define EXPECT_HAS(text, part) \
    EXPECT_NE((text).find(part), std::string::npos) << "missing: " << (part) << "\n" << (text)

class DsnTest : public testing::Test {
protected:
    void SetUp() override {
        if (std::system("python3 -c pass") != 0) GTEST_SKIP() << "no python3";
    }
};

TEST_F(DsnTest, IsAReportThatProgramsUnderstand) {
    const std::string read = read_by_python(a_report());
    for (const char* line :
         {"From: Mail Delivery System <MAILER-DAEMON@mx.example.org>\n", "To: a@example.com\n",
          "Auto-Submitted: auto-replied\n", "Subject: Undelivered mail returned to sender\n",
          "0 Reporting-MTA: dns; mx.example.org\n", "0 Original-Envelope-Id: QQ=1\n",
          "0 Arrival-Date: Sat, 21 Nov 2026 19:47:40 +0000\n",
          "1 Original-Recipient: rfc822; B+x@example.net\n",
          "1 Final-Recipient: rfc822; b@example.net\n", "1 Action: failed\n", "1 Status: 5.1.1\n",
          "1 Remote-MTA: dns; mx.example.net\n", "1 Diagnostic-Code: smtp; 550 5.1.1 unknown\n",
          "1 Last-Attempt-Date: Sat, 21 Nov 2026 19:48:40 +0000\n",
          "<b@example.net>: No such user.", "The host mx.example.net said:",
          "original: message/rfc822 22 b'Subject: Hello\\r\\n\\r\\nHi\\r\\n'\n"}) {
        EXPECT_HAS(read, std::string(line));
    }
}

TEST_F(DsnTest, NamesEachKindByItsAction) {
    struct Case {
        DsnKind kind;
        const char* action;
    };
    for (const Case& row : {Case{DsnKind::failed, "failed"}, Case{DsnKind::expired, "failed"},
                            Case{DsnKind::delayed, "delayed"}, Case{DsnKind::relayed, "relayed"}}) {
        BounceReport report = a_report();
        report.kind = row.kind;
        report.tried_until = report.now + 3600;
        const std::string read = read_by_python(report);
        EXPECT_HAS(read, "1 Action: " + std::string(row.action) + "\n");
        EXPECT_EQ(read.find("Will-Retry-Until") != std::string::npos, row.kind == DsnKind::delayed);
    }
}

TEST_F(DsnTest, StaysSevenBitAndShortWhateverItIsGiven) {
    BounceReport report = a_report();
    report.subject =
        "Gr\xc3\xbc\xc3\x9f"
        "e \xe2\x82\xac";
    report.recipients[0].address =
        "j\xc3\xb6rg@b\xc3\xbc"
        "cher.example";
    report.recipients[0].reply = "550 5.1.1 " + std::string(3000, 'x') + " \xff\xfe caf\xc3\xa9";
    report.recipients[0].original = "utf-8;j\\x{F6}rg@x\r\nEvil: yes";
    report.envelope_id = "a+0D+0AEvil: yes";
    report.original = {};
    report.original.append(
        Chunk::copy_of("Subject: Gr\xc3\xbc\xc3\x9f"
                       "e\r\nX-Long: " +
                       std::string(3000, 'y') +
                       "\r\n\r\nB\xc3\xb6"
                       "dy\r\n"));
    const std::string read = read_by_python(report);
    EXPECT_HAS(read, "1 Final-Recipient: utf-8; j\\x{F6}rg@b\\x{FC}cher.example\n");
    EXPECT_HAS(read, std::string("Subject: Gr\xc3\xbc\xc3\x9f"
                                 "e \xe2\x82\xac"));
    EXPECT_HAS(read, std::string("original: text/rfc822-headers"));
    EXPECT_EQ(read.find("\nEvil"), std::string::npos);
    EXPECT_EQ(read.find(" Evil: yes\n0"), std::string::npos);
}

TEST_F(DsnTest, NamesOurOwnReasonWhereNoHostSpoke) {
    BounceReport report = a_report();
    report.recipients[0].reply.clear();
    report.recipients[0].reason = "sender-mismatch";
    report.recipients[0].explanation = "the sender's address is not covered";
    const std::string read = read_by_python(report);
    EXPECT_HAS(read, std::string("1 Diagnostic-Code: x-sealgate; sender-mismatch: the sender's "
                                 "address is not covered\n"));
    EXPECT_HAS(read, std::string("the sender's address is not covered (sender-mismatch)."));
}

TEST_F(DsnTest, BringsAnEightBitOriginalInSevenBits) {
    BounceReport report = a_report();
    report.original = {};
    report.original.append(
        Chunk::literal("Subject: Hello\r\nMIME-Version: 1.0\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: 8bit\r\n\r\n"
                       "Gr\xc3\xbc\xc3\x9f"
                       "e\r\n"));
    EXPECT_HAS(read_by_python(report), std::string("original: message/rfc822 "));
    EXPECT_HAS(make_dsn(report).to_string(), std::string("Gr=C3=BC=C3=9Fe"));
}

TEST_F(DsnTest, BringsTheHeaderAloneWhenAsked) {
    BounceReport report = a_report();
    report.return_ = BounceReport::Return::headers;
    EXPECT_HAS(read_by_python(report), std::string("original: text/rfc822-headers 18 "));
    report.return_ = BounceReport::Return::nothing;
    EXPECT_EQ(read_by_python(report).find("original:"), std::string::npos);
    report = a_report();
    report.return_ = BounceReport::Return::headers;
    report.original = {};
    std::string large;
    while (large.size() < 2 * dsn_header_bytes_max) large += "X-Field: value\r\n";
    report.original.append(Chunk::copy_of(std::string_view(large)));
    EXPECT_LT(make_dsn(report).bytes(), dsn_header_bytes_max + 4096);
    read_by_python(report);
}

TEST(Dsn, ChoosesWhatComesBack) {
    using Return = BounceReport::Return;
    struct Case {
        DsnKind kind;
        Envelope::Return wanted;
        std::uint64_t bytes;
        Return want;
    };
    for (const Case& row :
         {Case{DsnKind::failed, Envelope::Return::full, 50 * 1024, Return::whole},
          Case{DsnKind::failed, Envelope::Return::full, 50 * 1024 + 1, Return::headers},
          Case{DsnKind::failed, Envelope::Return::headers, 10, Return::headers},
          Case{DsnKind::failed, Envelope::Return::not_given, 10, Return::whole},
          Case{DsnKind::expired, Envelope::Return::full, 10, Return::whole},
          Case{DsnKind::delayed, Envelope::Return::full, 10, Return::headers},
          Case{DsnKind::relayed, Envelope::Return::full, 10, Return::headers}}) {
        EXPECT_EQ(what_to_return(row.kind, row.wanted, row.bytes), row.want);
    }
}

TEST(DsnText, DecodesXtextAndOnlyThat) {
    struct Case {
        const char* in;
        const char* want;
    };
    for (const Case& row : {Case{"a+2Bb", "a+b"}, Case{"plain", "plain"}, Case{"+3D", "="},
                            Case{"+", "+"}, Case{"+3", "+3"}, Case{"+zz", "+zz"},
                            Case{"+2b", "+2b"}, Case{"x+0D+0A", "x??"}, Case{"", ""}}) {
        EXPECT_EQ(decode_xtext(row.in), row.want) << row.in;
    }
}

TEST(DsnText, FoldsFieldsAtSpaces) {
    EXPECT_EQ(folded_field("A", "b  c"), "A: b c\r\n");
    const std::string word(50, 'w');
    EXPECT_EQ(folded_field("Name", word + " " + word), "Name: " + word + "\r\n " + word + "\r\n");
    EXPECT_LT(folded_field("Name", std::string(5000, 'w')).size(), 998U);
}

TEST(DsnText, QuotesWhatIsNotSevenBit) {
    EXPECT_EQ(quoted_printable("Gr\xc3\xbc\xc3\x9f"
                               "e=\r\n.x\r\nFrom \r\n"),
              "Gr=C3=BC=C3=9Fe=3D\r\n=2Ex\r\n=46rom=20\r\n");
    for (const std::size_t size : {74U, 75U, 76U, 77U, 152U, 1000U}) {
        const std::string quoted = quoted_printable(std::string(size, 'x') + "\r\n");
        std::size_t longest = 0;
        for (std::size_t at = 0; at < quoted.size();) {
            const std::size_t end = quoted.find("\r\n", at);
            longest = std::max(longest, end - at);
            at = end + 2;
        }
        EXPECT_LE(longest, 76U) << size;
    }
}

TEST(DsnText, WritesAddressesWithTheirType) {
    EXPECT_EQ(typed_address("b@example.net"), "rfc822; b@example.net");
    EXPECT_EQ(typed_address("\xf0\x9f\x98\x80+\\@x"), "utf-8; \\x{1F600}\\x{2B}\\x{5C}@x");
    EXPECT_EQ(typed_address("\xff\xc3@x"), "utf-8; \\x{FFFD}\\x{FFFD}@x");
}

}  // namespace
}  // namespace sealgate

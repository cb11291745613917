// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/smime_part_scan.h"

#include <gtest/gtest.h>

#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

using namespace mime_test;

bool finds(std::string_view type, std::string_view body, const std::vector<std::size_t>& cuts) {
    SmimePartScan scan(parse_content_type(type));
    std::size_t from = 0;
    for (const std::size_t cut : cuts) {
        if (cut <= from || cut >= body.size()) continue;
        scan.feed(as_bytes(body.substr(from, cut - from)));
        from = cut;
    }
    scan.feed(as_bytes(body.substr(from)));
    EXPECT_TRUE(!scan.found() || scan.done());
    return scan.found();
}

struct Case {
    const char* name;
    std::string type;
    std::string body;
    bool want;
};

const std::string mixed = "multipart/mixed; boundary=m";
const std::string p7m =
    "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nMII=\r\n";
const std::string is_signed =
    "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\r\n\r\n"
    "--s\r\n\r\ntext\r\n--s\r\nContent-Type: application/pkcs7-signature\r\n\r\nMII=\r\n--s--\r\n";
const std::string text = "Content-Type: text/plain\r\n\r\ntext\r\n";

std::string parts(std::string_view boundary, std::initializer_list<std::string> bodies) {
    std::string body;
    for (const std::string& part : bodies) body += "--" + std::string(boundary) + "\r\n" + part;
    return body + "--" + std::string(boundary) + "--\r\n";
}

// `part`, this many multiparts deep.
std::string nested(int depth, std::string part) {
    for (int i = 0; i < depth; ++i) {
        const std::string boundary = "n" + std::to_string(i);
        part = "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n" +
               parts(boundary, {part});
    }
    return part;
}

std::string line_feeds(std::string_view in) {
    std::string out;
    for (const char c : in)
        if (c != '\r') out.push_back(c);
    return out;
}

const Case cases[] = {
    // clang-format off
    {"Pkcs7Mime", mixed, parts("m", {text, p7m}), true},
    {"Signed", mixed, parts("m", {text, is_signed}), true},
    {"First", mixed, parts("m", {p7m, text}), true},
    {"OctetStreamNamed", mixed, parts("m", {"Content-Type: application/octet-stream\r\nContent-Disposition: attachment;\r\n filename=smime.p7m\r\n\r\nMII=\r\n"}), true},
    {"AmongOtherFields", mixed, parts("m", {"X: 1\r\n Content-Type: text/plain\r\nCONTENT-TYPE: application/pkcs7-mime\r\nContent-ID: <1>\r\n\r\nMII=\r\n"}), true},
    {"LineFeeds", mixed, line_feeds(parts("m", {text, is_signed})), true},
    {"Preamble", mixed, "preamble\r\n" + parts("m", {p7m}), true},
    {"Unclosed", mixed, "--m\r\n" + p7m, true},
    {"InsideMultiparts", mixed, parts("m", {nested(5, p7m)}), true},
    {"BehindAnInnerMultipart", mixed, parts("m", {nested(2, text), p7m}), true},
    {"BehindAnUnclosedMultipart", mixed, "--m\r\nContent-Type: multipart/mixed; boundary=n\r\n\r\n--n\r\n" + text + "--m\r\n" + p7m + "--m--\r\n", true},
    {"InAttachedMessage", mixed, parts("m", {"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n" + p7m}), true},
    {"InAttachedMessagesPart", mixed, parts("m", {"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n" + nested(1, is_signed)}), true},
    {"InDigest", "multipart/digest; boundary=m", parts("m", {"\r\nSubject: x\r\n" + p7m}), true},
    {"MessageIsTheRoot", "message/rfc822", "Subject: x\r\n" + p7m, true},
    {"BehindAttachedMessage", mixed, parts("m", {"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ntext\r\n", p7m}), true},
    {"InPgpSigned", "multipart/signed; protocol=\"application/pgp-signature\"; boundary=m", parts("m", {p7m}), true},
    {"AtTheDeepestLevel", mixed, parts("m", {nested(limits::mime_depth_max - 1, p7m)}), true},
    {"BelowTheDeepestLevel", mixed, parts("m", {nested(limits::mime_depth_max, p7m)}), false},
    {"PartEndedByBoundaryInItsHeader", mixed, "--m\r\nContent-Type: text/plain\r\n--m\r\n" + p7m + "--m--\r\n", true},
    {"LongHeaderBefore", mixed, parts("m", {"X: " + std::string(20'000, 'x') + "\r\n" + p7m}), true},
    {"HeaderTooLong", mixed, parts("m", {"X: " + std::string(40'000, 'x') + "\r\n" + p7m}), false},
    {"HeaderOfTooManyFields", mixed, parts("m", {[] { std::string h; for (int i = 0; i < 2000; ++i) h += "X-Number: 12345678\r\n"; return h; }() + p7m}), false},
    {"MessageHeaderOfManyFields", "message/rfc822", [] { std::string h; for (int i = 0; i < 2000; ++i) h += "X-Number: 12345678\r\n"; return h; }() + p7m, true},
    {"NoParts", "text/plain", parts("m", {p7m}), false},
    {"NoType", "", parts("m", {p7m}), false},
    {"NoBoundary", "multipart/mixed", parts("m", {p7m}), false},
    {"OtherBoundary", mixed, parts("n", {p7m}), false},
    {"OnlyText", mixed, parts("m", {text, nested(3, text)}), false},
    {"AloneP7s", mixed, parts("m", {text, "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nMII=\r\n"}), false},
    {"InText", mixed, parts("m", {"Content-Type: text/plain\r\n\r\n" + p7m}), false},
    {"InPreamble", mixed, p7m + parts("m", {text}), false},
    {"InEpilogue", mixed, parts("m", {text}) + "--m\r\n" + p7m, false},
    {"InInnerEpilogue", mixed, parts("m", {nested(1, text) + "--n0\r\n" + p7m}), false},
    {"InEncodedMessage", mixed, parts("m", {"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + p7m}), false},
    {"LongerBoundary", mixed, "--mm\r\n" + p7m + "--m-\r\n" + p7m + "--m\r\n" + text + "--m--\r\n", false},
    {"NotAField", mixed, parts("m", {"hello\r\n" + p7m}), false},
    {"DashesEverywhere", mixed, parts("m", {"\r\n-\r\n--\r\n---\r\n-- m\r\n" + std::string(5000, '-') + "\r\n"}), false},
    // clang-format on
};

class SmimePartScanTest : public testing::TestWithParam<Case> {};

TEST_P(SmimePartScanTest, FindsWhatLiesBelowAtEveryCut) {
    const auto& [name, type, body, want] = GetParam();
    ASSERT_EQ(finds(type, body, {}), want);
    std::vector<std::size_t> every;
    const std::size_t stride = 1 + body.size() / 2000;
    for (std::size_t cut = 1; cut < body.size(); cut += stride) {
        ASSERT_EQ(finds(type, body, {cut}), want) << "cut after byte " << cut;
        every.push_back(cut);
    }
    EXPECT_EQ(finds(type, body, every), want) << "byte by byte";
}

INSTANTIATE_TEST_SUITE_P(Rows, SmimePartScanTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(SmimePartScan, IsDoneAtOnceWithWhatHasNoParts) {
    EXPECT_TRUE(SmimePartScan(parse_content_type("text/plain")).done());
    EXPECT_TRUE(SmimePartScan(ContentType{}).done());
    EXPECT_FALSE(SmimePartScan(parse_content_type(mixed)).done());
    SmimePartScan message(parse_content_type("message/rfc822"));
    EXPECT_FALSE(message.done());
    message.feed(as_bytes("Subject: x\r\n\r\n"));
    EXPECT_TRUE(message.done());
}

TEST(SmimePartScan, TellsOfForeignMailTheSameAtAnyCut) {
    const std::filesystem::path corpora = SEALGATE_CORPUS_DIR;
    std::mt19937 random(20261122);
    int count = 0;
    for (const char* folder : {"mime-mime4j", "mime-stalwart", "mime-mailparser", "notmuch"}) {
        for (const auto& path : mails_under(corpora / folder)) {
            SCOPED_TRACE(path);
            ++count;
            const std::string mail = with_crlf(read_file(path));
            const Header header = Header::parse(Chunk::copy_of(mail));
            const HeaderField* field = header.first("Content-Type");
            const std::string type = field ? header.value(*field) : "";
            const std::string body = mail.substr(header.bytes().size());
            const bool found = finds(type, body, {});
            // Nothing is found that is not written there.
            if (found) {
                EXPECT_NE(lower_case(body).find("pkcs7"), std::string::npos);
            }
            for (int i = 0; i < 5; ++i)
                ASSERT_EQ(finds(type, body, random_cuts(body.size(), random)), found);
        }
    }
    if (count == 0) GTEST_SKIP() << "no corpora";
}

}  // namespace
}  // namespace sealgate

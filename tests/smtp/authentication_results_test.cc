// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/authentication_results.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

constexpr std::string_view host = "gw.example";

// --- writing -----------------------------------------------------------------------------------

struct Written {
    const char* name;
    std::vector<SmimeAuthResult> results;
    std::string want;  // unfolded, without the name
};

const Written written[] = {
    // clang-format off
    {"Nothing", {}, " gw.example; none"},
    {"NotSigned", {{AuthResult::none, "", "", "", ""}}, " gw.example; smime=none"},
    {"Pass", {{AuthResult::pass, "ok", "a@example.org", "0A12", "CN=CA,O=Example"}},
     " gw.example; smime=pass (ok) body.smime-identifier=a@example.org body.smime-serial=0A12 body.smime-issuer=\"CN=CA,O=Example\""},
    {"Fail", {{AuthResult::fail, "sender-mismatch", "eve@x.example", "", ""}},
     " gw.example; smime=fail (sender-mismatch) body.smime-identifier=eve@x.example"},
    {"TwoSigners", {{AuthResult::pass, "", "a@b.example", "", ""}, {AuthResult::fail, "expired", "", "", ""}},
     " gw.example; smime=pass body.smime-identifier=a@b.example; smime=fail (expired)"},
    {"SerialAloneIsLeftOut", {{AuthResult::pass, "", "", "0A12", ""}}, " gw.example; smime=pass"},
    {"IssuerAloneIsLeftOut", {{AuthResult::pass, "", "", "", "CN=CA"}}, " gw.example; smime=pass"},
    {"CommentIsClosed", {{AuthResult::fail, "a) smime=pass (b\\", "", "", ""}}, " gw.example; smime=fail (a\\) smime=pass \\(b\\\\)"},
    {"CommentIsOneLine", {{AuthResult::fail, "a\r\nX-Evil: b\xE4\tc", "", "", ""}}, " gw.example; smime=fail (a??X-Evil: b??c)"},
    {"CommentHasNoEncodedWord", {{AuthResult::fail, "=?us-ascii?q?=29?=", "", "", ""}}, " gw.example; smime=fail (=\\?us-ascii?q?=29?=)"},
    {"QuotesAreClosed", {{AuthResult::fail, "", "a\"; smime=pass x=\"\\", "", ""}},
     " gw.example; smime=fail body.smime-identifier=\"a\\\"; smime=pass x=\\\"\\\\\""},
    {"ValueIsOneLine", {{AuthResult::fail, "", "a@b.example\r\n\r\nbody", "", ""}}, " gw.example; smime=fail body.smime-identifier=\"a@b.example\\\\0D\\\\0A\\\\0D\\\\0Abody\""},
    {"ValueHasNoNul", {{AuthResult::fail, "", std::string("a\0b", 3), "", ""}}, " gw.example; smime=fail body.smime-identifier=\"a\\\\00b\""},
    {"Utf8", {{AuthResult::pass, "", "\xC3\xA4@b.example", "", ""}}, " gw.example; smime=pass body.smime-identifier=\"\\\\C3\\\\A4@b.example\""},
    {"QuotedLocal", {{AuthResult::pass, "", "\"a b\"@b.example", "", ""}}, " gw.example; smime=pass body.smime-identifier=\"\\\"a b\\\"@b.example\""},
    {"Semicolon", {{AuthResult::pass, "", "a;b@b.example", "", ""}}, " gw.example; smime=pass body.smime-identifier=\"a;b@b.example\""},
    {"Parenthesis", {{AuthResult::pass, "", "a(b@b.example", "", ""}}, " gw.example; smime=pass body.smime-identifier=\"a(b@b.example\""},
    {"TwoAts", {{AuthResult::pass, "", "a@b@c.example", "", ""}}, " gw.example; smime=pass body.smime-identifier=\"a@b@c.example\""},
    {"TwoDots", {{AuthResult::pass, "", "a..b@c.example", "", ""}}, " gw.example; smime=pass body.smime-identifier=\"a..b@c.example\""},
    {"Specials", {{AuthResult::pass, "", "a+b=c/d?e@c.example", "", ""}}, " gw.example; smime=pass body.smime-identifier=a+b=c/d?e@c.example"},
    {"EncodedWordInAddress", {{AuthResult::pass, "", "=?q?a?=@c.example", "", ""}}, " gw.example; smime=pass body.smime-identifier=\"=\\?q?a?=@c.example\""},
    {"EmptyAroundAt", {{AuthResult::pass, "", "@", "", ""}}, " gw.example; smime=pass body.smime-identifier=\"@\""},
    {"Name", {{AuthResult::pass, "", "domain.example", "", ""}}, " gw.example; smime=pass body.smime-identifier=domain.example"},
    {"IssuerWithQuotes", {{AuthResult::pass, "", "", "1", "CN=\"A\\, B\""}}, " gw.example; smime=pass body.smime-serial=1 body.smime-issuer=\"CN=\\\"A\\\\, B\\\"\""},
    {"LongIdentifierIsLeftOut", {{AuthResult::pass, "", std::string(800, 'a') + "@b.example", "", ""}}, " gw.example; smime=pass"},
    {"LongIssuerTakesTheSerialAlong", {{AuthResult::pass, "", "", "1", "CN=" + std::string(800, 'a')}}, " gw.example; smime=pass"},
    {"LongBecauseOfEscapes", {{AuthResult::pass, "", "", "1", std::string(300, '\xE4')}}, " gw.example; smime=pass"},
    // clang-format on
};

class AuthenticationResultsTest : public testing::TestWithParam<Written> {};

TEST_P(AuthenticationResultsTest, WritesWhatCannotBeMistaken) {
    const std::string field = make_authentication_results(host, GetParam().results);
    const Header header = Header::parse(Chunk::copy_of(field + "Subject: x\r\n\r\n"));
    ASSERT_EQ(header.fields().size(), 2u) << "one field it is";
    EXPECT_EQ(" " + header.value(header.fields()[0]), GetParam().want);
    EXPECT_TRUE(bears_authserv_id(header, header.fields()[0], host));
    for (const char c : field) EXPECT_TRUE((c >= ' ' && c < 0x7f) || c == '\r' || c == '\n');
}

INSTANTIATE_TEST_SUITE_P(Rows, AuthenticationResultsTest, testing::ValuesIn(written),
                         [](const auto& row) { return std::string(row.param.name); });

std::vector<std::string> lines_of(const std::string& field) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < field.size();) {
        const std::size_t end = field.find("\r\n", at);
        lines.push_back(field.substr(at, end - at));
        at = end + 2;
    }
    return lines;
}

TEST(AuthenticationResults, IsFoldedBetweenItsParts) {
    EXPECT_EQ(make_authentication_results(
                  host, {{AuthResult::pass, "ok", "a@example.org", "0A12", "CN=CA,O=Example"}}),
              "Authentication-Results: gw.example; smime=pass (ok)\r\n"
              " body.smime-identifier=a@example.org body.smime-serial=0A12\r\n"
              " body.smime-issuer=\"CN=CA,O=Example\"\r\n");
}

TEST(AuthenticationResults, FoldsLongValuesAtTheirSpaces) {
    std::string issuer = "CN=Some Authority";
    for (int i = 0; i < 20; ++i) issuer += ",OU=Department  number " + std::to_string(i);
    const std::string field = make_authentication_results(
        host, {{AuthResult::pass, "some comment of many words, and more of them, and yet more",
                "a.rather.long.name@a.rather.long.domain.example", "0123456789ABCDEF", issuer}});
    std::string unfolded;
    for (const std::string& line : lines_of(field)) {
        EXPECT_LE(line.size(), 78u) << line;
        EXPECT_NE(line.find_first_not_of(' '), std::string::npos);
        unfolded += line;
    }
    EXPECT_NE(unfolded.find("body.smime-issuer=\"" + issuer + "\""), std::string::npos) << field;
    EXPECT_NE(unfolded.find("(some comment of many words, and more of them, and yet more)"),
              std::string::npos);
}

TEST(AuthenticationResults, NeverHasALineOver998) {
    for (const std::size_t size : {400u, 795u, 800u, 801u, 5000u}) {
        for (const char* text : {"a", "\xE4", "\"", " ", "(", "a ", "  a"}) {
            std::string value;
            while (value.size() < size) value += text;
            for (const std::string& line : lines_of(make_authentication_results(
                     host, {{AuthResult::fail, value, value, value, value}}))) {
                EXPECT_LE(line.size(), 998u);
                EXPECT_NE(line.find_first_not_of(' '), std::string::npos) << "a blank line";
            }
        }
    }
}

TEST(AuthResultOf, SaysForEachReasonWhatRfc7281CallsIt) {
    const struct {
        Reason reason;
        const char* word;
    } rows[] = {
        {Reason::ok, "pass"},
        {Reason::bad_signature, "fail"},
        {Reason::bad_digest, "fail"},
        {Reason::sender_mismatch, "fail"},
        {Reason::untrusted, "fail"},
        {Reason::expired, "fail"},
        {Reason::not_yet_valid, "fail"},
        {Reason::revoked, "fail"},
        {Reason::bad_key_usage, "fail"},
        {Reason::weak_digest, "policy"},
        {Reason::weak_key, "policy"},
        {Reason::revocation_unknown, "temperror"},
        {Reason::malformed, "neutral"},
        {Reason::unsupported_algorithm, "neutral"},
        {Reason::no_signer, "neutral"},
        {Reason::no_certificate, "neutral"},
        {Reason::limit, "neutral"},
        {Reason::too_many_layers, "neutral"},
        {Reason::no_key, "permerror"},
        {Reason::no_recipient_info, "permerror"},
        {Reason::decrypt_failed, "permerror"},
    };
    EXPECT_EQ(std::size(rows), std::size_t{reason_count});
    for (const auto& [reason, word] : rows)
        EXPECT_STREQ(to_word(auth_result_of(reason)), word) << to_word(reason);
    EXPECT_STREQ(to_word(AuthResult::none), "none");
}

// --- reading -----------------------------------------------------------------------------------

struct Forged {
    const char* name;
    std::string field;
    bool ours;
    const char* hostname = "gw.example";
};

const Forged forged[] = {
    // clang-format off
    {"Plain", "Authentication-Results: gw.example; smime=pass", true},
    {"NameCase", "AUTHENTICATION-results: gw.example; smime=pass", true},
    {"SpaceBeforeColon", "Authentication-Results : gw.example; smime=pass", true},
    {"IdCase", "Authentication-Results: GW.Example; smime=pass", true},
    {"HostnameCase", "Authentication-Results: gw.example; smime=pass", true, "Gw.EXAMPLE"},
    {"NoSpace", "Authentication-Results:gw.example;smime=pass", true},
    {"Version", "Authentication-Results: gw.example 1; smime=pass", true},
    {"VersionBehindSlash", "Authentication-Results: gw.example/1; smime=pass", true},
    {"Comments", "Authentication-Results: (a (b) \\) c) gw.example (d); smime=pass", true},
    {"CommentRightBehind", "Authentication-Results: gw.example(d); smime=pass", true},
    {"Quoted", "Authentication-Results: \"gw.example\"; smime=pass", true},
    {"QuotedWithEscapes", "Authentication-Results: \"\\gw\\.example\"; smime=pass", true},
    {"QuotedWithSpaces", "Authentication-Results: \" gw.example \"; smime=pass", true},
    {"QuotedAndFolded", "Authentication-Results: \"gw.\r\n example\"; smime=pass", true},
    {"QuotedWithoutEnd", "Authentication-Results: \"gw.example", true},
    {"Folded", "Authentication-Results:\r\n\tgw.example;\r\n smime=pass", true},
    {"FinalDot", "Authentication-Results: gw.example.; smime=pass", true},
    {"NothingBehind", "Authentication-Results: gw.example", true},
    {"NoSemicolon", "Authentication-Results: gw.example smime=pass", true},
    {"Equals", "Authentication-Results: gw.example=x; smime=pass", true},
    {"ControlsBefore", "Authentication-Results: \x01\x7fgw.example; smime=pass", true},
    {"NulBehind", std::string("Authentication-Results: gw.example\0; smime=pass", 47), true},
    {"ULabel", "Authentication-Results: gw.b\xC3\xBC" "cher.example; smime=pass", true, "gw.xn--bcher-kva.example"},
    {"ALabel", "Authentication-Results: gw.XN--bcher-kva.example; smime=pass", true, "gw.b\xC3\xBC" "cher.example"},
    {"FullWidth", "Authentication-Results: \xEF\xBD\x87w.example; smime=pass", true},
    {"EncodedWord", "Authentication-Results: =?us-ascii?q?gw.example?=; smime=pass", true},
    {"OpenComment", "Authentication-Results: (x gw.example; smime=pass", true},
    {"OtherHost", "Authentication-Results: mx.example; smime=pass", false},
    {"HostBelow", "Authentication-Results: a.gw.example; smime=pass", false},
    {"HostAbove", "Authentication-Results: example; smime=pass", false},
    {"Longer", "Authentication-Results: gw.example.org; smime=pass", false},
    {"LongerLabel", "Authentication-Results: gw.examples; smime=pass", false},
    {"Suffix", "Authentication-Results: xgw.example; smime=pass", false},
    {"InAComment", "Authentication-Results: (gw.example) mx.example; smime=pass", false},
    {"Second", "Authentication-Results: mx.example gw.example; smime=pass", false},
    {"InAResult", "Authentication-Results: mx.example; dkim=pass header.d=gw.example", false},
    {"NoId", "Authentication-Results: ; smime=pass", false},
    {"Empty", "Authentication-Results:", false},
    {"OpenCommentOfOthers", "Authentication-Results: (x mx.example; smime=pass", false},
    {"OtherField", "X-Authentication-Results: gw.example; smime=pass", false},
    {"Arc", "ARC-Authentication-Results: i=1; gw.example; smime=pass", false},
    {"Received", "Received: gw.example", false},
    // clang-format on
};

class BearsAuthservIdTest : public testing::TestWithParam<Forged> {};

TEST_P(BearsAuthservIdTest, KnowsOurName) {
    const auto& [name, text, ours, hostname] = GetParam();
    const Header header = Header::parse(Chunk::copy_of(text + "\r\n\r\n"));
    ASSERT_EQ(header.fields().size(), 1u);
    EXPECT_EQ(bears_authserv_id(header, header.fields()[0], hostname), ours);
}

INSTANTIATE_TEST_SUITE_P(Rows, BearsAuthservIdTest, testing::ValuesIn(forged),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace sealgate

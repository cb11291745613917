// SPDX-License-Identifier: GPL-3.0-or-later
// The operator's authorities from files; and the judge of trust on other people's chains.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/fetch.h"
#include "crypto/certificate_bundle.h"
#include "tests/crypto/trust_fixture.h"

namespace sealgate::test {
namespace {

using TrustAnchorsTest = TrustPath;

// --- files ---------------------------------------------------------------------------------------

TEST_F(TrustAnchorsTest, FilesThatCannotServeAreComplaintsAtTheirLine) {
    const TemporaryFolder folder;
    const std::string empty = folder.write("empty.pem", "");
    const std::string text = folder.write("text.pem", "no certificate\n");
    const std::string broken = folder.write(
        "broken.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    const std::string open = folder.write("open.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n");
    TrustOptions options;
    options.ca_files_place = {"gate.ini", 12};
    options.ca_files = {folder.path("absent.pem"), empty, text, broken, open,
                        authority().file("root")};
    Complaints complaints, warnings;
    const auto anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    ASSERT_EQ(complaints.size(), 5u);
    for (std::size_t i = 0; i < complaints.size(); ++i) {
        EXPECT_EQ(complaints[i].to_text().find("gate.ini:12: [trust:smime] ca-files: "), 0u)
            << complaints[i].to_text();
        EXPECT_NE(complaints[i].what.find(options.ca_files[i]), std::string::npos)
            << complaints[i].to_text();
    }
    EXPECT_TRUE(warnings.empty());
    EXPECT_EQ(anchors->count(), 1u);
}

TEST_F(TrustAnchorsTest, WhatIsNoAuthorityIsLeftOutWithAWarning) {
    const TemporaryFolder folder;
    TrustOptions options;
    options.ca_files_place = {"gate.ini", 12};
    options.ca_files = {authority().file("leaf"), authority().file("root")};
    Complaints complaints, warnings;
    const auto anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    EXPECT_TRUE(complaints.empty());
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].to_text().find("1 of 1 certificates are no authorities"),
              std::string::npos)
        << warnings[0].to_text();
    EXPECT_EQ(anchors->count(), 1u);
}

TEST_F(TrustAnchorsTest, TheMachinesAuthoritiesAreTrustedOnRequest) {
    TrustOptions options;
    options.ca_system = true;
    Complaints complaints, warnings;
    const auto anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    if (!std::filesystem::exists(machine_authorities_file())) GTEST_SKIP() << "no ca-certificates";
    ASSERT_TRUE(complaints.empty()) << complaints.front().to_text();
    EXPECT_TRUE(warnings.empty()) << warnings.front().to_text();
    EXPECT_GT(anchors->count(), 20u);
    const TrustVerdict verdict =
        anchors->judge(authority().certificate("leaf"), {authority().certificate("mid")},
                       std::time(nullptr) + day_seconds, TrustPurpose::smime_encryption);
    EXPECT_EQ(verdict.reason, Reason::untrusted);
}

// --- other people's chains -----------------------------------------------------------------------

struct Theirs {
    const char* leaf;
    std::vector<std::string> others;
    std::vector<std::string> anchors;
    Reason want;
};

void expect_theirs(const std::string& folder, const std::vector<Theirs>& cases) {
    const std::filesystem::path path = std::filesystem::path(SEALGATE_CORPUS_DIR) / folder;
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
    constexpr std::int64_t at = 1'795'000'000;  // 2026-11-18
    const auto read = [&](const std::string& file) {
        const auto bytes = read_small_file((path / file).string());
        EXPECT_TRUE(bytes) << file;
        return certificates_in(bytes ? std::string(as_text(bytes->bytes())) : "");
    };
    for (const Theirs& row : cases) {
        SCOPED_TRACE(row.leaf);
        std::vector<CertificatePtr> others;
        for (const std::string& file : row.others) {
            for (const CertificatePtr& other : read(file)) others.push_back(other);
        }
        std::vector<std::string> anchors;
        for (const std::string& file : row.anchors) anchors.push_back((path / file).string());
        const auto leaf = read(row.leaf);
        ASSERT_FALSE(leaf.empty());
        const TrustVerdict verdict =
            anchors_of(anchors)->judge(leaf[0], others, at, TrustPurpose::smime_encryption);
        EXPECT_STREQ(to_word(verdict.reason), to_word(row.want)) << verdict.why;
    }
}

TEST(TrustPathCorpus, MimeKit) {
    expect_theirs("mimekit/derived-keys",
                  {
                      {"rsa.crt.pem", {"rsa.chain.pem"}, {"root.crt.pem"}, Reason::ok},
                      {"dnsnames.crt.pem", {"dnsnames.chain.pem"}, {"root.crt.pem"}, Reason::ok},
                      {"nochain.crt.pem", {"int.pem"}, {"root.crt.pem"}, Reason::ok},
                      {"rsa.crt.pem", {}, {"root.crt.pem"}, Reason::untrusted},
                      {"rsa.crt.pem", {"rsa.chain.pem"}, {}, Reason::untrusted},
                  });
}

TEST(TrustPathCorpus, Rfc9216) {
    const std::string rsa_root = "3.1_RSA-Certification-Authority-Root-Certificate.crt.pem";
    const std::string rsa_crossed =
        "3.3_RSA-Certification-Authority-Cross-Signed-Certificate.crt.pem";
    const std::string ed_root = "6.1_Ed25519-Certification-Authority-Root-Certificate.crt.pem";
    const std::string ed_crossed =
        "6.3_Ed25519-Certification-Authority-Cross-Signed-Certificate.crt.pem";
    const char* alice = "4.3_Alice-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* bob = "5.3_Bob-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* carlos = "7.3_Carlos-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* dana = "8.3_Dana-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* alice_signs = "4.1_Alice-s-Signature-Verification-End-Entity-Certificate.crt.pem";
    expect_theirs("rfc9216", {
                                 {alice, {}, {rsa_root}, Reason::ok},
                                 {bob, {}, {rsa_root}, Reason::ok},
                                 {carlos, {}, {ed_root}, Reason::ok},
                                 {dana, {}, {ed_root}, Reason::ok},
                                 {alice, {rsa_crossed}, {ed_root}, Reason::ok},
                                 {carlos, {ed_crossed}, {rsa_root}, Reason::ok},
                                 {carlos, {ed_root, ed_crossed}, {rsa_root}, Reason::ok},
                                 {alice, {}, {ed_root}, Reason::untrusted},
                                 {carlos, {ed_root}, {rsa_root}, Reason::untrusted},
                                 {alice_signs, {}, {rsa_root}, Reason::bad_key_usage},
                             });
}

}  // namespace
}  // namespace sealgate::test

// SPDX-License-Identifier: GPL-3.0-or-later
// The operator's authorities from files.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/fetch.h"
#include "tests/crypto/trust_fixture.h"

namespace sealgate::test {
namespace {

using TrustAnchorsTest = TrustPath;

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

}  // namespace
}  // namespace sealgate::test

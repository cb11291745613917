// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/gateway_state.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

CheckedState check_with(const std::string& more) {
    return check_configuration_text(
        "[gateway]\nhostname = gate.example.com\ndata-dir = " + testing::TempDir() +
            "\n[listener:in]\naddress = 127.0.0.1:0\ncertificate = none\n" + more,
        "f", DemoCertificate::leave);
}

TEST(GatewayState, HoldsTheAuthoritiesOfTrustSmime) {
    const std::string root = SEALGATE_SOURCE_DIR "/tests/data/signers/root.pem";
    const CheckedState none = check_with("");
    ASSERT_TRUE(none.state) << none.complaints.front().to_text();
    EXPECT_EQ(none.state->trust_smime->count(), 0u);
    const CheckedState one = check_with("[trust:smime]\nca-files = " + root + "\n");
    ASSERT_TRUE(one.state) << one.complaints.front().to_text();
    EXPECT_EQ(one.state->trust_smime->count(), 1u);
}

TEST(GatewayState, DoesNotComeToBeWithoutAnAuthoritysFile) {
    const CheckedState checked =
        check_with("[trust:smime]\nocsp = no\nca-files = /absent/ca.pem, /absent/too.pem\n");
    EXPECT_FALSE(checked.state);
    ASSERT_EQ(checked.complaints.size(), 2u);
    EXPECT_EQ(checked.complaints[0].to_text().find("f:9: [trust:smime] ca-files: "), 0u)
        << checked.complaints[0].to_text();
    EXPECT_NE(checked.complaints[0].what.find("/absent/ca.pem"), std::string::npos);
    EXPECT_NE(checked.complaints[1].what.find("/absent/too.pem"), std::string::npos);
}

TEST(GatewayState, DoesNotComeToBeWithoutAFileOfRevocationLists) {
    const std::string root = SEALGATE_SOURCE_DIR "/tests/data/signers/root.pem";
    const CheckedState checked = check_with(
        "[trust:smime]\nrevocation = require\ncrl-files = /absent/list.crl,\n  " + root + "\n");
    EXPECT_FALSE(checked.state);
    ASSERT_EQ(checked.complaints.size(), 2u);
    EXPECT_EQ(checked.complaints[0].to_text(),
              "f:9: [trust:smime] crl-files: /absent/list.crl: No such file or directory");
    EXPECT_EQ(checked.complaints[1].to_text(),
              "f:9: [trust:smime] crl-files: " + root + ": holds no revocation list");
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/known_keys.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/crypto/key_ring_fixture.h"

namespace sealgate {
namespace {

using test::CertificateWish;
using test::make;
using test::today;

class KnownKeysTest : public test::KeyRingTest {
protected:
    std::vector<std::string> names_of(std::string_view address) {
        std::vector<std::string> names;
        for (const CertificatePtr& one : KeyRingKeys(*ring_).certificates_of(address))
            names.push_back(one->common_name());
        return names;
    }
};

TEST_F(KnownKeysTest, SayWhichVeryCertificateIsManual) {
    const CertificatePtr alice = make({.emails = {"alice@example.com"}});
    const CertificatePtr renewed = make({.emails = {"alice@example.com"}, .common_name = "New"});
    const CertificatePtr domain = make({.domains = {"example.com", "*.example.net"}});
    const CertificatePtr harvested = make({.emails = {"carol@example.com"}});
    const CertificatePtr nobody = make({});
    const KeyRingKeys known(*ring_);
    EXPECT_FALSE(known.is_manual(*alice));
    add("alice", alice);
    add("domain", domain);
    harvest("carol@example.com", harvested);
    EXPECT_TRUE(known.is_manual(*alice));
    EXPECT_TRUE(known.is_manual(*domain));
    EXPECT_FALSE(known.is_manual(*renewed)) << "the same address, another certificate";
    EXPECT_FALSE(known.is_manual(*harvested));
    EXPECT_FALSE(known.is_manual(*nobody)) << "it names nobody, so it is filed nowhere";

    add("alice", renewed);
    EXPECT_FALSE(known.is_manual(*alice));
    EXPECT_TRUE(known.is_manual(*renewed));
    ring_->remove("alice", {});
    EXPECT_FALSE(known.is_manual(*renewed));
    EXPECT_TRUE(known.is_manual(*domain));
}

TEST_F(KnownKeysTest, SayWhichCertificatesAnAddressHas) {
    add("domain", make({.domains = {"example.com"}, .common_name = "domain"}));
    add("wildcard", make({.domains = {"*.com"}, .common_name = "wildcard"}));
    add("alice", make({.emails = {"alice@example.com"}, .common_name = "alice"}));
    // Whatever its dates are: that is for whoever asked.
    add("old", make({.emails = {"alice@example.com"},
                     .not_before = today - 9 * test::a_day,
                     .not_after = today - 8 * test::a_day,
                     .common_name = "old"}));
    add("bob", make({.emails = {"bob@example.com"}, .common_name = "bob"}));
    harvest("alice@example.com",
            make({.emails = {"alice@example.com"}, .common_name = "harvested"}));
    harvest("@example.com", make({.domains = {"example.com"}, .common_name = "of the domain"}));

    using Names = std::vector<std::string>;
    EXPECT_EQ(names_of("Alice@EXAMPLE.com"),
              (Names{"old", "alice", "domain", "wildcard", "harvested", "of the domain"}));
    EXPECT_EQ(names_of("carol@example.com"), (Names{"domain", "wildcard", "of the domain"}));
    EXPECT_EQ(names_of("carol@example.org"), Names{});
    for (const char* odd : {"", "alice", "@example.com", "alice@", "@*.com", "alice@*.com"})
        EXPECT_EQ(names_of(odd), Names{}) << odd;
}

TEST_F(KnownKeysTest, GiveSoManyCertificatesAndNoMore) {
    for (std::size_t i = 0; i <= KeyRing::known_certificates_max; ++i)
        add("key" + std::to_string(i),
            make({.emails = {"alice@example.com"}, .common_name = std::to_string(i)}));
    harvest("alice@example.com", make({.emails = {"alice@example.com"}}));
    EXPECT_EQ(names_of("alice@example.com").size(), KeyRing::known_certificates_max);
}

}  // namespace
}  // namespace sealgate

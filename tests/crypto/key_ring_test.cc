// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_ring.h"

#include "tests/crypto/key_ring_fixture.h"

namespace sealgate::test {
namespace {

TEST_F(KeyRingTest, FindsInTheOrderOfTheSpec) {
    const CertificatePtr exact = make({.emails = {"bob@mail.example.net"}});
    const CertificatePtr domain = make({.domains = {"mail.example.net"}});
    const CertificatePtr wildcard = make({.domains = {"*.example.net"}});
    add("exact", exact);
    add("domain", domain);
    add("wild", wildcard);
    EXPECT_EQ(harvest("bob@mail.example.net", exact), KeyRing::Harvest::added);
    EXPECT_EQ(harvest("@mail.example.net", domain), KeyRing::Harvest::added);
    EXPECT_EQ(harvest("@*.example.net", wildcard), KeyRing::Harvest::added);

    const std::string address = "bob@mail.example.net";
    EXPECT_EQ(found(address), "manual address exact");
    EXPECT_TRUE(ring_->remove("exact", {}));
    EXPECT_EQ(found(address), "harvested address");
    EXPECT_TRUE(ring_->remove_harvested("bob@mail.example.net"));
    EXPECT_EQ(found(address), "manual domain domain");
    EXPECT_TRUE(ring_->remove("domain", {}));
    EXPECT_EQ(found(address), "manual wildcard wild");
    EXPECT_TRUE(ring_->remove("wild", {}));
    EXPECT_EQ(found(address), "harvested domain");
    EXPECT_TRUE(ring_->remove_harvested("@mail.example.net"));
    EXPECT_EQ(found(address), "harvested wildcard");
    EXPECT_TRUE(ring_->remove_harvested("@*.example.net"));
    EXPECT_EQ(found(address), "none");
}

TEST_F(KeyRingTest, OfSeveralTakesTheLatestNotBeforeThatIsValid) {
    for (const int days : {50, 10, 90, 30})
        add("age" + std::to_string(days),
            make({.emails = {"bob@example.net"}, .not_before = today - days * a_day}));
    add("future", make({.emails = {"bob@example.net"}, .not_before = today + a_day}));
    add("past",
        make({.emails = {"bob@example.net"}, .not_before = today - a_day, .not_after = today - 1}));
    EXPECT_EQ(found("bob@example.net"), "manual address age10");
    EXPECT_EQ(found("bob@example.net", today - 20 * a_day), "manual address age30");
    EXPECT_EQ(found("bob@example.net", today + a_day), "manual address future");
    EXPECT_EQ(found("bob@example.net", today - 91 * a_day), "none");
    EXPECT_EQ(found("bob@example.net", today + 101 * a_day), "none");
}

// Every insertion used to go along the list of the owner's keys: a minute for these.
TEST_F(KeyRingTest, FilesAnyNumberOfKeysOfOneOwner) {
    const CertificatePtr certificate = make({.emails = {"bob@example.net"}});
    for (int i = 0; i < 30'000; ++i) ring_->add({"key" + std::to_string(i), certificate, {}}, {});
    EXPECT_EQ(found("bob@example.net"), "manual address key0");
    for (int i = 0; i < 30'000; i += 2) EXPECT_TRUE(ring_->remove("key" + std::to_string(i), {}));
    EXPECT_EQ(found("bob@example.net"), "manual address key1");
}

TEST_F(KeyRingTest, AKeyThatIsNoLongerValidMakesRoomForTheNextLevel) {
    add("old", make({.emails = {"bob@example.net"}, .not_after = today - 1}));
    add("domain", make({.domains = {"example.net"}}));
    harvest("bob@example.net", make({.emails = {"bob@example.net"}, .not_after = today - 1}));
    EXPECT_EQ(found("bob@example.net"), "manual domain domain");
    EXPECT_EQ(found("bob@example.net", today - 1), "manual address old");
}

TEST_F(KeyRingTest, NeverFindsAKeyThatMayNotEncrypt) {
    add("signs", make({.emails = {"bob@example.net"}, .key = NewKey::ed25519}));
    harvest("bob@example.net", make({.emails = {"bob@example.net"}, .key = NewKey::ed25519}));
    EXPECT_EQ(found("bob@example.net"), "none");
}

TEST_F(KeyRingTest, NeverFindsAHarvestedKeyThatDoesNotCoverItsOwner) {
    EXPECT_EQ(harvest("eve@example.net", make({.emails = {"bob@example.net"}})),
              KeyRing::Harvest::added);
    EXPECT_EQ(harvest("@example.net", make({.domains = {"example.org"}})), KeyRing::Harvest::added);
    EXPECT_EQ(found("eve@example.net"), "none");
    EXPECT_TRUE(ring_->harvested("eve@example.net"));
}

struct AddressCase {
    const char* address;
    const char* want;
};

TEST_F(KeyRingTest, ComparesAddressesAsCertificatesDo) {
    add("bob", make({.emails = {"Bob.B@Example.NET"}}));
    add("domain", make({.domains = {"Example.ORG"}}));
    add("wild", make({.domains = {"*.example.com"}}));
    for (const auto& [address, want] : {
             AddressCase{"Bob.B@example.net", "manual address bob"},
             {"bob.b@EXAMPLE.net", "manual address bob"},
             {"bobb@example.net", "none"},
             {"Bob.B@sub.example.net", "none"},
             {"anyone@example.org", "manual domain domain"},
             {"\"odd @ local\"@example.org", "manual domain domain"},
             {"x@EXAMPLE.ORG.", "manual domain domain"},
             {"x@sub.example.org", "none"},
             {"x@notexample.org", "none"},
             {"x@a.example.com", "manual wildcard wild"},
             {"x@A.Example.Com", "manual wildcard wild"},
             {"x@a.b.example.com", "none"},
             {"x@example.com", "none"},
             {"x@*.example.com", "none"},
             {"@example.org", "none"},
             {"example.org", "none"},
             {"x@", "none"},
             {"", "none"},
             {"x@com", "none"},
             {"x@[192.0.2.1]", "none"},
         }) {
        EXPECT_EQ(found(address), want) << address;
        if (std::string(want) == "none") continue;
        EXPECT_TRUE(ring_->find(address, today)->certificate->covers(address)) << address;
    }
}

TEST_F(KeyRingTest, SaysWhatIsKnownOfTheOwnersSoftware) {
    SmimeCapabilities capabilities;
    capabilities.known = capabilities.aes_256_gcm = capabilities.rsa_oaep = true;
    const CertificatePtr certificate = make({.emails = {"a@example.net", "b@example.net"}});
    ring_->add({"a", certificate, capabilities}, {});
    ring_->harvest({"b@example.net", certificate, capabilities, today, today});
    ring_->remove("a", {});
    open();
    const auto key = ring_->find("b@example.net", today);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->capabilities.to_bits(), capabilities.to_bits());
}

TEST_F(KeyRingTest, KeepsManualKeysOverARestart) {
    add("bob", make({.emails = {"bob@example.net"}}));
    add("gone", make({.domains = {"example.org"}}));
    EXPECT_EQ(ring_->add({"bob", make({.emails = {"robert@example.net"}}), {}}, {}),
              KeyRing::Added::replaced);
    EXPECT_TRUE(ring_->remove("gone", {}));
    EXPECT_FALSE(ring_->remove("gone", {}));
    for (const bool again : {false, true}) {
        if (again) open();
        EXPECT_EQ(ring_->manual_count(), 1U);
        EXPECT_EQ(found("bob@example.net"), "none");
        EXPECT_EQ(found("robert@example.net"), "manual address bob");
        EXPECT_EQ(found("x@example.org"), "none");
        ASSERT_TRUE(ring_->manual("bob"));
        EXPECT_EQ(ring_->manual("bob")->certificate->emails().front(), "robert@example.net");
        EXPECT_FALSE(ring_->manual("gone"));
    }
}

TEST_F(KeyRingTest, TakesBackWhatCouldNotBeWritten) {
    add("kept", make({.emails = {"old@example.net"}}));
    add("removed", make({.emails = {"removed@example.net"}}));
    int refused = 0;
    const auto count = [&](Result<void> written) { refused += !written; };
    {
        const FailingDisk failing;
        ring_->add({"new", make({.emails = {"new@example.net"}}), {}}, count);
        ring_->add({"kept", make({.emails = {"other@example.net"}}), {}}, count);
        EXPECT_TRUE(ring_->remove("removed", count));
        EXPECT_EQ(found("new@example.net"), "manual address new") << "in effect at once";
        ASSERT_TRUE(loop_.run_until([&] { return refused == 3; }, 30'000));
    }
    EXPECT_EQ(found("new@example.net"), "none");
    EXPECT_EQ(found("other@example.net"), "none");
    EXPECT_EQ(found("old@example.net"), "manual address kept");
    EXPECT_EQ(found("removed@example.net"), "manual address removed");
    add("later", make({.emails = {"later@example.net"}}));
    open();
    EXPECT_EQ(found("old@example.net"), "manual address kept");
    EXPECT_EQ(found("later@example.net"), "manual address later");
}

TEST_F(KeyRingTest, IsOpenInOneProcessAtATime) {
    std::string why;
    const auto other = KeyRing::open(&loop_, options(), &why);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, ErrorKind::untrusted);
    EXPECT_NE(why.find("in use"), std::string::npos) << why;
}

TEST_F(KeyRingTest, WorksWithoutALoop) {
    ring_.reset();
    std::string why;
    auto ring = KeyRing::open(nullptr, options(), &why);
    ASSERT_TRUE(ring) << why;
    bool done = false;
    (*ring)->add({"bob", make({.emails = {"bob@example.net"}}), {}},
                 [&](Result<void> written) { done = written.has_value(); });
    EXPECT_TRUE(done);
    (*ring)->harvest({"x@example.net", make({.emails = {"x@example.net"}}), {}, 1, 1});
    ring->reset();
    open();
    EXPECT_EQ(found("bob@example.net"), "manual address bob");
    EXPECT_EQ(found("x@example.net"), "harvested address");
}

TEST_F(KeyRingTest, ListsManualKeysPageByPage) {
    for (int i = 0; i < 25; ++i)
        add("key" + std::to_string(100 + i),
            make({.emails = {"user" + std::to_string(i) + "@example.net"},
                  .common_name = i == 7 ? "Sieben" : "Someone"}));
    const auto all = [&](const std::string& search) {
        std::vector<std::string> names;
        int pages = 0;
        for (std::optional<std::string> after = ""; after; ++pages) {
            auto page = ring_->list_manual(search, *after, 10);
            EXPECT_LE(page.rows.size(), 10U);
            for (const auto& row : page.rows) names.push_back(row.name);
            after = page.next;
        }
        EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
        return names;
    };
    EXPECT_EQ(all("").size(), 25U);
    EXPECT_EQ(all("KEY11").size(), 10U);
    EXPECT_EQ(all("user24@EXAMPLE"), std::vector<std::string>{"key124"});
    EXPECT_EQ(all("sieben"), std::vector<std::string>{"key107"});
    const std::string serial = ring_->manual("key103")->certificate->serial();
    EXPECT_EQ(all(serial), std::vector<std::string>{"key103"});
    EXPECT_TRUE(all("nobody").empty());
}

struct UsableCase {
    const char* what;
    CertificateWish wish;
    Reason want;
};

TEST(KeyRing, ChecksWhatACertificateNeedsToBeAdded) {
    const std::vector<std::string> bob = {"bob@example.net"};
    for (const auto& [what, wish, want] : {
             UsableCase{"an address", {.emails = bob}, Reason::ok},
             {"a domain", {.domains = {"*.example.net"}}, Reason::ok},
             {"RSA", {.emails = bob, .key = NewKey::rsa_2048}, Reason::ok},
             {"Ed25519", {.emails = bob, .key = NewKey::ed25519}, Reason::bad_key_usage},
             {"no names", {}, Reason::no_certificate},
             {"expired", {.emails = bob, .not_after = today - 1}, Reason::expired},
             {"its last second", {.emails = bob, .not_after = today}, Reason::ok},
             {"its first second", {.emails = bob, .not_before = today}, Reason::ok},
             {"too early", {.emails = bob, .not_before = today + 1}, Reason::not_yet_valid},
         })
        EXPECT_EQ(to_word(usable_for_encryption(*make(wish), today)), to_word(want)) << what;
}

}  // namespace
}  // namespace sealgate::test

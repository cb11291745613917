// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/harvest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/metrics.h"
#include "smtp/gateway_key_commands.h"
#include "tests/smtp/key_lookup_fixture.h"

namespace sealgate {
namespace {

const std::string bob = "bob@example.net";
constexpr std::int64_t an_hour = 3600;

// The same, as if somebody else had issued it: the issuer's name stands first. (Nobody here looks
// at its signature.)
CertificatePtr issued(const CertificateWish& wish) {
    const CertificatePtr made = make(wish);
    Bytes der(made->der().begin(), made->der().end());
    const std::string_view authority = "Authority";
    CertificateWish named = wish;
    EXPECT_EQ(named.common_name.size(), 7U);
    const auto name =
        std::search(der.begin(), der.end(), named.common_name.begin(), named.common_name.end());
    EXPECT_NE(name, der.end());
    std::copy_n(authority.begin(), named.common_name.size(), name);
    return *Certificate::parse(der);
}

class HarvesterTest : public testing::Test {
protected:
    HarvesterTest() {
        LogOptions options;
        options.mail_log = files_.path + "/mail.log";
        std::string why;
        log_ = *MailLog::open(options, nullptr, &why);
        alerts_ = std::make_unique<Alerts>(
            loop_, *log_, [this] { return static_cast<std::uint64_t>(now_ - begin_) * 1000; });
        alerts_->put_in_force({}, "mx.example.org");
        alerts_->add_sink([this](const Alert& alert) { told_.push_back(alert); });
        policy_.smime_harvest = true;
        mail_.mid = 6;
        mail_.from = bob;
        mail_.verified = true;
        open();
    }

    void open() {
        harvester_.reset();
        ring_.reset();
        KeyRing::Options options;
        options.directory = files_.path + "/keys";
        options.capacity_bytes = capacity_;
        options.persist = persist_;
        ring_ = *KeyRing::open(nullptr, options, nullptr);
        harvester_ = std::make_unique<Harvester>(*ring_, *alerts_, *log_, [this] { return now_; });
    }

    // Of a signer with whom all is right.
    SignerReport signer(CertificatePtr certificate) const {
        SignerReport report;
        report.certificate = std::move(certificate);
        report.signing_time = now_;
        report.signature = report.chain = report.identity = Reason::ok;
        return report;
    }
    static LayerReport layer(std::vector<SignerReport> signers) {
        LayerReport report;
        report.type = LayerReport::Type::signed_;
        report.reason = Reason::ok;
        report.signers = std::move(signers);
        return report;
    }
    std::size_t harvest(std::vector<SignerReport> signers) {
        return harvester_->harvest(mail_, {layer(std::move(signers))}, policy_);
    }
    std::size_t harvest(CertificatePtr certificate) {
        return harvest({signer(std::move(certificate))});
    }
    // Serial numbers, or "none".
    std::string serial_of(const std::string& owner) {
        const auto key = ring_->harvested(owner);
        return key ? key->certificate->serial() : "none";
    }
    std::vector<std::string> owners() {
        std::vector<std::string> owners;
        for (const auto& key : ring_->list_harvested("", 0, 1000).rows) owners.push_back(key.owner);
        std::sort(owners.begin(), owners.end());
        return owners;
    }
    std::vector<std::string> logged() {
        log_->flush();
        harvester_.reset();
        log_.reset();
        std::ifstream file(files_.path + "/mail.log");
        std::vector<std::string> lines;
        for (std::string line; std::getline(file, line);) lines.push_back(line.substr(25));
        return lines;
    }

    Files files_;
    Loop loop_;
    const std::int64_t begin_ = std::time(nullptr);
    std::int64_t now_ = begin_;
    std::uint64_t capacity_ = 64 << 20;
    bool persist_ = true;
    std::unique_ptr<MailLog> log_;
    std::unique_ptr<Alerts> alerts_;
    std::unique_ptr<KeyRing> ring_;
    std::unique_ptr<Harvester> harvester_;
    std::vector<Alert> told_;
    MailFlowPolicyOptions policy_;
    SignedMail mail_;
};

TEST_F(HarvesterTest, TakesTheKeyOfVerifiedMail) {
    const CertificatePtr certificate = issued({.emails = {bob}});
    const std::uint64_t counted = Metrics::instance().value(Counter::keys_harvested);
    SignerReport report = signer(certificate);
    report.signing_time = now_ - 60;
    report.capabilities.known = report.capabilities.aes_256_gcm = true;
    EXPECT_EQ(harvest({report}), 1U);
    EXPECT_EQ(Metrics::instance().value(Counter::keys_harvested), counted + 1);
    const auto key = ring_->harvested(bob);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->certificate->serial(), certificate->serial());
    EXPECT_TRUE(key->capabilities.known && key->capabilities.aes_256_gcm);
    EXPECT_EQ(key->signing_time, now_ - 60);
    EXPECT_EQ(key->last_used, now_);
    EXPECT_TRUE(key->verified);
    const auto found = ring_->find(bob, now_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->certificate->serial(), certificate->serial());
    EXPECT_EQ(logged(), std::vector<std::string>{"Info: MID 6 S/MIME harvested key of " + bob +
                                                 " serial " + certificate->serial() + " (new)"});
}

// One change each to mail whose key is taken.
struct TakeCase {
    const char* name;
    void (*change)(MailFlowPolicyOptions&, SignedMail&, SignerReport&);
    bool taken;
};

using Policy = MailFlowPolicyOptions;
using Mail = SignedMail;
using Signer = SignerReport;

void self_signed(Signer& signer) { signer.certificate = make({.emails = {bob}}); }
void expired(Signer& signer) { signer.certificate = issued({.emails = {bob}, .days_left = -1}); }

// clang-format off
const TakeCase take_cases[] = {
    {"as it is", [](Policy&, Mail&, Signer&) {}, true},
    {"no harvesting", [](Policy& p, Mail&, Signer&) { p.smime_harvest = false; }, false},
    {"no harvesting, with all its options", [](Policy& p, Mail&, Signer&) {
        p = {};
        p.smime_harvest_unverified = p.smime_harvest_updates = true;
        p.smime_harvest_self_signed = p.smime_harvest_expired = true;
     }, false},
    {"no certificate", [](Policy&, Mail&, Signer& s) { s.certificate = nullptr; }, false},
    {"a key that only signs", [](Policy&, Mail&, Signer& s) {
        s.certificate = issued({.emails = {bob}, .key = NewKey::ed25519});
     }, false},
    {"nobody's certificate", [](Policy&, Mail&, Signer& s) { s.certificate = issued({}); }, false},

    // --- self-signed -------------------------------------------------------------------------
    {"self-signed", [](Policy&, Mail&, Signer& s) { self_signed(s); }, false},
    {"self-signed, taken", [](Policy& p, Mail&, Signer& s) {
        self_signed(s);
        p.smime_harvest_self_signed = true;
     }, true},
    {"self-signed and unverified", [](Policy& p, Mail& m, Signer& s) {
        self_signed(s);
        s.chain = Reason::untrusted;
        m.verified = false;
        p.smime_harvest_unverified = true;
     }, false},
    {"self-signed and untrusted, only self-signed taken", [](Policy& p, Mail& m, Signer& s) {
        self_signed(s);
        s.chain = Reason::untrusted;
        m.verified = false;
        p.smime_harvest_self_signed = true;
     }, false},
    {"self-signed and untrusted, both taken", [](Policy& p, Mail& m, Signer& s) {
        self_signed(s);
        s.chain = Reason::untrusted;
        m.verified = false;
        p.smime_harvest_self_signed = p.smime_harvest_unverified = true;
     }, true},

    // --- expired -----------------------------------------------------------------------------
    {"expired", [](Policy& p, Mail& m, Signer& s) {
        expired(s);
        s.chain = Reason::expired;
        m.verified = false;
        p.smime_harvest_unverified = true;
     }, false},
    {"expired, taken", [](Policy& p, Mail& m, Signer& s) {
        expired(s);
        s.chain = Reason::expired;
        m.verified = false;
        p.smime_harvest_unverified = p.smime_harvest_expired = true;
     }, true},
    {"expired, unverified not taken", [](Policy& p, Mail& m, Signer& s) {
        expired(s);
        s.chain = Reason::expired;
        m.verified = false;
        p.smime_harvest_expired = true;
     }, false},
    {"expired and only good for signing", [](Policy& p, Mail& m, Signer& s) {
        s.certificate = issued({.emails = {bob}, .days_left = -1, .key = NewKey::ed25519});
        m.verified = false;
        p.smime_harvest_unverified = p.smime_harvest_expired = true;
     }, false},
    {"not valid yet", [](Policy& p, Mail& m, Signer& s) {
        s.certificate = issued({.emails = {bob}, .days_old = -1});
        s.chain = Reason::not_yet_valid;
        m.verified = false;
        p.smime_harvest_unverified = p.smime_harvest_expired = true;
     }, false},

    // --- unverified --------------------------------------------------------------------------
    {"unverified", [](Policy&, Mail& m, Signer&) { m.verified = false; }, false},
    {"verified mail with a signer who is not", [](Policy&, Mail&, Signer& s) {
        s.chain = Reason::untrusted;
     }, false},
    {"verified mail with a signature that is not", [](Policy&, Mail&, Signer& s) {
        s.signature = Reason::bad_signature;
     }, false},
    {"unverified, taken", [](Policy& p, Mail& m, Signer& s) {
        s.chain = Reason::untrusted;
        m.verified = false;
        p.smime_harvest_unverified = true;
     }, true},
    {"an altered body, taken", [](Policy& p, Mail& m, Signer& s) {
        s.signature = s.chain = s.identity = Reason::bad_digest;
        m.verified = false;
        p.smime_harvest_unverified = true;
     }, true},
    {"revoked, in spite of all options", [](Policy& p, Mail& m, Signer& s) {
        s.chain = Reason::revoked;
        m.verified = false;
        p.smime_harvest_unverified = p.smime_harvest_self_signed = p.smime_harvest_expired = true;
     }, false},
    {"unverified, from somebody else", [](Policy& p, Mail& m, Signer& s) {
        s.identity = Reason::sender_mismatch;
        m.from = "eve@example.net";
        m.verified = false;
        p.smime_harvest_unverified = true;
     }, false},
    {"unverified, from nobody or several", [](Policy& p, Mail& m, Signer&) {
        m.from = "";
        m.verified = false;
        p.smime_harvest_unverified = true;
     }, false},
    {"verified, and from is left out", [](Policy&, Mail& m, Signer&) { m.from = ""; }, true},
};
// clang-format on

TEST_F(HarvesterTest, TakesWhatThePolicySays) {
    for (const TakeCase& row : take_cases) {
        SCOPED_TRACE(row.name);
        ring_->remove_harvested(bob);
        Policy policy = policy_;
        Mail mail = mail_;
        Signer report = signer(issued({.emails = {bob}}));
        row.change(policy, mail, report);
        EXPECT_EQ(harvester_->harvest(mail, {layer({report})}, policy), row.taken ? 1U : 0U);
        EXPECT_EQ(owners(), row.taken ? std::vector{bob} : std::vector<std::string>{});
        if (!row.taken) continue;
        EXPECT_EQ(ring_->harvested(bob)->verified, mail.verified);
    }
}

TEST_F(HarvesterTest, FilesAKeyUnderAllThatItsCertificateNames) {
    const CertificatePtr certificate = issued({.emails = {"Bob@Example.net", "b@example.org"},
                                               .domains = {"example.net", "*.example.com"}});
    EXPECT_EQ(harvest(certificate), 4U);
    EXPECT_EQ(owners(), (std::vector<std::string>{"@*.example.com", "@example.net", "b@example.org",
                                                  "bob@example.net"}));
    EXPECT_TRUE(ring_->find("anybody@example.net", now_));
    EXPECT_TRUE(ring_->find("anybody@mail.example.com", now_));
    EXPECT_FALSE(ring_->find("anybody@example.org", now_));
}

TEST_F(HarvesterTest, FilesAnUnverifiedKeyUnderFromAlone) {
    policy_.smime_harvest_unverified = true;
    mail_.verified = false;
    mail_.from = "Carol@example.net";
    const CertificatePtr certificate =
        issued({.emails = {bob, "b@example.org"}, .domains = {"example.net"}});
    EXPECT_EQ(harvest(certificate), 1U);
    EXPECT_EQ(owners(), std::vector<std::string>{"carol@example.net"});
    EXPECT_FALSE(ring_->find("anybody@example.net", now_));
}

TEST_F(HarvesterTest, FilesOneCertificateSoOftenAndNoMore) {
    CertificateWish wish;
    for (std::size_t i = 0; i < Harvester::owners_max; ++i)
        wish.emails.push_back("a" + std::to_string(i) + "@example.net");
    EXPECT_EQ(harvest(issued(wish)), Harvester::owners_max);
    // The sender's is among them, wherever it stands.
    mail_.from = "z@example.org";
    wish.emails.push_back("z@example.org");
    for (std::string& email : wish.emails) email = "x" + email;
    mail_.from = "xz@example.org";
    EXPECT_EQ(harvest(issued(wish)), Harvester::owners_max);
    EXPECT_TRUE(ring_->harvested("xz@example.org"));
}

TEST_F(HarvesterTest, TakesKeysOfAllSignersAndLayers) {
    LayerReport encrypted;
    encrypted.type = LayerReport::Type::encrypted;
    encrypted.reason = Reason::ok;
    const CertificatePtr first = issued({.emails = {bob}});
    const CertificatePtr second = issued({.emails = {"carol@example.com"}});
    const CertificatePtr outer = issued({.domains = {"example.net"}});
    SignerReport other = signer(second);
    other.identity = Reason::sender_mismatch;  // one signer covers From, and that is enough
    EXPECT_EQ(
        harvester_->harvest(
            mail_, {layer({signer(outer)}), encrypted, layer({signer(first), other})}, policy_),
        3U);
    EXPECT_EQ(owners(), (std::vector<std::string>{"@example.net", bob, "carol@example.com"}));
}

// --- encrypKeyPref -------------------------------------------------------------------------------

struct PreferenceCase {
    const char* name;
    Reason signature, encryption_chain;
    bool verified;
    CertificateWish preferred;
    const char* want;  // "preferred", "own"
};

TEST_F(HarvesterTest, TakesTheCertificateThatTheSignerPrefers) {
    using enum Reason;
    const CertificateWish good{.emails = {bob}};
    const PreferenceCase cases[] = {
        {"good", ok, ok, true, good, "preferred"},
        {"put in by a stranger", ok, untrusted, true, good, "own"},
        {"expired by the judge", ok, expired, true, good, "own"},
        {"revoked", ok, revoked, true, good, "own"},
        {"only for signing", ok, ok, true, {.emails = {bob}, .key = NewKey::ed25519}, "own"},
        {"expired", ok, ok, true, {.emails = {bob}, .days_left = -1}, "own"},
        {"unverified", ok, untrusted, false, good, "preferred"},
        {"unverified, revoked", ok, revoked, false, good, "own"},
        {"unverified, the attribute is not signed", bad_signature, ok, false, good, "own"},
    };
    policy_.smime_harvest_unverified = true;
    for (const PreferenceCase& row : cases) {
        SCOPED_TRACE(row.name);
        ring_->remove_harvested(bob);
        mail_.verified = row.verified;
        SignerReport report = signer(issued({.emails = {bob}}));
        report.signature = row.signature;
        report.encryption_certificate = issued(row.preferred);
        report.encryption_chain = row.encryption_chain;
        EXPECT_EQ(harvest({report}), 1U);
        const auto& want =
            std::string(row.want) == "own" ? report.certificate : report.encryption_certificate;
        EXPECT_EQ(serial_of(bob), want->serial());
    }
}

TEST_F(HarvesterTest, TakesThePreferredOneOfASignerWhoCanOnlySign) {
    SignerReport report = signer(issued({.emails = {bob}, .key = NewKey::ed25519}));
    report.encryption_certificate = issued({.emails = {bob}});
    report.encryption_chain = Reason::untrusted;
    EXPECT_EQ(harvest({report}), 0U);
    report.encryption_chain = Reason::ok;
    EXPECT_EQ(harvest({report}), 1U);
    EXPECT_EQ(serial_of(bob), report.encryption_certificate->serial());
}

TEST_F(HarvesterTest, FilesThePreferredOneWhereBothCertificatesCoverTheOwner) {
    struct Case {
        const char* name;
        CertificateWish signer, preferred;
        std::vector<std::string> want;
    };
    const Case cases[] = {
        {"another's", {.emails = {bob}}, {.emails = {"carol@example.net"}}, {}},
        {"more", {.emails = {bob}}, {.emails = {bob, "carol@example.net"}}, {bob}},
        {"less",
         {.emails = {bob, "b@example.org"}},
         {.emails = {"b@example.org"}},
         {"b@example.org"}},
        {"a domain's for a person", {.emails = {bob}}, {.domains = {"example.net"}}, {bob}},
        {"a person's for a domain", {.domains = {"example.net"}}, {.emails = {bob}}, {bob}},
        {"another person's for a domain",
         {.domains = {"example.net"}},
         {.emails = {"carol@example.net"}},
         {}},
    };
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        for (const std::string& owner : owners()) ring_->remove_harvested(owner);
        SignerReport report = signer(issued(row.signer));
        report.encryption_certificate = issued(row.preferred);
        report.encryption_chain = Reason::ok;
        EXPECT_EQ(harvest({report}), row.want.size());
        EXPECT_EQ(owners(), row.want);
    }
}

TEST_F(HarvesterTest, BelievesCapabilitiesOfARightSignatureOnly) {
    policy_.smime_harvest_unverified = true;
    mail_.verified = false;
    for (const Reason signature : {Reason::ok, Reason::bad_digest}) {
        ring_->remove_harvested(bob);
        SignerReport report = signer(issued({.emails = {bob}}));
        report.signature = signature;
        report.capabilities.known = report.capabilities.aes_128_cbc = true;
        EXPECT_EQ(harvest({report}), 1U);
        EXPECT_EQ(ring_->harvested(bob)->capabilities.known, signature == Reason::ok);
    }
}

// --- updates -------------------------------------------------------------------------------------

TEST_F(HarvesterTest, ReplacesAKeyOnlyWhenThePolicySaysSo) {
    const CertificatePtr first = issued({.emails = {bob}}), second = issued({.emails = {bob}});
    harvest(first);
    now_ += an_hour;
    EXPECT_EQ(harvest(second), 0U);
    EXPECT_EQ(serial_of(bob), first->serial());
    policy_.smime_harvest_updates = true;
    EXPECT_EQ(harvest(second), 1U);
    EXPECT_EQ(serial_of(bob), second->serial());
    EXPECT_EQ(harvest(second), 0U) << "the same again is no update";
    EXPECT_EQ(logged(),
              (std::vector<std::string>{"Info: MID 6 S/MIME harvested key of " + bob + " serial " +
                                            first->serial() + " (new)",
                                        "Info: MID 6 S/MIME harvested key of " + bob + " serial " +
                                            second->serial() + " (updated)"}));
}

struct TimeCase {
    const char* name;
    std::int64_t first, second;  // against now_; min: it does not say
    bool replaced;
};

TEST_F(HarvesterTest, TakesTheNewestSigningTime) {
    constexpr std::int64_t says_nothing = INT64_MIN;
    policy_.smime_harvest_updates = true;
    for (const auto& [name, first, second, replaced] : {
             TimeCase{"newer", -20, -10, true},
             {"older", -10, -20, false},
             {"equal", -10, -10, false},
             {"none counts as now", -10, says_nothing, true},
             {"none, then an older one", says_nothing, -10, false},
             {"of the future counts as now", -10, 1'000'000, true},
             {"of the future, and then now", 1'000'000, 0, false},
         }) {
        SCOPED_TRACE(name);
        ring_->remove_harvested(bob);
        const CertificatePtr a = issued({.emails = {bob}}), b = issued({.emails = {bob}});
        for (const auto& [certificate, time] : {std::pair(a, first), std::pair(b, second)}) {
            SignerReport report = signer(certificate);
            report.signing_time = time == says_nothing ? 0 : now_ + time;
            harvest({report});
        }
        EXPECT_EQ(serial_of(bob), (replaced ? b : a)->serial());
        EXPECT_LE(ring_->harvested(bob)->signing_time, now_);
    }
    // One of the future does not keep out what comes later.
    ring_->remove_harvested(bob);
    SignerReport report = signer(issued({.emails = {bob}}));
    report.signing_time = now_ + 1'000'000;
    harvest({report});
    now_ += 1;
    const CertificatePtr later = issued({.emails = {bob}});
    EXPECT_EQ(harvest(later), 1U);
    EXPECT_EQ(serial_of(bob), later->serial());
}

TEST_F(HarvesterTest, LetsNoUnverifiedKeyReplaceAVerifiedOne) {
    policy_.smime_harvest_updates = policy_.smime_harvest_unverified = true;
    const CertificatePtr true_one = issued({.emails = {bob}}), forged = issued({.emails = {bob}});
    SignerReport stranger = signer(forged);
    stranger.chain = Reason::untrusted;
    mail_.verified = false;
    EXPECT_EQ(harvest({stranger}), 1U);
    mail_.verified = true;
    SignerReport bob_himself = signer(true_one);
    bob_himself.signing_time = now_ - an_hour;
    EXPECT_EQ(harvest({bob_himself}), 1U) << "whatever the stranger says of the time";
    mail_.verified = false;
    now_ += an_hour;
    stranger.signing_time = now_;
    EXPECT_EQ(harvest({stranger}), 0U);
    EXPECT_EQ(serial_of(bob), true_one->serial());
}

TEST_F(HarvesterTest, GivesKeysThatCanBeListedAndPromoted) {
    using nlohmann::json;
    policy_.smime_harvest_unverified = true;
    mail_.verified = false;
    const CertificatePtr certificate = issued({.domains = {"example.net"}});
    harvest(certificate);
    KeyCommands commands(*ring_, nullptr);
    const auto ask = [&](const json& request) {
        json answer;
        commands.handle(request, [&](const json& told) { answer = told; });
        return answer;
    };
    for (const std::string& search : {std::string("BOB@"), certificate->serial()}) {
        const json keys = ask({{"command", "key.harvested"}, {"search", search}})["keys"];
        ASSERT_EQ(keys.size(), 1U) << search;
        EXPECT_EQ(keys[0]["owner"], bob);
        EXPECT_EQ(keys[0]["verified"], false);
        EXPECT_EQ(keys[0]["usable"], "ok");
    }
    EXPECT_TRUE(ask({{"command", "key.harvested"}, {"search", "carol"}})["keys"].empty());
    EXPECT_EQ(ask({{"command", "key.promote"}, {"address", bob}, {"name", "Bob"}})["outcome"],
              "added");
    const auto found = ring_->find("carol@example.net", now_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "Bob");
    EXPECT_EQ(found->certificate->serial(), certificate->serial());
    EXPECT_TRUE(ring_->harvested(bob)) << "a copy was promoted";
}

// --- alerts --------------------------------------------------------------------------------------

class UpdatedOftenTest : public HarvesterTest {
protected:
    UpdatedOftenTest() { policy_.smime_harvest_updates = true; }

    // A new key for `address`, and how many alerts that made.
    std::size_t renew(const std::string& address) {
        const std::size_t before = told_.size();
        ++now_;
        harvest(issued({.emails = {address}}));
        return told_.size() - before;
    }
};

TEST_F(UpdatedOftenTest, IsTheSecondReplacementWithin48Hours) {
    EXPECT_EQ(renew(bob), 0U) << "new";
    EXPECT_EQ(renew(bob), 0U) << "replaced once";
    now_ += 48 * an_hour - 2;
    EXPECT_EQ(renew(bob), 1U);
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_EQ(told_[0].name, AlertName::key_updated_often);
    EXPECT_EQ(told_[0].severity, Alerts::Severity::warning);
    EXPECT_EQ(told_[0].subject, "example.net");
    EXPECT_EQ(told_[0].text,
              "keys of example.net were replaced more than once within 48 hours, "
              "last that of bob@example.net (serial " +
                  serial_of(bob) + ", MID 6)");
}

TEST_F(UpdatedOftenTest, IsNotOneReplacementInTwoDays) {
    renew(bob);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(renew(bob), 0U) << i;
        now_ += 48 * an_hour - 1;
    }
}

TEST_F(UpdatedOftenTest, IsToldAgainAfter48HoursMore) {
    renew(bob);
    renew(bob);
    EXPECT_EQ(renew(bob), 1U);
    for (int i = 0; i < 4; ++i) {
        now_ += 11 * an_hour;
        EXPECT_EQ(renew(bob), 0U) << i;
    }
    now_ += 4 * an_hour - 10;
    EXPECT_EQ(renew(bob), 0U) << "some seconds too early";
    now_ += 10;
    EXPECT_EQ(renew(bob), 1U);
}

TEST_F(UpdatedOftenTest, CountsByDomain) {
    const std::string carol = "carol@example.net", dave = "dave@example.org";
    for (const std::string& address : {bob, carol, dave}) EXPECT_EQ(renew(address), 0U);
    EXPECT_EQ(renew(bob), 0U);
    EXPECT_EQ(renew(dave), 0U);
    EXPECT_EQ(renew(carol), 1U);
    EXPECT_EQ(told_[0].subject, "example.net");
}

TEST_F(UpdatedOftenTest, CountsADomainsOwnKeyAndItsWildcard) {
    harvest(issued({.domains = {"example.net", "*.example.net"}}));
    ++now_;
    harvest(issued({.domains = {"example.net"}}));
    EXPECT_TRUE(told_.empty());
    ++now_;
    harvest(issued({.domains = {"*.example.net"}}));
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_EQ(told_[0].subject, "example.net");
}

TEST_F(UpdatedOftenTest, CountsOneCertificateOfAMessageOnce) {
    const std::vector<std::string> two{bob, "b@example.net"};
    harvest(issued({.emails = two}));
    ++now_;
    EXPECT_EQ(harvest(issued({.emails = two})), 2U);
    EXPECT_TRUE(told_.empty());
    // Two keys in one message are two.
    now_ += 49 * an_hour;
    EXPECT_EQ(harvest({signer(issued({.emails = {two[0]}})), signer(issued({.emails = {two[1]}}))}),
              2U);
    EXPECT_EQ(told_.size(), 1U);
}

TEST_F(UpdatedOftenTest, IsRememberedOverARestart) {
    renew(bob);
    renew(bob);
    open();
    EXPECT_EQ(renew(bob), 1U);
    open();
    EXPECT_EQ(renew(bob), 0U) << "told already";
    now_ += 49 * an_hour;
    open();
    EXPECT_EQ(renew(bob), 0U);
    // Nothing stays that is not needed any more.
    now_ += 49 * an_hour;
    open();
    int notes = 0;
    EXPECT_TRUE(ring_->each_note([&](std::string_view, std::string_view) { ++notes; }));
    EXPECT_EQ(notes, 0);
}

TEST_F(UpdatedOftenTest, IsForgottenWithKeysThatAreNotKept) {
    persist_ = false;
    open();
    renew(bob);
    renew(bob);
    EXPECT_EQ(renew(bob), 1U);
    now_ += an_hour;
    open();
    renew(bob);
    EXPECT_EQ(renew(bob), 0U);
}

TEST(KeyUpdates, RemembersSoManyDomainsAndNoMore) {
    const Files files;
    const auto ring = *KeyRing::open(nullptr, {.directory = files.path, .persist = false}, nullptr);
    KeyUpdates updates(*ring, 1000);
    const auto domain = [](std::size_t i) { return std::to_string(i) + ".example"; };
    for (std::size_t i = 0; i < KeyUpdates::domains_max; ++i)
        ASSERT_FALSE(updates.on_replaced(domain(i), 1, 1000));
    EXPECT_TRUE(updates.on_replaced(domain(0), 1, 1001));
    EXPECT_FALSE(updates.on_replaced("one.more.example", 1, 1001));
    EXPECT_FALSE(updates.on_replaced(domain(1), 1, 1001)) << "it went";
    EXPECT_TRUE(updates.on_replaced(domain(3), 1, 1001));
}

TEST(KeyUpdates, PassesOverNotesThatAreNone) {
    const Files files;
    const auto ring = *KeyRing::open(nullptr, {.directory = files.path}, nullptr);
    for (const auto& [name, value] : {std::pair("", "900 0"),
                                      {"other.example", "900 0"},
                                      {"@a.example", "x"},
                                      {"@b.example", "900"},
                                      {"@c.example", "-900 0"},
                                      {"@d.example", "99999999999999999999 0"}})
        ring->write_note(name, value);
    ring->write_note("@future.example", "99999999999 99999999999");
    ring->write_note("@good.example", "900 0");
    KeyUpdates updates(*ring, 1000);
    for (const char* domain :
         {"", "other.example", "a.example", "b.example", "c.example", "d.example"})
        EXPECT_FALSE(updates.on_replaced(domain, 1, 1000)) << domain;
    EXPECT_TRUE(updates.on_replaced("good.example", 1, 1000));
    EXPECT_FALSE(updates.on_replaced("future.example", 1, 1000)) << "told, now at the latest";
    EXPECT_TRUE(updates.on_replaced("future.example", 1, 1000 + KeyUpdates::window_seconds - 1) ==
                false);
}

TEST_F(HarvesterTest, TellsOnceADayThatTheRepositoryIsFull) {
    capacity_ = 1 << 20;
    open();
    int last = 0;
    const auto harvest_more = [&](int count) {
        for (int i = 0; i < count; ++i)
            harvest(issued({.emails = {std::to_string(++last) + "@example.net"}}));
    };
    while (ring_->statistics().evictions == 0) {
        ASSERT_TRUE(told_.empty());
        harvest_more(1);
    }
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_EQ(told_[0].name, AlertName::key_repository_full);
    EXPECT_EQ(told_[0].severity, Alerts::Severity::warning);
    EXPECT_EQ(told_[0].text,
              "the repository of harvested keys is full ([key-repository] capacity "
              "= 1M): keys not used for longest are given up");
    now_ += 86'399;
    harvest_more(10);
    open();
    harvest_more(10);
    EXPECT_EQ(told_.size(), 1U) << "not again after a restart either";
    now_ += 1;
    harvest_more(10);
    EXPECT_EQ(told_.size(), 2U);
}

}  // namespace
}  // namespace sealgate

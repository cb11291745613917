// SPDX-License-Identifier: GPL-3.0-or-later
// Encryption on the way out: modes, missing keys, hidden recipients, S/MIME at delivery. What
// leaves is opened by libcrypto, which shares no code with the stages.
#include "smtp/outgoing.h"

#include <algorithm>

#include "crypto/make_certificate.h"
#include "crypto/pem.h"
#include "crypto/trust_judge.h"
#include "smtp/sealer.h"
#include "tests/smtp/intake_fixture.h"

namespace sealgate {
namespace {

// A profile for each mode and each way with missing keys, chosen by the subject.
std::string sections() {
    std::string text = "[listener:l]\naddress = 127.0.0.1:2525\ndefault-policy = RELAYED\n";
    std::string filters;
    const auto add = [&](const std::string& name, const std::string& keys, const char* action) {
        text += "[sending-profile:" + name + "]\n" + keys;
        text += "[content-filter:" + name + "]\ndirection = outgoing\ncondition = subject == \"^" +
                name + "$\"\nactions = " + action + "(\"" + name + "\");\n";
        filters += (filters.empty() ? "" : ", ") + name;
    };
    const std::string demo = "certificate = demo\nsender-match = off\n";
    add("sign", "mode = sign\n" + demo, "smime-gateway");
    add("encrypt", "mode = encrypt\n", "smime-gateway");
    add("sign-encrypt", "mode = sign-encrypt\n" + demo, "smime-gateway");
    add("triple", "mode = triple\n" + demo, "smime-gateway");
    add("opaque-triple", "mode = triple\nsign-mode = opaque\n" + demo, "smime-gateway");
    add("drop", "mode = encrypt\nmissing-key = drop\n", "smime-gateway");
    add("split", "mode = sign-encrypt\nmissing-key = split\n" + demo, "smime-gateway");
    add("clear-split", "mode = encrypt\nmissing-key = split\n", "smime-gateway");
    add("always", "mode = encrypt\nenvelope-per-recipient = always\n", "smime-gateway");
    add("never", "mode = encrypt\nenvelope-per-recipient = never\n", "smime-gateway");
    add("self", "mode = sign-encrypt\nencrypt-to-self = yes\n" + demo, "smime-gateway");
    add("gcm", "mode = encrypt\ncipher = aes-256-gcm\n", "smime-gateway");
    add("deferred", "mode = sign-encrypt\n" + demo, "smime-gateway-deferred");
    return text + "[mail-policy:DEFAULT]\ndirection = outgoing\ncontent-filters = " + filters +
           "\n";
}

class OutgoingTest : public IntakeFixture {
protected:
    OutgoingTest() : IntakeFixture(sections()) {
        sealer_ = std::make_unique<Sealer>(*parts_, [this] { return state_; });
        seal_ = [this](SealTask task, Sealer::Done done) {
            sealer_->start(std::move(task), std::move(done));
        };
        std::filesystem::create_directory(directory_ + "/private");
    }

    // The gateway knows the certificate, the judge its key.
    void know(const std::string& address) { know(address, {address}, {}); }
    void know(const std::string& name, std::vector<std::string> emails,
              std::vector<std::string> domains) {
        const auto key = make_key(NewKey::p256);
        ASSERT_TRUE(key);
        CertificatePlan plan;
        SubjectText subject;
        subject.common_name = name;
        plan.subject = *subject_to_der(subject);
        plan.emails = std::move(emails);
        plan.domains = std::move(domains);
        plan.not_before = loop_.wall_seconds() - 3600;
        plan.not_after = loop_.wall_seconds() + 86'400;
        const auto der = make_self_signed(plan, key->bytes());
        ASSERT_TRUE(der);
        keys_->add({name, *Certificate::parse(*der), {}}, {});
        std::ofstream file(directory_ + "/private/" + name + ".pem");
        file << as_text(write_pem("PRIVATE KEY", key->bytes()).bytes())
             << as_text(write_pem("CERTIFICATE", *der).bytes());
    }

    // The forms of all layers from outside: "signed encrypted signed".
    std::string layers_of(const Delivery& delivery) {
        CmsJudge judge;
        std::string why;
        EXPECT_TRUE(judge.add_keys({directory_ + "/private"}, {}, &why)) << why;
        opened_ = judge.open(delivery.body);
        EXPECT_TRUE(opened_.ok) << opened_.why;
        std::string text;
        for (const CmsLayer& layer : opened_.layers)
            text += std::string(text.empty() ? "" : " ") +
                    (layer.kind == CmsLayer::Kind::encrypted ? "encrypted" : "signed");
        return text;
    }
    std::size_t recipient_infos() const {
        for (const CmsLayer& layer : opened_.layers)
            if (layer.kind == CmsLayer::Kind::encrypted) return layer.recipients.size();
        return 0;
    }
    const Delivery* delivery_to(const std::string& address) const {
        for (const Delivery& delivery : world_.deliveries)
            if (std::find(delivery.to.begin(), delivery.to.end(), address) != delivery.to.end())
                return &delivery;
        return nullptr;
    }
    // The log is written by a thread of its own.
    bool logged(const std::string& text) {
        log_->flush();
        return loop_.run_until([&] { return log_text().find(text) != std::string::npos; }, 5'000);
    }
    std::string log_text() const {
        std::ifstream file(directory_ + "/mail.log");
        std::stringstream all;
        all << file.rdbuf();
        return all.str();
    }
    static std::string mail(const std::string& subject, const std::string& to = "b@one.test") {
        return "From: a@example.com\r\nTo: " + to + "\r\nSubject: " + subject +
               "\r\nContent-Type: text/plain\r\n\r\nsecret words\r\n";
    }

    std::unique_ptr<Sealer> sealer_;
    OpenedMail opened_;
};

TEST_F(OutgoingTest, EachModeMakesItsLayersHoweverTheInputIsCut) {
    know("b@one.test");
    const struct {
        const char* profile;
        const char* layers;
    } cases[] = {
        {"sign", "signed"},
        {"encrypt", "encrypted"},
        {"gcm", "encrypted"},
        {"sign-encrypt", "encrypted signed"},
        {"triple", "signed encrypted signed"},
        {"opaque-triple", "signed encrypted signed"},
    };
    for (const auto& [profile, layers] : cases)
        for (const std::size_t piece : {std::size_t{1}, std::size_t{50}, std::size_t{5000}}) {
            SCOPED_TRACE(std::string(profile) + " in pieces of " + std::to_string(piece));
            world_.deliveries.clear();
            ASSERT_EQ(take(mail(profile), {"b@one.test"}, piece).code, 250);
            settle();
            ASSERT_EQ(world_.deliveries.size(), 1u);
            const Delivery& delivery = world_.deliveries[0];
            EXPECT_EQ(layers_of(delivery), layers);
            EXPECT_NE(delivery.body.find("\r\nSubject: "), std::string::npos);
            ASSERT_FALSE(opened_.layers.empty());
            EXPECT_TRUE(opened_.layers.back().content.ends_with("\r\n\r\nsecret words\r\n"));
            EXPECT_EQ(stored_count(), 0u);
        }
}

TEST_F(OutgoingTest, AMissingKeyBouncesTheWholeMessageAndNamesTheRecipient) {
    know("b@one.test");
    ASSERT_EQ(take(mail("encrypt", "b@one.test, c@two.test"), {"b@one.test", "c@two.test"}).code,
              250);
    settle();
    ASSERT_EQ(world_.deliveries.size(), 1u) << "the report alone";
    const std::string& report = world_.deliveries[0].body;
    EXPECT_EQ(world_.deliveries[0].to, std::vector<std::string>{"a@example.com"});
    EXPECT_NE(report.find("c@two.test"), std::string::npos);
    EXPECT_NE(report.find("no-key"), std::string::npos);
    EXPECT_NE(report.find("no key for another recipient"), std::string::npos);
    EXPECT_EQ(report.find("secret words"), std::string::npos);
    EXPECT_TRUE(logged("S/MIME encrypt profile encrypt: failed no-key"));
    EXPECT_EQ(stored_count(), 0u);
}

TEST_F(OutgoingTest, AMissingKeyDropsTheWholeMessageAndSaysSo) {
    know("b@one.test");
    ASSERT_EQ(take(mail("drop"), {"b@one.test", "c@two.test"}).code, 250);
    settle();
    EXPECT_TRUE(world_.deliveries.empty());
    EXPECT_TRUE(logged("S/MIME encrypt profile drop: dropped no-key"));
    EXPECT_TRUE(logged("Message finished MID 1 dropped"));
    EXPECT_EQ(stored_count(), 0u);
}

TEST_F(OutgoingTest, ASplitEncryptsForThoseWithKeysAndLeavesTheOthersClear) {
    know("b@one.test");
    const struct {
        const char* profile;
        const char* encrypted;
        const char* clear;
    } cases[] = {{"split", "encrypted signed", "signed"}, {"clear-split", "encrypted", ""}};
    for (const auto& [profile, encrypted, clear] : cases) {
        SCOPED_TRACE(profile);
        world_.deliveries.clear();
        ASSERT_EQ(take(mail(profile, "b@one.test, c@two.test"), {"b@one.test", "c@two.test"}).code,
                  250);
        settle();
        ASSERT_EQ(world_.deliveries.size(), 2u);
        const Delivery* b = delivery_to("b@one.test");
        const Delivery* c = delivery_to("c@two.test");
        ASSERT_TRUE(b && c && b != c);
        EXPECT_EQ(layers_of(*b), encrypted);
        EXPECT_EQ(b->body.find("secret words"), std::string::npos);
        EXPECT_EQ(layers_of(*c), clear);
        EXPECT_NE(c->body.find("secret words"), std::string::npos);
        EXPECT_TRUE(logged("was generated for S/MIME encryption based on MID " +
                           std::to_string(std::min(b->mid, c->mid)) + " by content filter '" +
                           profile + "'"));
    }
}

TEST_F(OutgoingTest, HiddenRecipientsAreInNobodysRecipientInfos) {
    for (const char* address : {"b@one.test", "c@one.test", "d@two.test", "e@two.test"})
        know(address);
    const struct {
        const char* name;
        const char* profile;
        const char* shown;
        std::size_t messages;
        std::size_t infos;  // of the largest
    } cases[] = {
        {"two shown, two hidden", "encrypt", "b@one.test, C@ONE.test", 3, 2},
        {"nobody is shown", "encrypt", "list@lists.test", 4, 1},
        {"all alone", "always", "b@one.test, c@one.test", 4, 1},
        {"all together", "never", "b@one.test", 1, 4},
    };
    for (const auto& [name, profile, shown, messages, infos] : cases) {
        SCOPED_TRACE(name);
        world_.deliveries.clear();
        ASSERT_EQ(
            take(mail(profile, shown), {"b@one.test", "c@one.test", "d@two.test", "e@two.test"})
                .code,
            250);
        settle();
        std::set<MessageId> mids;
        std::size_t most = 0;
        for (const Delivery& delivery : world_.deliveries) {
            mids.insert(delivery.mid);
            EXPECT_EQ(layers_of(delivery), "encrypted");
            most = std::max(most, recipient_infos());
        }
        EXPECT_EQ(mids.size(), messages);
        EXPECT_EQ(most, infos);
    }
}

TEST_F(OutgoingTest, EncryptsToItselfWhenAskedTo) {
    know("b@one.test");
    ASSERT_EQ(take(mail("self"), {"b@one.test"}).code, 250);
    settle();
    ASSERT_EQ(world_.deliveries.size(), 1u);
    EXPECT_EQ(layers_of(world_.deliveries[0]), "encrypted signed");
    EXPECT_EQ(recipient_infos(), 2u);
}

TEST_F(OutgoingTest, ADomainCertificateServesAllOfTheDomain) {
    know("gateway", {}, {"one.test"});
    ASSERT_EQ(take(mail("encrypt", "x@one.test, y@one.test"), {"x@one.test", "y@one.test"}).code,
              250);
    settle();
    ASSERT_EQ(world_.deliveries.size(), 1u);
    EXPECT_EQ(layers_of(world_.deliveries[0]), "encrypted");
    EXPECT_EQ(recipient_infos(), 1u) << "one certificate, one RecipientInfo";
}

TEST_F(OutgoingTest, WhatIsSignedAlreadyIsEncryptedAllTheSameAndWhatIsEncryptedIsLeft) {
    know("b@one.test");
    const std::string head = "From: a@example.com\r\nTo: b@one.test\r\nMIME-Version: 1.0\r\n";
    const std::string is_signed =
        "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nMIIB\r\n";
    const std::string encrypted =
        "Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data\r\n\r\nMIIB\r\n";
    const struct {
        const char* profile;
        const std::string& entity;
        bool left;
    } cases[] = {
        {"sign", is_signed, true},          {"sign", encrypted, true},
        {"encrypt", is_signed, false},      {"encrypt", encrypted, true},
        {"sign-encrypt", is_signed, false}, {"triple", encrypted, true},
    };
    for (const auto& [profile, entity, left] : cases) {
        SCOPED_TRACE(std::string(profile) + " " + entity);
        world_.deliveries.clear();
        const std::string message = head + "Subject: " + profile + "\r\n" + entity;
        ASSERT_EQ(take(message, {"b@one.test"}).code, 250);
        settle();
        ASSERT_EQ(world_.deliveries.size(), 1u);
        EXPECT_EQ(world_.deliveries[0].body.ends_with(message), left);
        EXPECT_EQ(world_.deliveries[0].body.find("\r\n\r\nMIIB") == std::string::npos, !left);
    }
}

TEST_F(OutgoingTest, DeferredIsStoredInClearAndLeavesSealed) {
    know("b@one.test");
    ASSERT_EQ(take(mail("deferred"), {"b@one.test"}).code, 250);
    settle();
    ASSERT_TRUE(loop_.run_until([&] { return !world_.deliveries.empty(); }, 20'000));
    settle();
    ASSERT_EQ(world_.deliveries.size(), 1u);
    EXPECT_EQ(layers_of(world_.deliveries[0]), "encrypted signed");
    EXPECT_TRUE(logged("MID 1 S/MIME sign-encrypt profile deferred: deferred"));
    EXPECT_TRUE(
        logged("was generated for S/MIME encryption based on MID 1 by content filter "
               "'deferred'"));
    EXPECT_TRUE(logged("Message finished MID 1 done"));
    EXPECT_EQ(stored_count(), 0u);
}

TEST_F(OutgoingTest, WhatWaitsForSmimeIsNotDeliveredAndSurvivesARestart) {
    know("b@one.test");
    world_.now = loop_.wall_seconds();
    int asked = 0;
    const auto sealer = std::exchange(seal_, [&](SealTask, Sealer::Done done) {
        ++asked;
        loop_.defer([done = std::move(done)] { done({{}, "directory:staff: timed out"}); });
    });
    ASSERT_EQ(take(mail("deferred"), {"b@one.test"}).code, 250);
    settle();
    ASSERT_TRUE(loop_.run_until([&] { return asked == 1; }, 20'000));
    settle();
    EXPECT_TRUE(world_.deliveries.empty());
    EXPECT_EQ(queue_->statistics().deferred, 1u);
    EXPECT_TRUE(logged("directory:staff: timed out"));
    EXPECT_EQ(stored_count(), 1u);

    restart();
    parts_ = std::make_unique<HouseParts>(
        HouseParts{loop_, *log_, *spool_, workers_, *queue_, KeySources{*keys_}});
    sealer_ = std::make_unique<Sealer>(*parts_, [this] { return state_; });
    seal_ = [this](SealTask task, Sealer::Done done) {
        sealer_->start(std::move(task), std::move(done));
    };
    world_.now += 3600;
    queue_->check_due();
    ASSERT_TRUE(loop_.run_until([&] { return !world_.deliveries.empty(); }, 20'000));
    settle();
    EXPECT_EQ(layers_of(world_.deliveries[0]), "encrypted signed");
    EXPECT_EQ(stored_count(), 0u);
}

TEST_F(OutgoingTest, MorePartsThanGoAtOnceAreMadeInTurns) {
    std::vector<std::string> recipients;
    for (std::size_t i = 0; i < limits::parts_at_once_max + 1; ++i) {
        recipients.push_back("r" + std::to_string(i) + "@one.test");
        know(recipients.back());
    }
    const auto at_once = std::vector<std::string>(recipients.begin(), recipients.end() - 1);
    for (const auto& to : {at_once, recipients}) {
        SCOPED_TRACE(to.size());
        world_.deliveries.clear();
        ASSERT_EQ(take(mail("always"), to).code, 250);
        ASSERT_TRUE(loop_.run_until([&] { return world_.deliveries.size() == to.size(); }, 20'000));
        settle();
        EXPECT_EQ(world_.deliveries.size(), to.size());
        for (const std::string& address : to) {
            const Delivery* delivery = delivery_to(address);
            ASSERT_TRUE(delivery) << address;
            EXPECT_EQ(layers_of(*delivery), "encrypted");
            ASSERT_EQ(recipient_infos(), 1u);
            EXPECT_EQ(opened_.layers[0].recipients[0].names, std::vector<std::string>{address});
            EXPECT_TRUE(opened_.layers.back().content.ends_with("\r\n\r\nsecret words\r\n"));
        }
        const std::string deferred = "profile always: deferred";
        if (to.size() > limits::parts_at_once_max)
            EXPECT_TRUE(logged(deferred));
        else
            EXPECT_EQ(log_text().find(deferred), std::string::npos);
        EXPECT_EQ(stored_count(), 0u);
    }
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What our own signer makes, and how the stage behaves.
#include "crypto/smime_verify.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "tests/crypto/verify_fixture.h"

namespace sealgate {
namespace {

using test::context_of_signers;
using test::plan_for;
using test::sign_message;
using test::take_apart;
using test::verifier;
using test::VerifyOutcome;
using SignMode = SendingProfileOptions::SignMode;
using SignDigest = SendingProfileOptions::Digest;
using Scheme = SendingProfileOptions::Scheme;

const std::string entity =
    "Content-Type: text/plain; charset=utf-8\r\n"
    "\r\n"
    "Hello,\r\n"
    "\r\n"
    "this is signed.\r\n";

VerifyOutcome verified(const SignPlan& plan, const std::string& content,
                       const VerifyContext& context = context_of_signers()) {
    const auto mail = take_apart(sign_message(plan, {content}).text);
    if (plan.sign_mode == SignMode::opaque) return verifier().opaque(mail.cms, context);
    EXPECT_EQ(mail.content, content);
    return verifier().detached(mail.content, mail.cms, context, mail.micalg);
}

SignPlan opaque_plan(const std::string& name) {
    SignPlan plan = plan_for(name);
    plan.sign_mode = SignMode::opaque;
    return plan;
}

// --- what the gateway signs
// ---------------------------------------------------------------------------

struct Case {
    const char* signer;
    Scheme scheme;
    const char* want_scheme;
};
constexpr Case cases[] = {
    {"rsa2048", Scheme::automatic, "rsa-pkcs1"}, {"rsa2048", Scheme::rsa_pss, "rsa-pss"},
    {"rsa3072", Scheme::automatic, "rsa-pkcs1"}, {"rsa3072", Scheme::rsa_pss, "rsa-pss"},
    {"rsa4096", Scheme::automatic, "rsa-pkcs1"}, {"rsa4096", Scheme::rsa_pss, "rsa-pss"},
    {"p256", Scheme::automatic, "ecdsa"},        {"p384", Scheme::automatic, "ecdsa"},
    {"ed25519", Scheme::automatic, "ed25519"},
};

TEST(SmimeVerify, AcceptsWhatTheGatewaySigns) {
    const struct {
        SignDigest digest;
        const char* name;
    } digests[] = {{SignDigest::sha256, "sha256"},
                   {SignDigest::sha384, "sha384"},
                   {SignDigest::sha512, "sha512"}};
    for (const Case& row : cases) {
        for (const auto& digest : digests) {
            for (const SignMode mode : {SignMode::detached, SignMode::opaque}) {
                SignPlan plan = plan_for(row.signer);
                plan.scheme = row.scheme;
                plan.digest = digest.digest;
                plan.sign_mode = mode;
                SCOPED_TRACE(testing::Message() << row.signer << ' ' << row.want_scheme << ' '
                                                << digest.name << (mode == SignMode::opaque));
                const VerifyOutcome outcome = verified(plan, entity);
                ASSERT_TRUE(outcome.report) << outcome.why();
                const LayerReport& report = *outcome.report;
                EXPECT_EQ(report.reason, Reason::ok) << report.why;
                EXPECT_EQ(report.type, LayerReport::Type::signed_);
                EXPECT_EQ(report.content_type, "signedData");
                EXPECT_EQ(report.detached, mode == SignMode::detached);
                EXPECT_EQ(report.why, "");
                const SignerReport& signer = outcome.signer();
                EXPECT_EQ(signer.scheme, row.want_scheme);
                EXPECT_EQ(signer.digest,
                          std::string(row.signer) == "ed25519" ? "sha512" : digest.name);
                EXPECT_EQ(signer.reason(), Reason::ok);
                EXPECT_EQ(signer.signing_time, plan.signing_time);
                EXPECT_TRUE(signer.capabilities.aes_256_gcm);
                EXPECT_FALSE(signer.encryption_certificate);
                ASSERT_TRUE(signer.certificate);
                EXPECT_EQ(signer.certificate->serial(), plan.identity->leaf->serial());
                if (mode == SignMode::opaque) {
                    EXPECT_EQ(outcome.content, entity);
                    EXPECT_TRUE(outcome.content_ended);
                }
            }
        }
    }
}

TEST(SmimeVerify, AcceptsContentsOfAnySize) {
    for (const std::size_t bytes : {0u, 1u, 2u, 4095u, 4096u, 4097u, 65'536u, 1'000'000u}) {
        const std::string content(bytes, 'x');
        for (const SignPlan& plan : {plan_for("p256"), opaque_plan("p256")}) {
            const VerifyOutcome outcome = verified(plan, content);
            EXPECT_EQ(outcome.reason(), Reason::ok) << bytes << outcome.why();
            const std::string below = plan.sign_mode == SignMode::opaque ? content : "";
            EXPECT_EQ(outcome.content, below);
        }
    }
}

TEST(SmimeVerify, SaysTheSameHoweverTheInputIsCut) {
    const std::string cms = take_apart(sign_message(opaque_plan("p256"), {entity}).text).cms;
    for (const std::size_t piece_bytes : {1u, 2u, 3u, 7u, 64u, 1000u}) {
        const VerifyOutcome outcome = verifier().opaque(cms, context_of_signers(), piece_bytes);
        EXPECT_EQ(outcome.reason(), Reason::ok) << piece_bytes << outcome.why();
        EXPECT_EQ(outcome.content, entity);
    }
}

// --- whom it covers
// ---------------------------------------------------------------------------------

TEST(SmimeVerify, AsksWhetherTheSenderIsCovered) {
    const struct {
        std::optional<std::string> sender;
        Reason want;
    } rows[] = {
        {"alice@example.com", Reason::ok},
        {"ALICE@Example.COM", Reason::ok},
        {"anybody@example.net", Reason::ok},  // the certificate's domain
        {std::nullopt, Reason::ok},
        {"", Reason::sender_mismatch},
        {"bob@example.com", Reason::sender_mismatch},
        {"alice@example.com.evil.example", Reason::sender_mismatch},
        {"alice@sub.example.net", Reason::sender_mismatch},
        {"alice", Reason::sender_mismatch},
    };
    const SignPlan plan = plan_for("p256");
    const auto mail = take_apart(sign_message(plan, {entity}).text);
    for (const auto& row : rows) {
        VerifyContext context = context_of_signers();
        context.sender = row.sender;
        const VerifyOutcome outcome = verifier().detached(mail.content, mail.cms, context);
        EXPECT_EQ(outcome.reason(), row.want) << row.sender.value_or("nobody asked");
        EXPECT_EQ(outcome.signer().identity, row.want);
        EXPECT_EQ(outcome.signer().signature, Reason::ok);
        EXPECT_EQ(outcome.signer().chain, Reason::ok);
        EXPECT_EQ(outcome.signer().why.empty(), row.want == Reason::ok);
    }
}

// --- the stage
// --------------------------------------------------------------------------------------

struct Listener final : VerifyStage::Owner, CmsReader::Router {
    CmsHandler* on_cms_type(CmsType) override { return stage.get(); }
    void on_verify_end(LayerReport given) override {
        report = std::move(given);
        ++count;
        if (destroys) stage.reset();
    }
    std::unique_ptr<VerifyStage> stage;
    std::optional<LayerReport> report;
    int count = 0;
    bool destroys = false;
};

TEST(SmimeVerify, TellsTheEndOnceAndLater) {
    const std::string cms = take_apart(sign_message(opaque_plan("p256"), {entity}).text).cms;
    test::CollectingSink below;
    Listener listener;
    listener.stage =
        std::make_unique<VerifyStage>(context_of_signers(), verifier().workers, listener, below);
    CmsReader reader(listener);
    ASSERT_TRUE(reader.write(Chunk::copy_of(cms)));
    ASSERT_TRUE(reader.finish());
    EXPECT_EQ(listener.count, 0);
    EXPECT_TRUE(below.finished);
    ASSERT_TRUE(verifier().loop.run_until([&] { return listener.count > 0; }, 20'000));
    verifier().loop.run_until([] { return false; }, 20);
    EXPECT_EQ(listener.count, 1);
}

TEST(SmimeVerify, MayBeDestroyedWhenItTells) {
    const std::string cms = take_apart(sign_message(opaque_plan("p256"), {entity}).text).cms;
    test::CollectingSink below;
    Listener listener;
    listener.destroys = true;
    listener.stage =
        std::make_unique<VerifyStage>(context_of_signers(), verifier().workers, listener, below);
    {
        CmsReader reader(listener);
        ASSERT_TRUE(reader.write(Chunk::copy_of(cms)));
    }
    ASSERT_TRUE(verifier().loop.run_until([&] { return listener.count > 0; }, 20'000));
    EXPECT_EQ(listener.report->reason, Reason::ok);
    EXPECT_FALSE(listener.stage);
}

TEST(SmimeVerify, MayBeDestroyedWhileAWorkerIsAtIt) {
    const std::string cms = take_apart(sign_message(opaque_plan("p256"), {entity}).text).cms;
    test::CollectingSink below;
    Listener listener;
    listener.stage =
        std::make_unique<VerifyStage>(context_of_signers(), verifier().workers, listener, below);
    {
        CmsReader reader(listener);
        ASSERT_TRUE(reader.write(Chunk::copy_of(cms)));
    }
    listener.stage.reset();
    verifier().loop.run_until([&] { return verifier().workers.outstanding() == 0; }, 20'000);
    EXPECT_EQ(listener.count, 0);
}

TEST(SmimeVerify, PassesChunksOnWithoutCopyingThem) {
    struct Watch final : Sink {
        Result<Flow> write(Chunk chunk) override {
            last = chunk;
            return Flow::full;
        }
        Result<Flow> finish() override { return Flow::open; }
        Chunk last;
    } below;
    Listener listener;
    VerifyStage stage(context_of_signers(), verifier().workers, listener, below);
    const Chunk chunk = Chunk::copy_of(entity);
    const auto flow = stage.on_content(chunk);
    ASSERT_TRUE(flow);
    EXPECT_EQ(*flow, Flow::full) << "back-pressure goes up";
    EXPECT_EQ(below.last.data(), chunk.data());
}

TEST(SmimeVerify, PassesUpWhatFailsBelow) {
    struct Broken final : Sink {
        Result<Flow> write(Chunk) override { return temporary("no room"); }
        Result<Flow> finish() override { return Flow::open; }
    } below;
    const std::string cms = take_apart(sign_message(opaque_plan("p256"), {entity}).text).cms;
    Listener listener;
    listener.stage =
        std::make_unique<VerifyStage>(context_of_signers(), verifier().workers, listener, below);
    CmsReader reader(listener);
    const auto flow = reader.write(Chunk::copy_of(cms));
    ASSERT_FALSE(flow);
    EXPECT_STREQ(flow.error().what, "no room");
}

TEST(SmimeVerify, CountsEverySignature) {
    const auto count = [] { return Metrics::instance().value(Counter::signatures_verified); };
    const auto before = count();
    verified(plan_for("p256"), entity);
    EXPECT_EQ(count(), before + 1);
}

// As OpenSSL 3.0 makes it, `cms -sign -stream -outform DER`.
TEST(SmimeVerify, LetsADetachedSignatureHaveItsContentToo) {
    for (const std::string& content : {entity, std::string(200'000, 'x')}) {
        const std::string cms = take_apart(sign_message(opaque_plan("p256"), {content}).text).cms;
        EXPECT_EQ(verifier().detached(content, cms, context_of_signers()).reason(), Reason::ok);
        EXPECT_EQ(verifier().detached(content, cms, context_of_signers(), "sha-512").reason(),
                  Reason::ok);
    }
}

TEST(SmimeVerify, LetsADetachedSignatureHaveAnEmptyContent) {
    const std::string cms = take_apart(sign_message(opaque_plan("p256"), {""}).text).cms;
    EXPECT_EQ(verifier().detached("", cms, context_of_signers()).reason(), Reason::ok);
    EXPECT_EQ(verifier().detached("x", cms, context_of_signers()).reason(), Reason::bad_digest);
}

TEST(SmimeVerify, RefusesADetachedSignatureAlone) {
    const std::string cms = take_apart(sign_message(plan_for("p256"), {entity}).text).cms;
    const VerifyOutcome outcome = verifier().opaque(cms, context_of_signers());
    EXPECT_EQ(outcome.reason(), Reason::malformed);
    EXPECT_EQ(outcome.signer().signature, Reason::malformed);
    EXPECT_EQ(outcome.content, "");
    EXPECT_TRUE(outcome.content_ended);
}

TEST(SmimeVerify, HearsOnlyOfSignedData) {
    test::CollectingSink below;
    Listener listener;
    VerifyStage stage(context_of_signers(), verifier().workers, listener, below);
    EXPECT_FALSE(stage.on_recipient_info({}));
    EXPECT_FALSE(stage.on_authenticated_attributes({}));
    EXPECT_FALSE(stage.on_mac({}));
    EXPECT_FALSE(stage.on_digest_algorithm({}));
}

// --- digests that were not computed
// -----------------------------------------------------------------

TEST(SmimeVerify, ComputesWhatMicalgNames) {
    SignPlan plan = plan_for("p256");
    plan.digest = SignDigest::sha384;
    const auto mail = take_apart(sign_message(plan, {entity}).text);
    const struct {
        const char* micalg;
        Reason want;
    } rows[] = {
        {"sha-384", Reason::ok},
        {"sha384", Reason::ok},
        {"sha-256,sha-384", Reason::ok},
        {"", Reason::ok},
        {"unknown", Reason::ok},
        {"sha-256", Reason::unsupported_algorithm},
        {"sha-512", Reason::unsupported_algorithm},
        {"md5", Reason::unsupported_algorithm},
    };
    for (const auto& row : rows) {
        const VerifyOutcome outcome =
            verifier().detached(mail.content, mail.cms, context_of_signers(), row.micalg);
        EXPECT_EQ(outcome.reason(), row.want) << row.micalg << outcome.why();
        EXPECT_EQ(outcome.signer().chain, row.want) << "a path was not asked for";
        EXPECT_EQ(outcome.signer().digest, "sha384");
    }
}

// SHA-256 is what everybody uses; a wrong micalg alone does not break it.
TEST(SmimeVerify, ComputesSha256WhateverMicalgSays) {
    const auto mail = take_apart(sign_message(plan_for("p256"), {entity}).text);
    for (const char* micalg : {"sha1", "sha-512", "md5", "frobnicate", ""})
        EXPECT_EQ(
            verifier().detached(mail.content, mail.cms, context_of_signers(), micalg).reason(),
            Reason::ok)
            << micalg;
}

}  // namespace
}  // namespace sealgate

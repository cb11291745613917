// SPDX-License-Identifier: GPL-3.0-or-later
// Signing where it cannot be done: nothing half signed leaves as a message.
#include <gtest/gtest.h>

#include <string>

#include "core/loop.h"
#include "crypto/smime_sign.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate {
namespace {

using test::Outcome;
using test::plan_for;
using test::sign_message;
using SignMode = SendingProfileOptions::SignMode;
using Scheme = SendingProfileOptions::Scheme;

const std::string entity = "Content-Type: text/plain\r\n\r\nText\r\n";

SignPlan plan_of(const std::string& signer, SignMode mode) {
    SignPlan plan = plan_for(signer);
    plan.sign_mode = mode;
    return plan;
}

TEST(SmimeSign, FailsWhereTheKeyCannotBeUsed) {
    const auto broken = [](const char* name, auto change) {
        SignPlan plan = plan_for(name);
        auto identity = std::make_shared<Identity>();
        identity->leaf = plan.identity->leaf;
        identity->chain = plan.identity->chain;
        identity->key.kind = plan.identity->key.kind;
        identity->key.bits = plan.identity->key.bits;
        identity->key.id = plan.identity->key.id + 500;
        identity->key.pkcs8 = SecureBytes::copy_of(plan.identity->key.pkcs8.bytes());
        change(*identity);
        plan.identity = identity;
        return plan;
    };
    const auto cut = [](Identity& identity) {
        identity.key.pkcs8 = SecureBytes::copy_of(identity.key.pkcs8.bytes().first(30));
    };
    const auto no_key = [](Identity& identity) { identity.key.pkcs8 = SecureBytes(); };
    const auto no_id = [](Identity& identity) { identity.key.id = 0; };
    // One bit of p: a wrong CRT half must not leave the gateway.
    const auto flipped = [](Identity& identity) {
        identity.key.pkcs8.data()[identity.key.pkcs8.size() * 6 / 10] ^= 1;
    };
    const SignPlan plans[] = {
        broken("rsa2048", cut),    broken("p256", cut),        broken("ed25519", cut),
        broken("rsa2048", no_key), broken("p384", no_key),     broken("ed25519", no_key),
        broken("rsa2048", no_id),  broken("rsa2048", flipped),
    };
    for (SignPlan plan : plans) {
        for (const SignMode mode : {SignMode::detached, SignMode::opaque}) {
            plan.sign_mode = mode;
            const Outcome outcome = sign_message(plan, {entity});
            EXPECT_NE(outcome.error, nullptr);
            EXPECT_FALSE(outcome.finished) << "nothing half signed is ended as a message";
        }
    }
}

TEST(SmimeSign, RefusesAnRsaSchemeWithAnotherKey) {
    SignPlan plan = plan_for("p256");
    plan.scheme = Scheme::rsa_pss;
    const Outcome outcome = sign_message(plan, {entity});
    EXPECT_NE(outcome.error, nullptr);
    EXPECT_EQ(outcome.text, "");
}

TEST(SmimeSign, IsTakenDownWhileItsSignatureIsBeingMade) {
    Loop loop;
    WorkerPool workers(loop, 1);
    test::CollectingSink below;
    struct Quiet final : Source {
        void on_drain() override {}
        void on_failed(Error) override { FAIL(); }
    } above;
    auto stage = make_sign_stage(plan_of("rsa2048", SignMode::detached), workers, below, above);
    ASSERT_TRUE(stage->write(Chunk::copy_of(entity)));
    ASSERT_TRUE(stage->finish());
    stage.reset();
    loop.run_until([&] { return workers.outstanding() == 0; }, 10'000);
    EXPECT_FALSE(below.finished);
}

TEST(SmimeSign, IsTakenDownFromBelowByItsLastCall) {
    Loop loop;
    WorkerPool workers(loop, 1);
    struct Owner final : Sink, Source {
        Result<Flow> write(Chunk) override { return Flow::open; }
        Result<Flow> finish() override {
            stage.reset();
            return internal("the store is full");
        }
        void on_drain() override {}
        void on_failed(Error) override { failed = true; }
        std::unique_ptr<Sink> stage;
        bool failed = false;
    } owner;
    owner.stage = make_sign_stage(plan_of("p256", SignMode::opaque), workers, owner, owner);
    ASSERT_TRUE(owner.stage->write(Chunk::copy_of(entity)));
    ASSERT_TRUE(owner.stage->finish());
    EXPECT_TRUE(loop.run_until([&] { return owner.failed; }, 10'000));
}

// --- who may
// ---------------------------------------------------------------------------------------

TEST(MaySignFor, SaysWhyNot) {
    const IdentityPtr identity = test::signer("p256");
    const std::int64_t now = identity->leaf->not_before() + 86'400;
    const struct {
        const Identity* identity;
        const char* sender;
        bool check_sender;
        std::int64_t at;
        Reason want;
    } cases[] = {
        {identity.get(), "alice@example.com", true, now, Reason::ok},
        {identity.get(), "anyone@example.net", true, now, Reason::ok},
        {identity.get(), "bob@example.com", true, now, Reason::sender_mismatch},
        {identity.get(), "bob@example.com", false, now, Reason::ok},
        {identity.get(), "", true, now, Reason::sender_mismatch},
        {identity.get(), "", false, now, Reason::ok},
        {nullptr, "alice@example.com", true, now, Reason::no_certificate},
        {identity.get(), "alice@example.com", true, identity->leaf->not_before() - 1,
         Reason::not_yet_valid},
        {identity.get(), "alice@example.com", true, identity->leaf->not_after() + 1,
         Reason::expired},
    };
    for (const auto& row : cases) {
        EXPECT_EQ(may_sign_for(row.identity, row.sender, row.check_sender, row.at), row.want)
            << row.sender << " " << row.at;
    }
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/rsa_engine.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "crypto/signing_key.h"
#include "crypto/worker_keys.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate {
namespace {

using Engine = GatewayOptions::RsaEngine;

class RsaEngineTest : public testing::Test {
protected:
    ~RsaEngineTest() override { choose_rsa_engine(Engine::wolfcrypt); }
};

TEST_F(RsaEngineTest, MakesTheSamePkcs1SignaturesWithBothLibraries) {
    for (const char* name : {"rsa2048", "rsa3072", "rsa4096"}) {
        const IdentityPtr identity = test::signer(name);
        for (const auto digest :
             {DigestAlgorithm::sha256, DigestAlgorithm::sha384, DigestAlgorithm::sha512}) {
            const SignatureAlgorithm algorithm{SignatureScheme::rsa_pkcs1, digest};
            choose_rsa_engine(Engine::wolfcrypt);
            const auto ours = sign_with(identity->key, algorithm, as_bytes("attributes"));
            choose_rsa_engine(Engine::openssl);
            const auto theirs = sign_with(identity->key, algorithm, as_bytes("attributes"));
            ASSERT_TRUE(ours && theirs) << name;
            EXPECT_EQ(*ours, *theirs) << name;
        }
    }
}

TEST_F(RsaEngineTest, SignsMessagesThatOpensslVerifiesWithBothLibraries) {
    for (const Engine engine : {Engine::wolfcrypt, Engine::openssl}) {
        choose_rsa_engine(engine);
        for (const char* name : {"rsa2048", "rsa3072", "rsa4096"}) {
            for (const auto scheme : {SendingProfileOptions::Scheme::rsa_pkcs1,
                                      SendingProfileOptions::Scheme::rsa_pss}) {
                SignPlan plan = test::plan_for(name);
                plan.scheme = scheme;
                const auto outcome = test::sign_message(plan, {"\r\nText\r\n"});
                ASSERT_TRUE(outcome.finished);
                const test::TemporaryFolder folder;
                const auto run = test::run_tool("openssl cms -verify -CAfile " + test::root_file() +
                                                " -in " + folder.write("mail", outcome.text));
                EXPECT_EQ(run.status, 0) << name << run.output;
            }
        }
    }
}

TEST_F(RsaEngineTest, IsWhatTheOperatorNames) {
    choose_rsa_engine(Engine::openssl);
    for (const unsigned bits : {2048u, 2056u, 3072u, 4096u})
        EXPECT_STREQ(rsa_engine_for(bits), "openssl") << bits;
    choose_rsa_engine(Engine::wolfcrypt);
    for (const unsigned bits : {2048u, 2056u, 3072u, 4096u})
        EXPECT_STREQ(rsa_engine_for(bits), "wolfcrypt") << bits;
}

TEST_F(RsaEngineTest, IsMeasuredWhenTheOperatorLeavesItOpen) {
    choose_rsa_engine(Engine::automatic);
    for (const unsigned bits : {2048u, 3072u, 4096u})
        std::printf("RSA-%u: %s\n", bits, rsa_engine_for(bits));
    // wolfCrypt has no assembly for sizes between.
    EXPECT_STREQ(rsa_engine_for(2056), "openssl");
}

TEST_F(RsaEngineTest, RefusesWhatIsNoRsaKey) {
    EXPECT_FALSE(OpensslRsaKey::decode({}));
    EXPECT_FALSE(OpensslRsaKey::decode(as_bytes("no key")));
    EXPECT_FALSE(OpensslRsaKey::decode(test::signer("p256")->key.pkcs8.bytes()));
}

TEST(SigningKey, SignsOnManyThreadsWithOneKey) {
    const IdentityPtr identity = test::signer("rsa2048");
    const SignatureAlgorithm algorithm{SignatureScheme::rsa_pkcs1, DigestAlgorithm::sha256};
    const auto want = sign_with(identity->key, algorithm, as_bytes("attributes"));
    ASSERT_TRUE(want);
    std::vector<int> right(4, 0);
    std::vector<std::thread> threads;
    for (int& count : right) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20; ++i) {
                const auto made = sign_with(identity->key, algorithm, as_bytes("attributes"));
                if (made && *made == *want) ++count;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(right, std::vector<int>(4, 20));
}

TEST(WorkerKeys, KeepsTheLastUsedAndDecodesTheOthersAgain) {
    const IdentityPtr first = test::signer("p256");
    WorkerKey* const copy = worker_key(first->key).value();
    EXPECT_EQ(worker_key(first->key).value(), copy);
    std::vector<PrivateKey> others(worker_keys_max);
    for (std::size_t i = 0; i < others.size(); ++i) {
        others[i].kind = KeyKind::p256;
        others[i].bits = 256;
        others[i].id = 50'000 + i;
        others[i].pkcs8 = SecureBytes::copy_of(first->key.pkcs8.bytes());
    }
    for (std::size_t i = 0; i + 1 < others.size(); ++i) ASSERT_TRUE(worker_key(others[i]));
    EXPECT_EQ(worker_key(first->key).value(), copy) << "as many as are kept";
    for (const PrivateKey& other : others) ASSERT_TRUE(worker_key(other));
    ASSERT_TRUE(worker_key(first->key)) << "one more: it was let go, and comes back";
}

}  // namespace
}  // namespace sealgate

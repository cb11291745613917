// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/identity.h"

#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>

#include "crypto/certificate_bundle.h"
#include "crypto/certificate_store.h"
#include "crypto/make_certificate.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {
namespace {

std::string key_file_of(const std::string& name) {
    return SEALGATE_SOURCE_DIR "/tests/data/signers/" + name + ".key.pem";
}

class IdentityStoreTest : public testing::Test {
protected:
    IdentityStoreTest() {
        config.gateway.hostname = "gate.example.test";
        config.gateway.data_dir = folder.path("data");
        config.files = {"gate.ini"};
    }
    void add_section(const std::string& name, const std::string& file, const std::string& key,
                     const std::string& passphrase_file = "") {
        const int line = 10 + static_cast<int>(config.certificates.size());
        config.certificates.push_back({name, {"gate.ini", line}, file, key, passphrase_file});
    }
    void add_profile(const std::string& name, const std::string& certificate) {
        SendingProfileOptions profile;
        profile.name = name;
        profile.place = {"gate.ini", 50};
        profile.certificate = certificate;
        config.sending_profiles[name] = profile;
    }
    void add_listener(const std::string& certificate) {
        ListenerOptions listener;
        listener.name = "in";
        listener.place = {"gate.ini", 70};
        listener.certificate = certificate;
        config.listeners.push_back(listener);
    }
    // A stored certificate of a fresh P-256 key.
    void store(const std::string& name, std::int64_t not_before, std::int64_t not_after) {
        CertificatePlan plan;
        plan.subject = *subject_to_der({.common_name = name,
                                        .organization = "",
                                        .unit = "",
                                        .locality = "",
                                        .state = "",
                                        .country = ""});
        plan.domains = {"example.com"};
        plan.not_before = not_before;
        plan.not_after = not_after;
        CertificateBundle bundle;
        bundle.pkcs8 = *make_key(NewKey::p256);
        bundle.leaf = *Certificate::parse(*make_self_signed(plan, bundle.pkcs8.bytes()));
        const CertificateStore certificates(config.gateway.data_dir, std::nullopt);
        ASSERT_TRUE(certificates.write(name, bundle, ""));
    }
    void load(bool make_demo = false) {
        complaints.clear();
        warnings.clear();
        identities = IdentityStore::load(config, make_demo, complaints, warnings);
    }
    // "" where there is not exactly one.
    std::string complaint() const { return complaints.size() == 1 ? complaints[0].to_text() : ""; }
    std::string warning() const { return warnings.size() == 1 ? warnings[0].to_text() : ""; }

    TemporaryFolder folder;
    Config config;
    Complaints complaints, warnings;
    std::shared_ptr<const IdentityStore> identities;
};

TEST_F(IdentityStoreTest, LoadsSectionsAndStoredOnes) {
    add_section("section", leaf_file("rsa2048"), key_file_of("rsa2048"));
    const std::int64_t now = std::time(nullptr);
    store("stored", now - 10, now + 86400);
    add_profile("one", "section");
    add_profile("two", "stored");
    load();
    EXPECT_TRUE(complaints.empty()) << complaint();
    const IdentityPtr section = identities->find("section");
    const IdentityPtr stored = identities->find("stored");
    ASSERT_TRUE(section && stored);
    EXPECT_EQ(section->name, "section");
    EXPECT_EQ(section->key.kind, KeyKind::rsa);
    EXPECT_EQ(section->key.bits, 2048U);
    EXPECT_EQ(stored->key.kind, KeyKind::p256);
    EXPECT_NE(section->key.id, stored->key.id);
    EXPECT_NE(section->key.id, 0U);
    EXPECT_FALSE(identities->find("other"));
}

TEST_F(IdentityStoreTest, MakesTheDemoCertificateOnce) {
    add_listener("demo");
    add_profile("sign", "demo");
    load(false);
    EXPECT_TRUE(complaints.empty()) << "before the first start nothing is wrong";
    EXPECT_FALSE(identities->find("demo"));
    load(true);
    EXPECT_TRUE(complaints.empty()) << complaint();
    const IdentityPtr demo = identities->find("demo");
    ASSERT_TRUE(demo);
    EXPECT_EQ(demo->leaf->common_name(), "Sealgate demo");
    EXPECT_EQ(demo->key.bits, 2048U);
    for (const char* address : {"a@gate.example.test", "a@localhost", "a@example.com",
                                "a@mail.example.net", "a@EXAMPLE.org"}) {
        EXPECT_TRUE(demo->leaf->covers(address)) << address;
    }
    EXPECT_FALSE(demo->leaf->covers("a@real.test"));
    EXPECT_EQ(demo->leaf->may_sign(), Reason::ok);
    EXPECT_EQ(demo->leaf->valid_at(std::time(nullptr)), Reason::ok);
    EXPECT_EQ(demo->leaf->valid_at(std::time(nullptr) + 3640LL * 86400), Reason::ok);
    load(true);
    EXPECT_EQ(identities->find("demo")->leaf->serial(), demo->leaf->serial());
}

TEST_F(IdentityStoreTest, IsContentWithAListenerWithoutACertificate) {
    add_listener("none");
    load();
    EXPECT_TRUE(complaints.empty()) << complaint();
}

TEST_F(IdentityStoreTest, NamesTheNearestOfACertificateThatIsNotThere) {
    const std::int64_t now = std::time(nullptr);
    store("example", now, now + 86400);
    add_profile("sign", "exmaple");
    load();
    EXPECT_EQ(complaint(),
              "gate.ini:50: [sending-profile:sign] certificate = exmaple: there is no "
              "such certificate (nearest known: example)");
}

struct BadSection {
    const char* name;
    std::string file, key, passphrase;
    const char* want;
};

TEST_F(IdentityStoreTest, ComplainsOfEachSectionAtItsLine) {
    const std::string encrypted = folder.path("encrypted");
    ASSERT_EQ(run_tool("openssl pkcs8 -topk8 -passout pass:x -in " + key_file_of("p256") +
                       " -out " + encrypted)
                  .status,
              0);
    const std::string wrong = folder.write("wrong", "y\n");
    const BadSection cases[] = {
        {"absent", folder.path("absent"), "", "", "No such file"},
        {"no key", leaf_file("p256"), "", "", "there is no private key"},
        {"absent key", leaf_file("p256"), folder.path("absent"), "", "No such file"},
        {"empty key", leaf_file("p256"), folder.write("empty", ""), "", "empty"},
        {"other key", leaf_file("p256"), key_file_of("p384"), "", "does not match"},
        {"garbage", folder.write("garbage", "hello"), key_file_of("p256"), "", "neither PEM"},
        {"no passphrase", leaf_file("p256"), encrypted, "", "a passphrase is needed (passphrase-f"},
        {"wrong passphrase", leaf_file("p256"), encrypted, wrong, "the passphrase is wrong"},
        {"absent passphrase", leaf_file("p256"), encrypted, folder.path("absent"), "No such file"},
    };
    for (const BadSection& row : cases) {
        SCOPED_TRACE(row.name);
        config.certificates.clear();
        add_section("one", row.file, row.key, row.passphrase);
        add_profile("sign", "one");
        load();
        ASSERT_EQ(complaints.size(), 1U) << "the profile that names it says nothing more";
        EXPECT_EQ(complaints[0].line, 10);
        EXPECT_NE(complaint().find(row.want), std::string::npos) << complaint();
        EXPECT_FALSE(identities->find("one"));
    }
}

TEST_F(IdentityStoreTest, ReadsAnEncryptedKeyWithItsPassphrase) {
    const std::string encrypted = folder.path("encrypted");
    ASSERT_EQ(run_tool("openssl pkcs8 -topk8 -passout pass:x -in " + key_file_of("p256") +
                       " -out " + encrypted)
                  .status,
              0);
    add_section("one", leaf_file("p256"), encrypted, folder.write("passphrase", "x\n"));
    load();
    EXPECT_TRUE(complaints.empty()) << complaint();
    EXPECT_TRUE(identities->find("one"));
}

TEST_F(IdentityStoreTest, ComplainsOfAProfileWhoseCertificateMayNotSign) {
    const std::string certificate = folder.path("c"), key = folder.path("k");
    ASSERT_EQ(run_tool("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout " + key +
                       " -out " + certificate + " -addext keyUsage=keyEncipherment")
                  .status,
              0);
    add_section("encrypts", certificate, key);
    add_listener("encrypts");
    load();
    EXPECT_TRUE(complaints.empty()) << "a listener does not sign";
    add_profile("sign", "encrypts");
    load();
    EXPECT_EQ(complaint(),
              "gate.ini:50: [sending-profile:sign] certificate encrypts may not sign: "
              "bad-key-usage (the certificate may not be used for this)");
}

TEST_F(IdentityStoreTest, WarnsOfDatesAndOfWhatCoversNobody) {
    const std::int64_t now = std::time(nullptr);
    add_profile("sign", "one");
    store("one", now - 86400, now - 10);
    load();
    EXPECT_TRUE(complaints.empty()) << "it bounces mail, but the gateway starts";
    EXPECT_NE(warning().find("has expired"), std::string::npos) << warning();
    store("one", now + 86400, now + 2 * 86400);
    load();
    EXPECT_NE(warning().find("not valid yet"), std::string::npos) << warning();

    const std::string certificate = folder.path("c"), key = folder.path("k");
    ASSERT_EQ(run_tool("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout " + key +
                       " -out " + certificate)
                  .status,
              0);
    add_section("two", certificate, key);
    add_profile("sign", "two");
    load();
    EXPECT_NE(warning().find("covers no sender"), std::string::npos) << warning();
}

TEST_F(IdentityStoreTest, WarnsOfAChainThatIsNotInOrder) {
    std::string text;
    for (const std::string& path : {leaf_file("p256"), root_file(), intermediate_file()}) {
        text += as_text(read_small_file(path)->bytes());
    }
    add_section("one", folder.write("chain", text), key_file_of("p256"));
    load();
    EXPECT_NE(warning().find("not in order"), std::string::npos) << warning();
    EXPECT_EQ(identities->find("one")->chain.size(), 2U);
}

TEST_F(IdentityStoreTest, ComplainsOfAPassphraseFileOfTheGatewayThatIsNotThere) {
    config.gateway.key_passphrase_file = folder.path("absent");
    load(true);
    EXPECT_NE(complaint().find("key-passphrase-file"), std::string::npos) << complaint();
}

TEST_F(IdentityStoreTest, SaysWhyTheDemoCertificateCannotBeMade) {
    config.gateway.data_dir = folder.write("file", "") + "/data";
    add_profile("sign", "demo");
    load(true);
    EXPECT_NE(complaint().find("the demo certificate cannot be made"), std::string::npos)
        << complaint();
}

// --- where a mail policy decrypts
// ---------------------------------------------------------------

TEST_F(IdentityStoreTest, LoadsAllThatIsStoredWhereAPolicyDecrypts) {
    const std::int64_t now = std::time(nullptr);
    store("named", now - 10, now + 86400);
    store("old", now - 86400, now - 10);
    store("young", now + 86400, now + 2 * 86400);
    add_section("section", leaf_file("rsa2048"), key_file_of("rsa2048"));
    add_profile("sign", "named");
    load();
    EXPECT_FALSE(identities->find("old"));
    EXPECT_EQ(identities->all().size(), 2U) << "the section's and the profile's";

    config.mail_flow_policies["ACCEPTED"];
    load();
    EXPECT_EQ(identities->all().size(), 2U) << "a policy that does not decrypt";

    config.mail_flow_policies["DECRYPTS"].smime_verify_decrypt = true;
    load();
    EXPECT_TRUE(complaints.empty()) << complaint();
    EXPECT_TRUE(warnings.empty()) << "old keys are kept to decrypt with: " << warning();
    EXPECT_EQ(identities->all().size(), 4U);
    for (const char* name : {"named", "old", "young", "section"})
        EXPECT_TRUE(identities->find(name)) << name;
}

TEST_F(IdentityStoreTest, WarnsOfStoredOnesThatCannotBeRead) {
    const std::int64_t now = std::time(nullptr);
    store("good", now, now + 86400);
    store("bad", now, now + 86400);
    folder.write("data/certificates/bad/key.pem", "hello");
    config.mail_flow_policies["DECRYPTS"].smime_verify_decrypt = true;
    load();
    EXPECT_TRUE(complaints.empty()) << complaint();
    EXPECT_NE(warning().find("gate.ini:1: certificate bad cannot be used to decrypt: "),
              std::string::npos)
        << warning();
    EXPECT_TRUE(identities->find("good"));

    add_profile("sign", "bad");
    load();
    EXPECT_NE(complaint().find("[sending-profile:sign] certificate bad: "), std::string::npos)
        << "somebody names it";
    for (const Complaint& one : warnings)
        EXPECT_EQ(one.what.find("certificate bad"), std::string::npos) << "told already";
}

TEST_F(IdentityStoreTest, KeepsEveryKeyOfASectionsFileToDecryptWith) {
    // One to sign with and one that may not.
    const std::string certificate = folder.path("c"), key = folder.path("k");
    ASSERT_EQ(run_tool("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout " + key +
                       " -out " + certificate + " -addext keyUsage=keyEncipherment")
                  .status,
              0);
    std::string both;
    for (const std::string& path : {leaf_file("p256"), key_file_of("p256"), certificate, key})
        both += as_text(read_small_file(path)->bytes());
    add_section("one", folder.write("both", both), "");
    load();
    EXPECT_EQ(identities->all().size(), 1U);
    config.mail_flow_policies["DECRYPTS"].smime_verify_decrypt = true;
    load();
    EXPECT_TRUE(complaints.empty()) << complaint();
    const std::vector<IdentityPtr> all = identities->all();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0], identities->find("one"));
    EXPECT_EQ(all[0]->key.kind, KeyKind::p256) << "the one that may sign has the name";
    EXPECT_EQ(all[1]->key.kind, KeyKind::rsa);
    EXPECT_EQ(all[1]->name, "one");
    EXPECT_NE(all[0]->key.id, all[1]->key.id);
}

TEST(ReadIdentities, GivesEveryKeyWithItsCertificate) {
    std::string file;
    for (const char* name : {"p256", "rsa2048", "x25519"}) {
        const std::string base = SEALGATE_SOURCE_DIR "/tests/data/recipients/" + std::string(name);
        for (const char* end : {".pem", ".key.pem"})
            file += as_text(read_small_file(base + end)->bytes());
    }
    const auto all = read_identities("mine", as_bytes(file), {}, std::nullopt);
    ASSERT_TRUE(all) << all.error().what;
    ASSERT_EQ(all->size(), 3U);
    const KeyKind kinds[] = {KeyKind::p256, KeyKind::rsa, KeyKind::x25519};
    for (std::size_t i = 0; i < all->size(); ++i) {
        EXPECT_EQ((*all)[i]->name, "mine");
        EXPECT_EQ((*all)[i]->key.kind, kinds[i]);
        EXPECT_EQ((*all)[i]->leaf->key_kind(), kinds[i]);
    }
}

TEST(ReadIdentities, RefusesFilesWithoutAPair) {
    const std::string certificate(as_text(read_small_file(leaf_file("p256"))->bytes()));
    const std::string key(as_text(read_small_file(key_file_of("p256"))->bytes()));
    const std::string other_key(as_text(read_small_file(key_file_of("p384"))->bytes()));
    EXPECT_TRUE(read_identities("x", as_bytes(certificate), as_bytes(key), std::nullopt));
    const struct {
        const char* name;
        std::string file, key;
    } cases[] = {
        {"nothing", "", ""},
        {"a certificate alone", certificate, ""},
        {"a key alone", key, ""},
        {"a key of another", certificate, other_key},
        {"two keys of others", certificate + other_key, other_key},
        {"a certificate for a key", certificate, certificate},
        {"garbage", "hello", ""},
    };
    for (const auto& row : cases) {
        EXPECT_FALSE(read_identities("x", as_bytes(row.file), as_bytes(row.key), std::nullopt))
            << row.name;
    }
}

}  // namespace
}  // namespace sealgate::test

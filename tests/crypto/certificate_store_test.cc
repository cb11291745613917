// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/certificate_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "crypto/pem.h"
#include "crypto/pkcs12.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {
namespace {

namespace fs = std::filesystem;

CertificateBundle bundle_of(const std::string& name) {
    auto leaf = read_small_file(leaf_file(name));
    auto key = read_small_file(SEALGATE_SOURCE_DIR "/tests/data/signers/" + name + ".key.pem");
    auto intermediate = read_small_file(intermediate_file());
    std::string text(as_text(leaf->bytes()));
    text += as_text(intermediate->bytes());
    auto bundle = read_bundle(as_bytes(text), key->bytes(), std::nullopt);
    EXPECT_TRUE(bundle) << bundle.error().what;
    return *std::move(bundle);
}

mode_t mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
}

std::size_t count_in(const std::string& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

CertificateStore open_with(const std::string& data_dir, const char* passphrase) {
    if (passphrase == nullptr) return CertificateStore(data_dir, std::nullopt);
    return CertificateStore(data_dir, SecureBytes::copy_of(as_bytes(passphrase)));
}

TEST(CertificateName, IsAWordThatIsSafeAsAFileName) {
    const std::pair<std::string, bool> rows[] = {
        {"demo", true},
        {"a", true},
        {"A.b_c-9", true},
        {std::string(64, 'x'), true},
        {"", false},
        {".", false},
        {"..", false},
        {".hidden", false},
        {"a/b", false},
        {"a b", false},
        {"ü", false},
        {std::string(65, 'x'), false},
        {std::string("a\0", 2), false},
        {"../x", false},
        {"a\n", false},
    };
    for (const auto& [name, want] : rows) EXPECT_EQ(is_certificate_name(name), want) << name;
}

TEST(CertificateStore, GivesBackWhatWasWritten) {
    for (const char* passphrase : {static_cast<const char*>(nullptr), "secret"}) {
        const TemporaryFolder folder;
        const std::string data_dir = folder.path("data");
        const CertificateStore store = open_with(data_dir, passphrase);
        EXPECT_TRUE(store.names().empty());
        EXPECT_FALSE(store.has("one"));
        const CertificateBundle written = bundle_of("p256");
        ASSERT_TRUE(store.write("one", written, ""));
        ASSERT_TRUE(store.write("two", bundle_of("ed25519"), ""));
        EXPECT_EQ(store.names(), (std::vector<std::string>{"one", "two"}));
        const auto read = store.read("one");
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(as_text(read->leaf->der()), as_text(written.leaf->der()));
        EXPECT_EQ(as_text(read->pkcs8.bytes()), as_text(written.pkcs8.bytes()));
        EXPECT_EQ(read->chain.size(), 1U);
        EXPECT_TRUE(read->was_ordered);
    }
}

TEST(CertificateStore, KeepsKeysFromOthers) {
    const TemporaryFolder folder;
    const std::string data_dir = folder.path("data");
    ASSERT_TRUE(open_with(data_dir, nullptr).write("one", bundle_of("p256"), ""));
    EXPECT_EQ(mode_of(data_dir + "/certificates"), 0700U);
    EXPECT_EQ(mode_of(data_dir + "/certificates/one"), 0700U);
    EXPECT_EQ(mode_of(data_dir + "/certificates/one/key.pem"), 0600U);
    EXPECT_EQ(folder.read("data/certificates/one/key.pem").find("-----BEGIN PRIVATE KEY-----"), 0U);
}

TEST(CertificateStore, EncryptsKeysWithThePassphraseAndSaysWhenItIsNotThat) {
    const TemporaryFolder folder;
    const std::string data_dir = folder.path("data");
    ASSERT_TRUE(open_with(data_dir, "secret").write("one", bundle_of("p256"), ""));
    EXPECT_EQ(
        folder.read("data/certificates/one/key.pem").find("-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        0U);
    for (const char* wrong : {static_cast<const char*>(nullptr), "Secret"}) {
        const CertificateStore store = open_with(data_dir, wrong);
        const auto read = store.read("one");
        ASSERT_FALSE(read);
        EXPECT_NE(read.error().what.find("key-passphrase-file"), std::string::npos);
        EXPECT_TRUE(store.read_public("one"));
    }
}

TEST(CertificateStore, ReplacesAWholeDirectoryAndLeavesNothingBehind) {
    const TemporaryFolder folder;
    const std::string data_dir = folder.path("data");
    const CertificateStore store = open_with(data_dir, nullptr);
    ASSERT_TRUE(store.write("one", bundle_of("p256"), "request"));
    EXPECT_EQ(store.read_request("one"), "request");
    ASSERT_TRUE(store.write("one", bundle_of("rsa2048"), ""));
    EXPECT_FALSE(store.read_request("one"));
    EXPECT_EQ(store.read("one")->leaf->key_kind(), KeyKind::rsa);
    EXPECT_EQ(count_in(data_dir + "/certificates"), 1U);
    ASSERT_TRUE(store.remove("one"));
    EXPECT_EQ(count_in(data_dir + "/certificates"), 0U);
    EXPECT_FALSE(store.remove("one"));
}

TEST(CertificateStore, OverlooksWhatAnAbortedChangeLeft) {
    const TemporaryFolder folder;
    const CertificateStore store = open_with(folder.path("data"), nullptr);
    ASSERT_TRUE(store.write("one", bundle_of("p256"), ""));
    fs::copy(folder.path("data/certificates/one"), folder.path("data/certificates/.one.AB12"));
    fs::create_directory(folder.path("data/certificates/empty"));
    folder.write("data/certificates/file", "");
    EXPECT_EQ(store.names(), std::vector<std::string>{"one"});
}

TEST(CertificateStore, RefusesNamesThatLeadElsewhere) {
    const TemporaryFolder folder;
    const CertificateStore store = open_with(folder.path("data"), nullptr);
    for (const char* name : {"../one", "a/b", "", ".", ".."}) {
        EXPECT_FALSE(store.write(name, bundle_of("p256"), "")) << name;
        EXPECT_FALSE(store.has(name)) << name;
        EXPECT_FALSE(store.remove(name)) << name;
    }
}

struct DamageCase {
    const char* name;
    const char* file;
    std::string contents;
    const char* want;  // in what is said
};

TEST(CertificateStore, SaysWhatIsWrongWithItsFiles) {
    const TemporaryFolder folder;
    const std::string other_key =
        std::string(as_text(write_pem("PRIVATE KEY", bundle_of("p384").pkcs8.bytes()).bytes()));
    const DamageCase cases[] = {
        {"empty chain", "chain.pem", "", "no certificate"},
        {"garbage chain", "chain.pem", "hello", "neither PEM"},
        {"broken chain", "chain.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n", "without its end"},
        {"no certificate", "chain.pem", other_key, "no certificate"},
        {"empty key", "key.pem", "", "empty"},
        {"garbage key", "key.pem", "hello", "neither PEM"},
        {"another key", "key.pem", other_key, "does not match"},
    };
    for (const DamageCase& row : cases) {
        SCOPED_TRACE(row.name);
        const CertificateStore store = open_with(folder.path("data"), nullptr);
        ASSERT_TRUE(store.write("one", bundle_of("p256"), ""));
        folder.write(std::string("data/certificates/one/") + row.file, row.contents);
        const auto read = store.read("one");
        ASSERT_FALSE(read);
        if (row.contents.empty() && row.file == std::string("chain.pem")) {
            EXPECT_NE(read.error().what.find("empty"), std::string::npos) << read.error().what;
            continue;
        }
        EXPECT_NE(read.error().what.find(row.want), std::string::npos) << read.error().what;
    }
}

TEST(CertificateStore, SaysWhenThePassphraseFileCannotBeUsed) {
    const TemporaryFolder folder;
    EXPECT_FALSE(CertificateStore::open(folder.path("data"), folder.path("absent")));
    EXPECT_FALSE(CertificateStore::open(folder.path("data"), folder.write("empty", "\n")));
    EXPECT_TRUE(CertificateStore::open(folder.path("data"), folder.write("good", "secret\r\nx")));
    EXPECT_TRUE(CertificateStore::open(folder.path("data"), ""));
}

TEST(CertificateBundle, PutsTheChainInOrder) {
    auto root = read_small_file(root_file());
    auto intermediate = read_small_file(intermediate_file());
    auto leaf = read_small_file(leaf_file("p256"));
    auto stray = read_small_file(leaf_file("p384"));
    const auto text = [](const SecureBytes& bytes) { return std::string(as_text(bytes.bytes())); };
    const std::string r = text(*root), i = text(*intermediate), l = text(*leaf), s = text(*stray);
    struct Case {
        const char* name;
        std::string file;
        std::size_t chain, unused;
        bool ordered;
    };
    const Case cases[] = {
        {"in order", l + i + r, 2, 0, true},
        {"without the root", l + i, 1, 0, true},
        {"alone", l, 0, 0, true},
        {"gap", l + r, 0, 1, false},
        {"upside down", l + r + i, 2, 0, false},
        {"twice", l + i + i + r, 2, 0, false},
        {"with a stray one", l + i + r + s, 2, 1, false},
    };
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        const auto bundle = read_bundle(as_bytes(row.file), {}, std::nullopt);
        ASSERT_TRUE(bundle);
        EXPECT_EQ(bundle->chain.size(), row.chain);
        EXPECT_EQ(bundle->unused.size(), row.unused);
        EXPECT_EQ(bundle->was_ordered, row.ordered);
    }
}

TEST(CertificateBundle, TakesTheCertificateThatTheKeyBelongsTo) {
    auto key = read_small_file(SEALGATE_SOURCE_DIR "/tests/data/signers/p256.key.pem");
    std::string text;
    for (const std::string& path : {root_file(), intermediate_file(), leaf_file("p256")}) {
        text += as_text(read_small_file(path)->bytes());
    }
    text += as_text(key->bytes());
    const auto bundle = read_bundle(as_bytes(text), {}, std::nullopt);
    ASSERT_TRUE(bundle) << bundle.error().what;
    EXPECT_EQ(bundle->leaf->key_kind(), KeyKind::p256);
    EXPECT_EQ(bundle->chain.size(), 2U);
}

TEST(CertificateBundle, ReadsThePkcs7ThatAuthoritiesSend) {
    const TemporaryFolder folder;
    for (const char* form : {"PEM", "DER"}) {
        const ToolRun run = run_tool("openssl crl2pkcs7 -nocrl -certfile " + leaf_file("p256") +
                                     " -certfile " + intermediate_file() + " -outform " + form +
                                     " -out " + folder.path("file.p7b"));
        ASSERT_EQ(run.status, 0) << run.output;
        const auto certificates =
            read_certificates(read_small_file(folder.path("file.p7b"))->bytes());
        ASSERT_TRUE(certificates) << certificates.error().what;
        EXPECT_EQ(certificates->size(), 2U);
    }
}

TEST(SmallFile, SaysWhyItCannotBeRead) {
    const TemporaryFolder folder;
    EXPECT_NE(read_small_file(folder.path("absent")).error().what.find("No such file"),
              std::string::npos);
    EXPECT_FALSE(read_small_file(folder.path("")));
    EXPECT_FALSE(read_small_file("/dev/zero"));
    const std::string large(200'000, 'x');
    EXPECT_EQ(as_text(read_small_file(folder.write("large", large))->bytes()), large);
    EXPECT_EQ(read_small_file(folder.write("empty", ""))->size(), 0U);
}

}  // namespace
}  // namespace sealgate::test

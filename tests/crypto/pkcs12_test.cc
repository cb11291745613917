// SPDX-License-Identifier: GPL-3.0-or-later
// PKCS#12 and keys, from and to other people's programs.
#include "crypto/pkcs12.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "crypto/certificate_bundle.h"
#include "crypto/pem.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {
namespace {

const std::string corpus = SEALGATE_CORPUS_DIR;

Answer<CertificateBundle> bundle_in(const std::string& path, const Passphrase& passphrase,
                                    std::string_view serial = "") {
    auto file = read_small_file(path);
    if (!file) return tl::unexpected(file.error());
    return read_bundle(file->bytes(), {}, passphrase, serial);
}

std::string key_file_of(const std::string& name) {
    return SEALGATE_SOURCE_DIR "/tests/data/signers/" + name + ".key.pem";
}

// The signer as a PKCS#12 file of the openssl tool, with further options.
std::string openssl_pkcs12(const TemporaryFolder& folder, const std::string& name,
                           const std::string& options) {
    const std::string path = folder.path(name + ".p12");
    const ToolRun run =
        run_tool("openssl pkcs12 -export -inkey " + key_file_of(name) + " -in " + leaf_file(name) +
                 " -certfile " + intermediate_file() + " -out " + path + " " + options);
    EXPECT_EQ(run.status, 0) << run.output;
    return path;
}

TEST(Pkcs12, OfOpensslIsReadWhateverItIsEncryptedWith) {
    const char* options[] = {
        "-passout pass:secret",
        "-passout pass:secret -name 'Grün' -maciter -iter 5000",
        "-passout pass:secret -keypbe AES-128-CBC -certpbe NONE",
        "-passout pass:secret -nomac",
        "-passout pass:secret -legacy",
        "-passout pass:secret -descert -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        "-passout pass:secret -legacy -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-RC4-128",
    };
    const TemporaryFolder folder;
    for (const char* row : options) {
        SCOPED_TRACE(row);
        const auto bundle = bundle_in(openssl_pkcs12(folder, "p256", row), "secret");
        ASSERT_TRUE(bundle) << bundle.error().what;
        EXPECT_EQ(bundle->leaf->key_kind(), KeyKind::p256);
        EXPECT_EQ(bundle->chain.size(), 1U);
        EXPECT_TRUE(key_matches(bundle->pkcs8.bytes(), bundle->leaf->public_key_der()));
    }
}

TEST(Pkcs12, WithoutAPassphraseOrWithAnEmptyOneIsRead) {
    const TemporaryFolder folder;
    for (const char* row : {"-passout pass:", "-passout pass: -nomac -keypbe NONE -certpbe NONE",
                            "-passout pass: -legacy"}) {
        SCOPED_TRACE(row);
        const std::string path = openssl_pkcs12(folder, "ed25519", row);
        EXPECT_TRUE(bundle_in(path, std::nullopt));
        EXPECT_TRUE(bundle_in(path, ""));
    }
}

TEST(Pkcs12, AsksForThePassphraseThatIsMissingOrWrong) {
    const TemporaryFolder folder;
    const std::string path = openssl_pkcs12(folder, "p256", "-passout pass:secret");
    const auto missing = bundle_in(path, std::nullopt);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().what, "a passphrase is needed");
    EXPECT_TRUE(missing.error().passphrase);
    const auto wrong = bundle_in(path, "Secret");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().what, "the passphrase is wrong");
    EXPECT_TRUE(wrong.error().passphrase);
}

struct CorpusCase {
    const char* path;
    const char* passphrase;
    KeyKind kind;
    std::size_t chain_count;
};

TEST(Pkcs12, OfOtherWritersIsRead) {
    if (!std::filesystem::exists(corpus)) GTEST_SKIP() << "no corpus";
    const CorpusCase cases[] = {
        {"mimekit/UnitTests/TestData/smime/rsa/smime.pfx", "no.secret", KeyKind::rsa, 3},
        {"mimekit/UnitTests/TestData/smime/dnsnames/smime.pfx", "no.secret", KeyKind::rsa, 3},
        {"mimekit/UnitTests/TestData/smime/nochain/smime.pfx", "no.secret", KeyKind::rsa, 0},
        {"nss-smime/tests/smime/interop-openssl/Fran.p12", "nss", KeyKind::rsa, 0},
        {"nss-smime/tests/smime/interop-openssl/Fran-ec.p12", "nss", KeyKind::p384, 0},
        {"notmuch/test/smime/bob.p12", "", KeyKind::rsa, 0},  // GnuPG, in PEM
        {"rfc9216/4.5_PKCS-12-Object-for-Alice.p12", "alice", KeyKind::rsa, 1},
        {"rfc9216/5.5_PKCS-12-Object-for-Bob.p12", "bob", KeyKind::rsa, 1},
        {"rfc9216/7.5_PKCS-12-Object-for-Carlos.p12", "carlos", KeyKind::ed25519, 1},
        {"rfc9216/8.5_PKCS-12-Object-for-Dana.p12", "dana", KeyKind::ed25519, 1},
    };
    for (const CorpusCase& row : cases) {
        SCOPED_TRACE(row.path);
        const auto bundle = bundle_in(corpus + '/' + row.path, row.passphrase);
        ASSERT_TRUE(bundle) << bundle.error().what;
        EXPECT_EQ(bundle->leaf->key_kind(), row.kind);
        EXPECT_EQ(bundle->chain.size(), row.chain_count);
    }
}

TEST(Pkcs12, OfTwoKeysGivesTheOneThatSignsUnlessTheOtherIsNamed) {
    const std::string path = corpus + "/rfc9216/4.5_PKCS-12-Object-for-Alice.p12";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no corpus";
    const auto signs = bundle_in(path, "alice");
    ASSERT_TRUE(signs);
    EXPECT_EQ(signs->leaf->may_sign(), Reason::ok);
    EXPECT_EQ(signs->other_keys_count, 1U);
    const auto unknown = bundle_in(path, "alice", "00");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().what.find("\"alice\" serial"), std::string::npos)
        << unknown.error().what;
    // The error's list is what the operator chooses from.
    std::string all = unknown.error().what;
    const std::size_t known = all.find(signs->leaf->serial());
    ASSERT_NE(known, std::string::npos) << all;
    all.erase(known - 7, signs->leaf->serial().size() + 7);
    const std::size_t other = all.find("serial ", all.find("there are")) + 7;
    const std::string serial = all.substr(other, all.find_first_of(", ", other) - other);
    const auto encrypts = bundle_in(path, "alice", serial);
    ASSERT_TRUE(encrypts) << serial;
    EXPECT_EQ(encrypts->leaf->may_encrypt(), Reason::ok);
    EXPECT_EQ(encrypts->leaf->may_sign(), Reason::bad_key_usage);
}

TEST(Pkcs12, OfTwoKeysThatBothSignIsRefusedWithTheirNames) {
    const TemporaryFolder folder;
    auto one = read_small_file(key_file_of("p256"));
    auto two = read_small_file(key_file_of("p384"));
    auto leaf_one = read_small_file(leaf_file("p256"));
    auto leaf_two = read_small_file(leaf_file("p384"));
    ASSERT_TRUE(one && two && leaf_one && leaf_two);
    std::string text;
    for (const auto* part : {&*one, &*two, &*leaf_one, &*leaf_two}) text += as_text(part->bytes());
    const auto bundle = read_bundle(as_bytes(text), {}, std::nullopt);
    ASSERT_FALSE(bundle);
    EXPECT_EQ(bundle.error().what.find("there is more than one private key"), 0U);
}

TEST(Pkcs12, OfGarbageIsRefused) {
    const TemporaryFolder folder;
    auto good = read_small_file(openssl_pkcs12(folder, "p256", "-passout pass:x -iter 1 -nomac"));
    ASSERT_TRUE(good);
    EXPECT_TRUE(looks_like_pkcs12(good->bytes()));
    for (std::size_t cut = 0; cut < good->size(); ++cut) {
        EXPECT_FALSE(read_pkcs12(good->bytes().first(cut), "x")) << cut;
    }
    for (std::size_t at = 0; at < good->size(); at += 3) {
        SecureBytes changed = SecureBytes::copy_of(good->bytes());
        changed.data()[at] ^= 0x21;
        (void)read_pkcs12(changed.bytes(), "x");  // whatever it says, it comes back
    }
    EXPECT_FALSE(looks_like_pkcs12(as_bytes("0")));
    EXPECT_FALSE(read_pkcs12({}, std::nullopt));
}

class Pkcs12Export : public testing::TestWithParam<const char*> {
protected:
    // Ours, of the signer, with the friendly name "seal gate".
    std::string exported(const TemporaryFolder& folder, const std::string& passphrase = "päss word",
                         Pkcs12Form form = Pkcs12Form::modern) {
        const IdentityPtr identity = signer(GetParam());
        auto key = read_small_file(key_file_of(GetParam()));
        EXPECT_TRUE(key);
        const auto pkcs8 = read_private_key(key->bytes(), std::nullopt);
        EXPECT_TRUE(pkcs8);
        const auto file = write_pkcs12("seal gate", pkcs8->bytes(), identity->leaf->der(),
                                       {identity->chain[0]->der()}, passphrase, form);
        EXPECT_TRUE(file);
        return folder.write("ours.p12", as_text(*file));
    }
};

TEST_P(Pkcs12Export, IsReadByUs) {
    const TemporaryFolder folder;
    const auto bundle = bundle_in(exported(folder), "päss word");
    ASSERT_TRUE(bundle) << bundle.error().what;
    EXPECT_EQ(bundle->chain.size(), 1U);
    EXPECT_FALSE(bundle_in(folder.path("ours.p12"), "pass word"));
}

TEST_P(Pkcs12Export, IsReadByOpenssl) {
    const TemporaryFolder folder;
    exported(folder);
    const ToolRun run = run_tool("openssl pkcs12 -info -nodes -passin 'pass:päss word' -in " +
                                 folder.path("ours.p12"));
    EXPECT_EQ(run.status, 0) << run.output;
    EXPECT_NE(run.output.find("AES-256-CBC"), std::string::npos) << run.output;
    EXPECT_NE(run.output.find("PRIVATE KEY"), std::string::npos);
    EXPECT_NE(run.output.find("friendlyName: seal gate"), std::string::npos);
}

TEST_P(Pkcs12Export, IsReadByNss) {
    if (!has_tool("pk12util")) GTEST_SKIP() << "no pk12util";
    if (std::string(GetParam()) == "ed25519") GTEST_SKIP() << "NSS 3.87 has no Ed25519";
    const TemporaryFolder folder;
    exported(folder);
    const std::string database = " -d sql:" + folder.path("");
    ASSERT_EQ(run_tool("certutil -N --empty-password" + database).status, 0);
    const ToolRun run =
        run_tool("pk12util -i " + folder.path("ours.p12") + database + " -W 'päss word'");
    EXPECT_EQ(run.status, 0) << run.output;
    // And back: what NSS exports (BER, its own defaults) is read here.
    const ToolRun back =
        run_tool("pk12util -o " + folder.path("nss.p12") + " -n 'seal gate' -W nss" + database);
    ASSERT_EQ(back.status, 0) << back.output;
    const auto bundle = bundle_in(folder.path("nss.p12"), "nss");
    ASSERT_TRUE(bundle) << bundle.error().what;
    EXPECT_EQ(bundle->leaf->serial(), signer(GetParam())->leaf->serial());
}

// What gpgsm says of importing `path` with the passphrase "secret".
std::string gpgsm_import(const std::string& path) {
    const TemporaryFolder home;
    const std::string passphrase = home.write("passphrase", "secret\n");
    const ToolRun run = run_tool("gpgsm --homedir " + home.path("") +
                                 " --batch --pinentry-mode loopback --passphrase-fd 0 --import " +
                                 path + " < " + passphrase);
    (void)run_tool("gpgconf --homedir " + home.path("") + " --kill all");
    return run.output;
}

TEST_P(Pkcs12Export, InTheOldFormIsReadByUsByOpensslAndByGnupg) {
    // GnuPG 2.2 reads PKCS#12 of RSA keys only, and AES not before 2.2.41.
    const bool gnupg = has_tool("gpgsm") && std::string(GetParam()).find("rsa") == 0;
    // GnuPG 2.2.40 fails to decrypt for a rare salt (seen once in some hundred runs) what OpenSSL
    // and we read; the next export has another salt. Three times in a row is no accident.
    std::string gpgsm_said;
    for (int tries = 0; tries < 3; ++tries) {
        const TemporaryFolder folder;
        const std::string path = exported(folder, "secret", Pkcs12Form::legacy);
        EXPECT_TRUE(bundle_in(path, "secret"));
        const ToolRun openssl =
            run_tool("openssl pkcs12 -noout -info -passin pass:secret -in " + path);
        EXPECT_EQ(openssl.status, 0) << openssl.output;
        EXPECT_EQ(openssl.output.find("RC2"), std::string::npos) << openssl.output;
        if (!gnupg) return;
        gpgsm_said = gpgsm_import(path);
        if (gpgsm_said.find("secret keys imported: 1") != std::string::npos) return;
    }
    ADD_FAILURE() << gpgsm_said;
}

TEST_P(Pkcs12Export, IsReadByJava) {
    if (!has_tool("keytool")) GTEST_SKIP() << "no keytool";
    const TemporaryFolder folder;
    const ToolRun run = run_tool("keytool -list -storetype PKCS12 -keystore " +
                                 exported(folder, "secret") + " -storepass secret");
    EXPECT_NE(run.output.find("PrivateKeyEntry"), std::string::npos) << run.output;
}

INSTANTIATE_TEST_SUITE_P(Signers, Pkcs12Export,
                         testing::Values("rsa2048", "rsa4096", "p256", "p384", "ed25519"),
                         [](const auto& row) { return std::string(row.param); });

struct KeyFormCase {
    const char* name;
    const char* command;  // from IN to OUT
    const char* passphrase;
};

TEST(PrivateKeyFile, IsReadInEveryForm) {
    const KeyFormCase cases[] = {
        {"PKCS#8", "openssl pkcs8 -topk8 -nocrypt -in IN -out OUT", nullptr},
        {"PKCS#8 DER", "openssl pkcs8 -topk8 -nocrypt -outform DER -in IN -out OUT", nullptr},
        {"PKCS#8 encrypted", "openssl pkcs8 -topk8 -passout pass:secret -in IN -out OUT", "secret"},
        {"PKCS#8 scrypt", "openssl pkcs8 -topk8 -scrypt -passout pass:secret -in IN -out OUT",
         "secret"},
        {"PKCS#8 3DES",
         "openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout pass:secret -in IN -out OUT", "secret"},
        {"PKCS#8 encrypted, DER",
         "openssl pkcs8 -topk8 -outform DER -passout pass:secret -in IN -out OUT", "secret"},
        {"traditional", "openssl pkey -traditional -in IN -out OUT", nullptr},
        {"traditional DER", "openssl pkey -traditional -outform DER -in IN -out OUT", nullptr},
        {"traditional encrypted",
         "openssl pkey -traditional -aes256 -passout pass:secret -in IN -out OUT", "secret"},
    };
    const TemporaryFolder folder;
    for (const char* name : {"rsa2048", "p256", "p384"}) {
        const CertificatePtr leaf = signer(name)->leaf;
        for (const KeyFormCase& row : cases) {
            SCOPED_TRACE(std::string(name) + ", " + row.name);
            std::string command = row.command;
            command.replace(command.find("IN"), 2, key_file_of(name));
            command.replace(command.find("OUT"), 3, folder.path("key"));
            const ToolRun run = run_tool(command);
            ASSERT_EQ(run.status, 0) << run.output;
            auto file = read_small_file(folder.path("key"));
            ASSERT_TRUE(file);
            const bool is_encrypted = row.passphrase != nullptr;
            const auto key = read_private_key(
                file->bytes(), is_encrypted ? Passphrase(row.passphrase) : std::nullopt);
            ASSERT_TRUE(key) << key.error().what;
            EXPECT_TRUE(key_matches(key->bytes(), leaf->public_key_der()));
            if (!is_encrypted) continue;
            for (const Passphrase& wrong : {Passphrase(), Passphrase("wrong")}) {
                const auto refused_key = read_private_key(file->bytes(), wrong);
                ASSERT_FALSE(refused_key);
                EXPECT_EQ(refused_key.error().kind, ErrorKind::untrusted);
            }
        }
    }
}

TEST(PrivateKeyFile, EncryptedByUsIsReadByUsAndByOpenssl) {
    const TemporaryFolder folder;
    for (const char* name : {"rsa2048", "p256", "ed25519"}) {
        SCOPED_TRACE(name);
        auto file = read_small_file(key_file_of(name));
        const auto plain = read_private_key(file->bytes(), std::nullopt);
        ASSERT_TRUE(plain);
        const auto pem = encrypt_private_key(plain->bytes(), "secret");
        ASSERT_TRUE(pem);
        const std::string path = folder.write("key", as_text(pem->bytes()));
        EXPECT_EQ(as_text(pem->bytes()).find("-----BEGIN ENCRYPTED PRIVATE KEY-----"), 0U);
        EXPECT_EQ(run_tool("openssl pkey -noout -passin pass:secret -in " + path).status, 0);
        const auto back = read_private_key(pem->bytes(), "secret");
        ASSERT_TRUE(back);
        EXPECT_EQ(as_text(back->bytes()), as_text(plain->bytes()));
        EXPECT_FALSE(read_private_key(pem->bytes(), std::nullopt));
    }
}

TEST(PrivateKeyFile, OfAnotherCertificateDoesNotMatch) {
    for (const char* name : {"rsa2048", "rsa3072", "p256", "p384", "ed25519"}) {
        auto file = read_small_file(key_file_of(name));
        const auto key = read_private_key(file->bytes(), std::nullopt);
        ASSERT_TRUE(key);
        for (const char* other : {"rsa2048", "rsa3072", "p256", "p384", "ed25519"}) {
            EXPECT_EQ(key_matches(key->bytes(), signer(other)->leaf->public_key_der()),
                      std::string(name) == other)
                << name << " " << other;
        }
    }
}

TEST(Pem, IsReadAsOthersWriteIt) {
    const std::string block =
        "-----BEGIN CERTIFICATE-----\nAAEC\nAwQF\n-----END CERTIFICATE-----\n";
    struct Case {
        const char* name;
        std::string text;
        int want;  // blocks; below 0: refused
    };
    const Case cases[] = {
        {"empty", "", 0},
        {"no block", "hello\n", 0},
        {"one", block, 1},
        {"text around", "Bag Attributes\n    x: y\n" + block + "trailer\n", 1},
        {"two", block + block, 2},
        {"CRLF", "-----BEGIN X-----\r\nAAEC\r\n-----END X-----\r\n", 1},
        {"one long line", "-----BEGIN X-----\nAAECAwQF\n-----END X-----", 1},
        {"indented contents", "-----BEGIN X-----\n  AAEC\n-----END X-----\n", 1},
        {"BEGIN inside a line", "x -----BEGIN X-----\n", 0},
        {"no end", "-----BEGIN X-----\nAAEC\n", -1},
        {"another end", "-----BEGIN X-----\nAAEC\n-----END Y-----\n", -1},
        {"not base64", "-----BEGIN X-----\nA!EC\n-----END X-----\n", -1},
        {"nothing inside", "-----BEGIN X-----\n-----END X-----\n", -1},
        {"label not ended", "-----BEGIN X\n", -1},
    };
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        const auto blocks = read_pem(as_bytes(row.text));
        EXPECT_EQ(blocks ? static_cast<int>(blocks->size()) : -1, row.want);
    }
    const auto blocks = read_pem(as_bytes(block));
    ASSERT_TRUE(blocks);
    EXPECT_EQ(blocks->front().label, "CERTIFICATE");
    EXPECT_EQ(as_text(blocks->front().der.bytes()), std::string_view("\0\1\2\3\4\5", 6));
}

TEST(Pem, WrittenIsReadAgainAtEveryLength) {
    for (std::size_t length = 1; length < 200; ++length) {
        Bytes der(length);
        for (std::size_t i = 0; i < length; ++i) der[i] = static_cast<std::uint8_t>(i * 7);
        const SecureBytes text = write_pem("X", der);
        const auto blocks = read_pem(text.bytes());
        ASSERT_TRUE(blocks && blocks->size() == 1) << length;
        EXPECT_EQ(as_text(blocks->front().der.bytes()), as_text(der));
        EXPECT_EQ(as_text(text.bytes()).find("\n\n"), std::string_view::npos);
    }
}

}  // namespace
}  // namespace sealgate::test

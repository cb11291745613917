// SPDX-License-Identifier: GPL-3.0-or-later
// What is decrypted: what this gateway writes, what openssl writes in every variant that it can
// make, and other people's test messages.
#include "crypto/smime_decrypt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "core/metrics.h"
#include "tests/crypto/decrypt_fixture.h"

namespace sealgate {
namespace {

using test::all_keys;
using test::Correspondent;
using test::correspondent;
using test::encrypt_message;
using test::envelope_for;
using test::identity_of;
using test::keys_of;
using test::open_cms;
using test::open_message;
using test::Opened;
using test::run_tool;
using test::TemporaryFolder;

const std::string entity =
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "Gr=C3=BC=C3=9Fe,\r\n"
    ".a line that begins with a dot\r\n"
    "Alice\r\n";

std::string content_of(std::size_t bytes) {
    std::string text = "Content-Type: text/plain\r\n\r\n";
    for (unsigned line = 0; text.size() < bytes; ++line)
        text += "Line " + std::to_string(line) + ", of no interest but for its length.\r\n";
    text.resize(bytes);
    return text;
}

void expect_content(const Opened& opened, const std::string& content, const std::string& what) {
    ASSERT_TRUE(opened.ended) << what << (opened.error ? std::string(": ") + opened.error : "");
    EXPECT_EQ(opened.error, nullptr) << what << ": " << opened.error;
    EXPECT_EQ(opened.report.reason, Reason::ok) << what << ": " << opened.report.why;
    EXPECT_EQ(opened.report.why, "") << what;
    EXPECT_TRUE(opened.finished && !opened.failed_early) << what;
    EXPECT_TRUE(opened.content == content) << what << ", " << opened.content.size() << " bytes";
    EXPECT_EQ(opened.report.type, LayerReport::Type::encrypted);
}

// --- what this gateway writes
// --------------------------------------------------------------------

constexpr ContentCipher written_ciphers[] = {ContentCipher::aes_128_cbc, ContentCipher::aes_256_cbc,
                                             ContentCipher::aes_128_gcm,
                                             ContentCipher::aes_256_gcm};

TEST(DecryptStage, ReadsWhatIsWrittenHere) {
    const struct {
        const char* recipient;
        RsaTransport transport;
        const char* want;
    } cases[] = {
        {"rsa2048", RsaTransport::pkcs1, "rsa-pkcs1"}, {"rsa2048", RsaTransport::oaep, "rsa-oaep"},
        {"rsa3072", RsaTransport::pkcs1, "rsa-pkcs1"}, {"rsa3072", RsaTransport::oaep, "rsa-oaep"},
        {"rsa4096", RsaTransport::pkcs1, "rsa-pkcs1"}, {"rsa4096", RsaTransport::oaep, "rsa-oaep"},
        {"p256", RsaTransport::pkcs1, "ecdh"},         {"p384", RsaTransport::pkcs1, "ecdh"},
        {"x25519", RsaTransport::pkcs1, "ecdh"},
    };
    for (const auto& row : cases) {
        for (const ContentCipher cipher : written_ciphers) {
            const Correspondent who = correspondent(row.recipient);
            const std::string what = std::string(row.recipient) + " " + to_text(cipher);
            const auto sealed =
                encrypt_message(envelope_for({who}, cipher, row.transport), {entity});
            ASSERT_TRUE(sealed.finished);
            const Opened opened = open_message(sealed.text, all_keys());
            expect_content(opened, entity, what);
            EXPECT_EQ(opened.report.cipher, to_text(cipher)) << what;
            EXPECT_EQ(opened.report.key_transport, row.want) << what;
            EXPECT_EQ(opened.report.recipient_serial, who.certificate->serial()) << what;
            EXPECT_FALSE(opened.report.weak_cipher) << what;
            EXPECT_EQ(opened.report.content_type,
                      is_authenticated(cipher) ? "authEnvelopedData" : "envelopedData")
                << what;
        }
    }
}

TEST(DecryptStage, ReadsContentsOfEveryLengthInEveryPiece) {
    for (const ContentCipher cipher : {ContentCipher::aes_256_cbc, ContentCipher::aes_128_gcm}) {
        for (const std::size_t bytes : {0u, 1u, 15u, 16u, 17u, 8191u, 8192u, 8193u, 300'000u}) {
            const std::string content = content_of(bytes);
            const auto sealed = encrypt_message(envelope_for({correspondent("p256")}, cipher),
                                                test::in_pieces(content));
            ASSERT_TRUE(sealed.finished);
            const Bytes cms = test::body_of(sealed.text);
            const auto keys = keys_of({"p256"});
            for (const std::size_t piece_bytes :
                 {std::size_t{700}, std::size_t{65'536}, cms.size()})
                expect_content(open_cms(cms, keys, piece_bytes), content,
                               std::string(to_text(cipher)) + " " + std::to_string(bytes));
            if (bytes <= 17) expect_content(open_cms(cms, keys, 1), content, "byte by byte");
        }
    }
}

TEST(DecryptStage, ReadsTheSameAtEveryCut) {
    const auto keys = keys_of({"p256"});
    for (const ContentCipher cipher : {ContentCipher::aes_256_cbc, ContentCipher::aes_256_gcm}) {
        const auto sealed =
            encrypt_message(envelope_for({correspondent("p256")}, cipher), {entity});
        const Bytes cms = test::body_of(sealed.text);
        for (std::size_t first = 1; first < cms.size(); ++first)
            expect_content(open_cms(cms, keys, first), entity, std::to_string(first));
    }
}

TEST(DecryptStage, CountsWhatItDeciphers) {
    const std::uint64_t before = Metrics::instance().value(Counter::content_decryptions);
    const auto sealed = encrypt_message(envelope_for({correspondent("rsa2048")}), {entity});
    open_message(sealed.text, all_keys());
    EXPECT_EQ(Metrics::instance().value(Counter::content_decryptions), before + 1);
    open_message(sealed.text, keys_of({"p256"}));
    EXPECT_EQ(Metrics::instance().value(Counter::content_decryptions), before + 1)
        << "it is for others";
}

TEST(DecryptStage, FindsItsOwnAmongManyRecipients) {
    std::vector<Correspondent> recipients;
    for (const char* name : {"rsa4096", "x25519", "rsa2048", "p256", "rsa3072", "p384"})
        recipients.push_back(correspondent(name));
    for (const ContentCipher cipher : written_ciphers) {
        const auto sealed = encrypt_message(envelope_for(recipients, cipher), {entity});
        for (const Correspondent& who : recipients) {
            const Opened opened = open_message(sealed.text, keys_of({who.name}));
            expect_content(opened, entity, who.name);
            EXPECT_EQ(opened.report.recipient_serial, who.certificate->serial());
        }
        const Opened opened = open_message(sealed.text, keys_of({"capable"}));
        EXPECT_EQ(opened.report.reason, Reason::no_key);
        EXPECT_TRUE(opened.failed_early && opened.ended && !opened.finished);
        EXPECT_EQ(opened.content, "");
        EXPECT_EQ(opened.report.cipher, to_text(cipher)) << "what it was is told all the same";
        EXPECT_EQ(opened.report.key_transport, "");
    }
}

// --- what openssl writes
// -------------------------------------------------------------------------

struct OpensslCase {
    const char* options;
    const char* recipient;
    const char* cipher;
    const char* transport;
};

std::string name_of(const testing::TestParamInfo<OpensslCase>& one) {
    std::string name = one.param.recipient;
    for (const char* c = one.param.options; *c != '\0'; ++c) {
        if (std::isalnum(static_cast<unsigned char>(*c))) name += *c;
    }
    return name;
}

class OpensslMessage : public testing::TestWithParam<OpensslCase> {};

TEST_P(OpensslMessage, IsDecrypted) {
    const OpensslCase& row = GetParam();
    const TemporaryFolder folder;
    const Correspondent who = correspondent(row.recipient);
    const std::string plain = folder.write("plain", entity);
    for (const char* form : {"", "-stream"}) {
        const auto run = run_tool("openssl cms -encrypt -binary -outform DER -in " + plain +
                                  " -out " + folder.path("cms") + " " + form + " " + row.options +
                                  " -provider legacy -provider default " +
                                  (std::string(row.options).find("-keyopt") == std::string::npos
                                       ? who.certificate_file
                                       : ""));
        ASSERT_EQ(run.status, 0) << run.output;
        const std::string cms = folder.read("cms");
        for (const std::size_t piece_bytes : {std::size_t{65'536}, std::size_t{1}}) {
            const Opened opened = open_cms(as_bytes(cms), all_keys(), piece_bytes);
            expect_content(opened, entity, row.options);
            EXPECT_EQ(opened.report.cipher, row.cipher);
            EXPECT_EQ(opened.report.key_transport, row.transport);
            EXPECT_EQ(opened.report.recipient_serial, who.certificate->serial());
            const std::string cipher = row.cipher;
            EXPECT_EQ(opened.report.weak_cipher, cipher[0] == '3' || cipher[0] == 'r');
        }
    }
}

#define RECIPIENT(name) "-recip " SEALGATE_SOURCE_DIR "/tests/data/recipients/" name ".pem "
#define OAEP RECIPIENT("rsa2048") "-keyopt rsa_padding_mode:oaep "
const OpensslCase openssl_cases[] = {
    // Ciphers.
    {"-aes128", "rsa2048", "aes-128-cbc", "rsa-pkcs1"},
    {"-aes192", "rsa2048", "aes-192-cbc", "rsa-pkcs1"},
    {"-aes256", "rsa3072", "aes-256-cbc", "rsa-pkcs1"},
    {"-aes-128-gcm", "rsa4096", "aes-128-gcm", "rsa-pkcs1"},
    {"-aes-192-gcm", "rsa2048", "aes-192-gcm", "rsa-pkcs1"},
    {"-aes-256-gcm", "rsa2048", "aes-256-gcm", "rsa-pkcs1"},
    {"-des3", "rsa2048", "3des-cbc", "rsa-pkcs1"},
    {"-rc2-40-cbc", "rsa2048", "rc2-40-cbc", "rsa-pkcs1"},
    {"-rc2-64-cbc", "rsa2048", "rc2-64-cbc", "rsa-pkcs1"},
    {"-rc2-cbc", "rsa2048", "rc2-128-cbc", "rsa-pkcs1"},
    // Named by subject key identifier.
    {"-keyid -aes128", "rsa2048", "aes-128-cbc", "rsa-pkcs1"},
    {"-keyid -aes128", "p256", "aes-128-cbc", "ecdh"},
    {"-keyid -aes-256-gcm", "p384", "aes-256-gcm", "ecdh"},
    // OAEP.
    {"-aes128 " OAEP, "rsa2048", "aes-128-cbc", "rsa-oaep"},
    {"-aes128 " OAEP "-keyopt rsa_oaep_md:sha1", "rsa2048", "aes-128-cbc", "rsa-oaep"},
    {"-aes128 " OAEP "-keyopt rsa_oaep_md:sha224", "rsa2048", "aes-128-cbc", "rsa-oaep"},
    {"-aes128 " OAEP "-keyopt rsa_oaep_md:sha256", "rsa2048", "aes-128-cbc", "rsa-oaep"},
    {"-aes128 " OAEP "-keyopt rsa_oaep_md:sha384", "rsa2048", "aes-128-cbc", "rsa-oaep"},
    {"-aes128 " OAEP "-keyopt rsa_oaep_md:sha512", "rsa2048", "aes-128-cbc", "rsa-oaep"},
    {"-des3 " OAEP "-keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha1", "rsa2048", "3des-cbc",
     "rsa-oaep"},
    {"-aes-256-gcm " OAEP "-keyopt rsa_oaep_md:sha1 -keyopt rsa_mgf1_md:sha512", "rsa2048",
     "aes-256-gcm", "rsa-oaep"},
    {"-aes256 " OAEP "-keyopt rsa_oaep_md:sha512 -keyopt rsa_mgf1_md:sha384", "rsa2048",
     "aes-256-cbc", "rsa-oaep"},
    {"-aes256 " OAEP "-keyopt rsa_oaep_label:0badc0de", "rsa2048", "aes-256-cbc", "rsa-oaep"},
    // Key agreement.
    {"-aes128", "p256", "aes-128-cbc", "ecdh"},
    {"-aes192", "p256", "aes-192-cbc", "ecdh"},
    {"-aes256", "p384", "aes-256-cbc", "ecdh"},
    {"-aes-192-gcm", "p384", "aes-192-gcm", "ecdh"},
    {"-des3", "p256", "3des-cbc", "ecdh"},
    {"-des3 -des3-wrap", "p384", "3des-cbc", "ecdh"},
    {"-rc2-cbc", "p256", "rc2-128-cbc", "ecdh"},
    {"-aes256 -aes128-wrap", "p256", "aes-256-cbc", "ecdh"},
    {"-aes128 -aes192-wrap", "p256", "aes-128-cbc", "ecdh"},
    {"-aes128 -aes256-wrap", "p384", "aes-128-cbc", "ecdh"},
    {"-aes128 -des3-wrap", "p256", "aes-128-cbc", "ecdh"},
    {"-aes-256-gcm -des3-wrap", "p384", "aes-256-gcm", "ecdh"},
    {"-aes128 " RECIPIENT("p256") "-keyopt ecdh_kdf_md:sha1", "p256", "aes-128-cbc", "ecdh"},
    {"-aes128 " RECIPIENT("p256") "-keyopt ecdh_kdf_md:sha224", "p256", "aes-128-cbc", "ecdh"},
    {"-aes128 " RECIPIENT("p384") "-keyopt ecdh_kdf_md:sha256", "p384", "aes-128-cbc", "ecdh"},
    {"-aes192 " RECIPIENT("p256") "-keyopt ecdh_kdf_md:sha384", "p256", "aes-192-cbc", "ecdh"},
    {"-aes256 " RECIPIENT("p256") "-keyopt ecdh_kdf_md:sha512", "p256", "aes-256-cbc", "ecdh"},
    {"-aes128 " RECIPIENT("p256") "-keyopt ecdh_cofactor_mode:1", "p256", "aes-128-cbc", "ecdh"},
    {"-aes128 " RECIPIENT("p256") "-keyopt ecdh_cofactor_mode:1 -keyopt ecdh_kdf_md:sha224", "p256",
     "aes-128-cbc", "ecdh"},
    {"-aes128 " RECIPIENT("p384") "-keyopt ecdh_cofactor_mode:1 -keyopt ecdh_kdf_md:sha256", "p384",
     "aes-128-cbc", "ecdh"},
    {"-aes128 " RECIPIENT("p384") "-keyopt ecdh_cofactor_mode:1 -keyopt ecdh_kdf_md:sha384", "p384",
     "aes-128-cbc", "ecdh"},
    {"-des3 " RECIPIENT("p384") "-keyopt ecdh_cofactor_mode:1 -keyopt ecdh_kdf_md:sha512", "p384",
     "3des-cbc", "ecdh"},
};
INSTANTIATE_TEST_SUITE_P(All, OpensslMessage, testing::ValuesIn(openssl_cases), name_of);

// --- other people's messages
// ---------------------------------------------------------------------

std::string file_text(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

TEST(DecryptStage, ReadsTheMessagesOfNss) {
    const std::string folder = SEALGATE_CORPUS_DIR "/nss-smime/tests/smime/interop-openssl";
    std::vector<IdentityPtr> identities;
    for (const std::string name : {"Fran", "Fran-ec"}) {
        const std::string base = "nss-smime/derived-keys/" + name;
        identities.push_back(
            identity_of(test::corpus_correspondent(name, base + ".crt.pem", base + ".key.pem")));
        if (!identities.back()) GTEST_SKIP() << "no corpus at " SEALGATE_CORPUS_DIR;
    }
    const auto keys = DecryptionKeys::of(identities);
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".env") continue;
        ++count;
        const std::string name = entry.path().filename().string();
        const std::string cms = file_text(entry.path().string());
        for (const std::size_t piece_bytes : {std::size_t{65'536}, std::size_t{1}}) {
            const Opened opened = open_cms(as_bytes(cms), keys, piece_bytes);
            EXPECT_EQ(opened.report.reason, Reason::ok) << name << ": " << opened.report.why;
            EXPECT_NE(opened.content.find("This is a test message to Fran."), std::string::npos)
                << name;
            EXPECT_EQ(opened.report.key_transport,
                      name.find("-ec_") == name.npos ? "rsa-oaep" : "ecdh")
                << name;
        }
    }
    EXPECT_EQ(count, 17);
}

TEST(DecryptStage, ReadsTheMessagesOfNotmuch) {
    const std::string folder = SEALGATE_CORPUS_DIR "/notmuch/test/corpora/protected-headers/";
    const IdentityPtr bob = identity_of(test::corpus_correspondent(
        "bob", "notmuch/derived-keys/bob.crt.pem", "notmuch/derived-keys/bob.key.pem"));
    if (!bob) GTEST_SKIP() << "no corpus at " SEALGATE_CORPUS_DIR;
    const auto keys = DecryptionKeys::of({bob});
    const struct {
        const char* name;
        const char* begins;
    } cases[] = {
        {"smime-enc+legacy-disp.eml", "multipart/mixed"},
        {"smime-sign+enc+legacy-disp.eml", "application/pkcs7-mime"},
        {"smime-sign+enc.eml", "application/pkcs7-mime"},
    };
    for (const auto& row : cases) {
        const Opened opened = open_message(file_text(folder + row.name), keys);
        EXPECT_EQ(opened.report.reason, Reason::ok) << row.name << ": " << opened.report.why;
        EXPECT_TRUE(opened.finished) << row.name;
        EXPECT_NE(opened.content.substr(0, 400).find(row.begins), std::string::npos) << row.name;
        EXPECT_EQ(opened.report.cipher, "3des-cbc") << row.name;
        EXPECT_TRUE(opened.report.weak_cipher) << row.name;
    }
}

TEST(DecryptStage, ReadsWhatIsForTheKeysOfRfc9216) {
    const struct {
        const char* name;
        const char* number;
        const char* transport;
    } cases[] = {
        {"Alice", "4", "rsa-pkcs1"},
        {"Bob", "5", "rsa-pkcs1"},
        {"Carlos", "7", "ecdh"},
        {"Dana", "8", "ecdh"},
    };
    for (const auto& row : cases) {
        const std::string number = row.number, name = row.name;
        const Correspondent who = test::corpus_correspondent(
            name,
            "rfc9216/" + number + ".3_" + name + "-s-Encryption-End-Entity-Certificate.crt.pem",
            "rfc9216/" + number + ".4_" + name + "-s-Decryption-Private-Key-Material.key.pem");
        const IdentityPtr identity = identity_of(who);
        if (!identity) GTEST_SKIP() << "no corpus at " SEALGATE_CORPUS_DIR;
        for (const ContentCipher cipher : written_ciphers) {
            const auto sealed = encrypt_message(envelope_for({who}, cipher), {entity});
            const Opened opened = open_message(sealed.text, DecryptionKeys::of({identity}));
            expect_content(opened, entity, name);
            EXPECT_EQ(opened.report.key_transport, row.transport);
        }
    }
}

// Their PKCS#12 files hold two keys each: one to sign with, one to decrypt with.
TEST(DecryptStage, ReadsWithTheKeysOfAPkcs12File) {
    const std::string base = SEALGATE_CORPUS_DIR "/rfc9216/";
    const Correspondent alice = test::corpus_correspondent(
        "Alice", "rfc9216/4.3_Alice-s-Encryption-End-Entity-Certificate.crt.pem", "");
    if (!alice.certificate) GTEST_SKIP() << "no corpus at " SEALGATE_CORPUS_DIR;
    const std::string file = file_text(base + "4.5_PKCS-12-Object-for-Alice.p12");
    const auto identities = read_identities("alice", as_bytes(file), {}, "alice");
    ASSERT_TRUE(identities) << identities.error().what;
    EXPECT_EQ(identities->size(), 2u);
    const auto sealed = encrypt_message(envelope_for({alice}), {entity});
    expect_content(open_message(sealed.text, DecryptionKeys::of(*identities)), entity, "Alice");
}

}  // namespace
}  // namespace sealgate

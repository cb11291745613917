// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/smime_encrypt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/metrics.h"
#include "tests/crypto/encrypt_fixture.h"
#include "tests/crypto/libcrypto_reader.h"

namespace sealgate {
namespace {

using test::Correspondent;
using test::correspondent;
using test::decrypt_with_libcrypto;
using test::encrypt_message;
using test::envelope_for;
using test::in_pieces;
using test::Outcome;
using test::run_tool;
using test::TemporaryFolder;

const std::string entity =
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "Gr=C3=BC=C3=9Fe,\r\n"
    "\r\n"
    ".a line that begins with a dot\r\n"
    "-- \r\n"
    "Alice\r\n";

std::string content_of(std::size_t bytes) {
    std::string text = "Content-Type: text/plain\r\n\r\n";
    for (unsigned line = 0; text.size() < bytes; ++line)
        text += "Line " + std::to_string(line) + ", of no interest but for its length.\r\n";
    text.resize(bytes);
    return text;
}

// `openssl cms -decrypt` of the message with that correspondent's key, byte for byte.
void expect_openssl_reads(const std::string& message, const Correspondent& who,
                          const std::string& content) {
    const TemporaryFolder folder;
    const std::string mail = folder.write("mail", message);
    const auto run =
        run_tool("openssl cms -decrypt -in " + mail + " -recip " + who.certificate_file +
                 " -inkey " + who.key_file + " -out " + folder.path("content"));
    ASSERT_EQ(run.status, 0) << who.name << "\n" << run.output << message.substr(0, 2000);
    EXPECT_EQ(folder.read("content"), content) << who.name;
}

// The CMS in the message, as `openssl asn1parse` shows it.
std::string asn1_of(const std::string& message) {
    const TemporaryFolder folder;
    const std::string cms = folder.write("cms", test::cms_of(message));
    return run_tool("openssl asn1parse -inform DER -in " + cms).output;
}

std::size_t count_of(std::string_view text, std::string_view what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
    return count;
}

constexpr ContentCipher all_ciphers[] = {ContentCipher::aes_128_cbc, ContentCipher::aes_256_cbc,
                                         ContentCipher::aes_128_gcm, ContentCipher::aes_256_gcm};

// --- the matrix, each cell read by openssl
// ---------------------------------------------------------

struct Case {
    const char* recipient;
    ContentCipher cipher;
    RsaTransport transport;
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
    std::string name = info.param.recipient;
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
    name += info.param.transport == RsaTransport::oaep ? "Oaep" : "";
    for (std::string_view word = to_text(info.param.cipher); !word.empty();) {
        const std::size_t end = std::min(word.find('-'), word.size());
        name += static_cast<char>(word[0] >= 'a' ? word[0] - 'a' + 'A' : word[0]);
        name += word.substr(1, end - 1);
        word.remove_prefix(std::min(end + 1, word.size()));
    }
    return name;
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const ContentCipher cipher : all_ciphers) {
        for (const char* name : {"rsa2048", "rsa3072", "rsa4096"}) {
            for (const RsaTransport transport : {RsaTransport::pkcs1, RsaTransport::oaep})
                cases.push_back({name, cipher, transport});
        }
        // X25519: OpenSSL 3 has no key agreement for it in CMS; others read it in
        // smime_encrypt_peers_test.cc.
        for (const char* name : {"p256", "p384"})
            cases.push_back({name, cipher, RsaTransport::pkcs1});
    }
    return cases;
}

class EncryptedMessageTest : public testing::TestWithParam<Case> {};

TEST_P(EncryptedMessageTest, IsDecryptedByOpenssl) {
    const Correspondent who = correspondent(GetParam().recipient);
    const Outcome outcome =
        encrypt_message(envelope_for({who}, GetParam().cipher, GetParam().transport), {entity});
    ASSERT_TRUE(outcome.finished) << (outcome.error ? outcome.error : "");
    expect_openssl_reads(outcome.text, who, entity);
}

INSTANTIATE_TEST_SUITE_P(All, EncryptedMessageTest, testing::ValuesIn(all_cases()), name_of);

// --- the shape of the message
// ----------------------------------------------------------------------

TEST(SmimeEncrypt, WritesTheHeadOfRfc8551) {
    const struct {
        ContentCipher cipher;
        const char* type;
        const char* begin;
    } cases[] = {
        {ContentCipher::aes_128_cbc, "enveloped-data", "MIAGCSqGSIb3DQEHA6CAMIACAQAx"},
        {ContentCipher::aes_256_gcm, "authEnveloped-data", "MIAGCyqGSIb3DQEJEAEXoIAwgAIBADGC"},
    };
    for (const auto& row : cases) {
        const Outcome outcome =
            encrypt_message(envelope_for({correspondent("rsa2048")}, row.cipher), {entity});
        ASSERT_TRUE(outcome.finished);
        const std::string head =
            std::string("MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=") +
            row.type +
            ";\r\n name=\"smime.p7m\"\r\n"
            "Content-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n"
            "\r\n" +
            row.begin;
        EXPECT_EQ(outcome.text.substr(0, head.size()), head);
        EXPECT_EQ(outcome.text.substr(outcome.text.size() - 2), "\r\n");
    }
}

TEST(SmimeEncrypt, GivesTheVersionThatTheRecipientsAskFor) {
    const struct {
        std::vector<const char*> recipients;
        ContentCipher cipher;
        const char* want;
    } cases[] = {
        {{"rsa2048"}, ContentCipher::aes_256_cbc, "INTEGER           :00"},
        {{"p256"}, ContentCipher::aes_256_cbc, "INTEGER           :02"},
        {{"rsa2048", "x25519"}, ContentCipher::aes_256_cbc, "INTEGER           :02"},
        {{"p256"}, ContentCipher::aes_256_gcm, "INTEGER           :00"},
    };
    for (const auto& row : cases) {
        std::vector<Correspondent> recipients;
        for (const char* name : row.recipients) recipients.push_back(correspondent(name));
        const std::string asn1 =
            asn1_of(encrypt_message(envelope_for(recipients, row.cipher), {entity}).text);
        const std::string line = asn1.substr(asn1.find("INTEGER"), std::string(row.want).size());
        EXPECT_EQ(line, row.want) << row.recipients[0] << " " << to_text(row.cipher);
    }
}

TEST(SmimeEncrypt, NamesEachRecipientOnce) {
    const Correspondent rsa = correspondent("rsa2048");
    const Correspondent ec = correspondent("p384");
    // A copy of its own, as another look-up would make it.
    Correspondent rsa_again = rsa;
    rsa_again.certificate = *Certificate::parse(rsa.certificate->der());
    const Outcome outcome =
        encrypt_message(envelope_for({rsa, ec, rsa, rsa_again, ec, rsa}), {entity});
    ASSERT_TRUE(outcome.finished);
    const std::string asn1 = asn1_of(outcome.text);
    EXPECT_EQ(count_of(asn1, ":rsaEncryption"), 1u);
    EXPECT_EQ(count_of(asn1, ":dhSinglePass-stdDH-sha384kdf-scheme"), 1u);
    for (const Correspondent& who : {rsa, ec})
        EXPECT_EQ(decrypt_with_libcrypto(outcome.text, who), entity);
}

TEST(SmimeEncrypt, GivesEachRsaRecipientTheTransportOfItsOwn) {
    EncryptPlan plan = envelope_for({correspondent("rsa2048"), correspondent("rsa3072")});
    plan.recipients[1].transport = RsaTransport::oaep;
    const Outcome outcome = encrypt_message(plan, {entity});
    const std::string asn1 = asn1_of(outcome.text);
    EXPECT_EQ(count_of(asn1, ":rsaEncryption"), 1u);
    EXPECT_EQ(count_of(asn1, ":rsaesOaep"), 1u);
    EXPECT_EQ(count_of(asn1, ":sha256"), 2u) << "of the padding and of its mask";
    for (const char* name : {"rsa2048", "rsa3072"})
        EXPECT_EQ(decrypt_with_libcrypto(outcome.text, correspondent(name)), entity) << name;
}

TEST(SmimeEncrypt, IsReadByEveryRecipientOfAMixedMessage) {
    std::vector<Correspondent> recipients;
    for (const char* name : {"x25519", "rsa2048", "p256", "rsa4096", "p384", "rsa3072"})
        recipients.push_back(correspondent(name));
    for (const ContentCipher cipher : all_ciphers) {
        const Outcome outcome = encrypt_message(envelope_for(recipients, cipher), {entity});
        ASSERT_TRUE(outcome.finished);
        for (const Correspondent& who : recipients) {
            if (who.name == "x25519") continue;  // not by this reader
            EXPECT_EQ(decrypt_with_libcrypto(outcome.text, who), entity)
                << who.name << " " << to_text(cipher);
        }
    }
}

TEST(SmimeEncrypt, IsNotReadByAnybodyElse) {
    const Outcome outcome = encrypt_message(envelope_for({correspondent("rsa2048")}), {entity});
    EXPECT_FALSE(decrypt_with_libcrypto(outcome.text, correspondent("rsa3072")));
    EXPECT_EQ(outcome.text.find("Alice"), std::string::npos);
}

TEST(SmimeEncrypt, EncryptsToKeysOfOtherPeoplesTests) {
    struct Row {
        const char* name;
        const char* certificate;
        const char* key;
    };
    const Row rows[] = {
        {"alice", "rfc9216/4.3_Alice-s-Encryption-End-Entity-Certificate.crt.pem",
         "rfc9216/4.4_Alice-s-Decryption-Private-Key-Material.key.pem"},
        {"bob", "rfc9216/5.3_Bob-s-Encryption-End-Entity-Certificate.crt.pem",
         "rfc9216/5.4_Bob-s-Decryption-Private-Key-Material.key.pem"},
        {"rsa", "mimekit/derived-keys/rsa.crt.pem", "mimekit/derived-keys/rsa.key.pem"},
        // For a whole domain.
        {"dnsnames", "mimekit/derived-keys/dnsnames.crt.pem",
         "mimekit/derived-keys/dnsnames.key.pem"},
    };
    std::vector<Correspondent> recipients;
    for (const Row& row : rows) {
        const Correspondent who = test::corpus_correspondent(row.name, row.certificate, row.key);
        if (!who.certificate) GTEST_SKIP() << "no corpus at " SEALGATE_CORPUS_DIR;
        EXPECT_EQ(who.certificate->may_encrypt(), Reason::ok) << row.name;
        recipients.push_back(who);
    }
    const Outcome outcome =
        encrypt_message(envelope_for(recipients, ContentCipher::aes_256_gcm), {entity});
    ASSERT_TRUE(outcome.finished);
    for (const Correspondent& who : recipients)
        EXPECT_EQ(decrypt_with_libcrypto(outcome.text, who), entity) << who.name;
}

TEST(SmimeEncrypt, UsesAnotherKeyAndNonceForEachMessage) {
    // The content is one block: equal keys and vectors would give equal ciphertexts.
    const EncryptPlan plan = envelope_for({correspondent("rsa2048")}, ContentCipher::aes_256_gcm);
    std::vector<std::string> ends;
    for (int i = 0; i < 8; ++i) {
        const std::string cms = test::cms_of(encrypt_message(plan, {"0123456789abcdef"}).text);
        ends.push_back(cms.substr(cms.size() - 44));
    }
    std::sort(ends.begin(), ends.end());
    EXPECT_EQ(std::unique(ends.begin(), ends.end()), ends.end());
}

// --- streaming
// ---------------------------------------------------------------------------------------

TEST(SmimeEncrypt, GivesTheSameContentHoweverTheInputIsCut) {
    const Correspondent who = correspondent("p256");
    for (const ContentCipher cipher : {ContentCipher::aes_256_cbc, ContentCipher::aes_128_gcm}) {
        const EncryptPlan plan = envelope_for({who}, cipher);
        const std::string_view in = entity;
        for (std::size_t cut = 0; cut <= in.size(); ++cut) {
            const Outcome outcome = encrypt_message(plan, {in.substr(0, cut), in.substr(cut)});
            ASSERT_EQ(decrypt_with_libcrypto(outcome.text, who), entity) << cut;
        }
        const Outcome outcome = encrypt_message(plan, in_pieces(in, 1));
        EXPECT_EQ(decrypt_with_libcrypto(outcome.text, who), entity);
    }
}

TEST(SmimeEncrypt, CutsSegmentsAtTheSamePlacesWhateverThePiecesWere) {
    const std::string content = content_of(100'000);
    const auto segments = [&](std::size_t piece_bytes) {
        const EncryptPlan plan = envelope_for({correspondent("rsa2048")});
        const std::string asn1 =
            asn1_of(encrypt_message(plan, in_pieces(content, piece_bytes)).text);
        return count_of(asn1, "l=8192 prim: OCTET STRING");
    };
    for (const std::size_t piece_bytes : {1000u, 8191u, 8192u, 8193u, 40'000u, 100'000u})
        EXPECT_EQ(segments(piece_bytes), 100'000u / 8192) << piece_bytes;
}

TEST(SmimeEncrypt, EncryptsContentsOfAnySize) {
    const Correspondent who = correspondent("rsa2048");
    // Around the cipher's block, the segment of the CMS, the run of one job, and what may wait.
    std::vector<std::size_t> sizes{0, 1, 2, 15, 16, 17, 31, 32, 33, 1000, 10'000, 1'000'000};
    for (const std::size_t edge : {8192u, 16'384u, 32'768u, 65'536u, 131'072u}) {
        for (const std::size_t size : {edge - 16, edge - 15, edge - 1, edge, edge + 1, edge + 16})
            sizes.push_back(size);
    }
    for (const ContentCipher cipher : {ContentCipher::aes_128_cbc, ContentCipher::aes_256_gcm}) {
        const EncryptPlan plan = envelope_for({who}, cipher);
        for (const std::size_t size : sizes) {
            const std::string content = content_of(size);
            for (const std::size_t piece_bytes : {65'536u, 1447u}) {
                const Outcome outcome = encrypt_message(plan, in_pieces(content, piece_bytes));
                ASSERT_TRUE(decrypt_with_libcrypto(outcome.text, who) == content)
                    << size << " bytes in pieces of " << piece_bytes << ", " << to_text(cipher)
                    << (outcome.error ? outcome.error : "");
            }
        }
    }
}

TEST(SmimeEncrypt, WritesLinesThatMailMayHave) {
    const Outcome outcome =
        encrypt_message(envelope_for({correspondent("p256")}), in_pieces(content_of(200'000)));
    std::string_view left = outcome.text;
    while (!left.empty()) {
        const std::size_t end = left.find("\r\n");
        ASSERT_NE(end, left.npos);
        ASSERT_LE(end, 76u) << left.substr(0, end);
        left.remove_prefix(end + 2);
    }
}

// --- many recipients
// ---------------------------------------------------------------------------------

// The same key under `count` serial numbers: as many certificates. Their signatures are wrong,
// which nobody asks about here.
EncryptPlan plan_for_many(const Correspondent& who, std::size_t count, ContentCipher cipher) {
    EncryptPlan plan = envelope_for({who}, cipher);
    Bytes der(who.certificate->der().begin(), who.certificate->der().end());
    const ByteSpan serial = who.certificate->serial_der();
    const auto at = std::search(der.begin(), der.end(), serial.begin(), serial.end());
    const auto end = at + static_cast<std::ptrdiff_t>(serial.size());
    for (std::size_t i = 1; i < count; ++i) {
        end[-1] = static_cast<std::uint8_t>(serial[serial.size() - 1] ^ (i & 0xff));
        end[-2] = static_cast<std::uint8_t>(serial[serial.size() - 2] ^ (i >> 8));
        plan.recipients.push_back({*Certificate::parse(der), RsaTransport::pkcs1});
    }
    return plan;
}

TEST(SmimeEncrypt, EncryptsTheContentOnceHoweverManyRead) {
    const Correspondent rsa = correspondent("rsa2048");
    const std::string content = content_of(150'000);
    for (const std::size_t count : {1u, 15u, 16u, 17u, 32u, 33u, 100u, 1000u}) {
        const EncryptPlan plan = plan_for_many(rsa, count, ContentCipher::aes_256_gcm);
        const std::uint64_t before = Metrics::instance().value(Counter::content_encryptions);
        const Outcome outcome = encrypt_message(plan, in_pieces(content));
        ASSERT_TRUE(outcome.finished) << count;
        EXPECT_EQ(Metrics::instance().value(Counter::content_encryptions) - before, 1u) << count;
        EXPECT_TRUE(decrypt_with_libcrypto(outcome.text, rsa) == content) << count;
        EXPECT_EQ(count_of(asn1_of(outcome.text), ":rsaEncryption"), count);
    }
}

TEST(SmimeEncrypt, MixesManyRecipientsOfAllKinds) {
    EncryptPlan plan;
    plan.cipher = ContentCipher::aes_128_gcm;
    const char* const names[] = {"rsa3072", "p256", "p384", "x25519"};
    for (const char* name : names) {
        for (EncryptRecipient& one : plan_for_many(correspondent(name), 25, plan.cipher).recipients)
            plan.recipients.push_back(std::move(one));
    }
    const Outcome outcome = encrypt_message(plan, {entity});
    ASSERT_TRUE(outcome.finished);
    for (const char* name : {"rsa3072", "p256", "p384"})
        EXPECT_EQ(decrypt_with_libcrypto(outcome.text, correspondent(name)), entity) << name;
    EXPECT_EQ(count_of(asn1_of(outcome.text), ":X25519"), 25u);
}

}  // namespace
}  // namespace sealgate

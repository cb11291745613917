// SPDX-License-Identifier: GPL-3.0-or-later
// What other programs make of our envelopes, a row for each cipher with each kind of key. A row
// that a program cannot read says why, and is tried all the same, with the key if the program takes
// it: the day it can, the row changes.
#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/smime_encrypt.h"
#include "tests/crypto/encrypt_fixture.h"

namespace sealgate {
namespace {

using test::Correspondent;
using test::correspondent;
using test::encrypt_message;
using test::envelope_for;
using test::has_tool;
using test::in_pieces;
using test::Outcome;
using test::run_tool;
using test::TemporaryFolder;

constexpr const char* reads = nullptr;

// Why a program cannot read it.
constexpr const char* no_gcm = "no AuthEnvelopedData";
constexpr const char* no_oaep = "no OAEP";
constexpr const char* no_ecdh = "no ECDH in CMS";
constexpr const char* no_x25519 = "takes no X25519 key";
constexpr const char* no_hkdf = "no HKDF with X25519";

struct Row {
    const char* recipient;
    RsaTransport transport;
    // NSS 3.87 knows neither AuthEnvelopedData nor OAEP; a KeyAgreeRecipientInfo by RFC 5652 is
    // "improperly formatted" to it, whoever wrote it, even beside an RSA recipient's.
    const char* nss_cbc;
    const char* nss_gcm;
    // GnuPG 2.2.40 takes the agreed point for the content key ("Invalid session key"), reads no
    // OAEP, takes GCM's parameters for an initialisation vector ("Buffer too short"), and crashes
    // when it shall import an X25519 key.
    const char* gpgsm_cbc;
    const char* gpgsm_gcm;
    // Bouncy Castle 1.72 has X25519, but no HKDF for it, which RFC 8551 §2.3 asks for.
    const char* bouncy_castle;
};

const Row rows[] = {
    // clang-format off
    {"rsa2048", RsaTransport::pkcs1, reads,     no_gcm, reads,     no_gcm, reads},
    {"rsa3072", RsaTransport::pkcs1, reads,     no_gcm, reads,     no_gcm, reads},
    {"rsa4096", RsaTransport::pkcs1, reads,     no_gcm, reads,     no_gcm, reads},
    {"rsa2048", RsaTransport::oaep,  no_oaep,   no_gcm, no_oaep,   no_gcm, reads},
    {"rsa4096", RsaTransport::oaep,  no_oaep,   no_gcm, no_oaep,   no_gcm, reads},
    {"p256",    RsaTransport::pkcs1, no_ecdh,   no_gcm, no_ecdh,   no_gcm, reads},
    {"p384",    RsaTransport::pkcs1, no_ecdh,   no_gcm, no_ecdh,   no_gcm, reads},
    {"x25519",  RsaTransport::pkcs1, no_x25519, no_gcm, no_x25519, no_gcm, no_hkdf},
    // clang-format on
};

constexpr ContentCipher all_ciphers[] = {ContentCipher::aes_128_cbc, ContentCipher::aes_256_cbc,
                                         ContentCipher::aes_128_gcm, ContentCipher::aes_256_gcm};

const std::string text = "Content-Type: text/plain\r\n\r\nText of two\r\nlines\r\n";

// Empty, a few blocks, and more than one segment and one job.
std::vector<std::string> contents() {
    std::string large = "Content-Type: text/plain\r\n\r\n";
    while (large.size() < 150'000) large += "A line that is of no interest but for its length.\r\n";
    return {"", text, large};
}

struct Trial {
    std::string what;
    Correspondent who;
    std::string content;
    std::string cms_file;
    std::string out_file;
    const char* why_not;
};

// Every row with every cipher; `why_not(row, cipher)` is the column of the program.
template <typename WhyNot>
std::vector<Trial> trials(const TemporaryFolder& folder, WhyNot why_not) {
    std::vector<Trial> all;
    for (const Row& row : rows) {
        for (const ContentCipher cipher : all_ciphers) {
            // One will do for a program that reads none.
            const bool all_contents = why_not(row, cipher) == reads;
            for (const std::string& content : all_contents ? contents() : std::vector{text}) {
                Trial trial;
                trial.who = correspondent(row.recipient);
                const Outcome outcome = encrypt_message(
                    envelope_for({trial.who}, cipher, row.transport), in_pieces(content));
                EXPECT_TRUE(outcome.finished);
                const std::string number = std::to_string(all.size());
                trial.cms_file = folder.write("cms" + number, test::cms_of(outcome.text));
                trial.out_file = folder.path("out" + number);
                trial.what = std::string(row.recipient) +
                             (row.transport == RsaTransport::oaep ? " OAEP, " : ", ") +
                             to_text(cipher) + ", " + std::to_string(content.size()) + " bytes";
                trial.content = content;
                trial.why_not = why_not(row, cipher);
                all.push_back(std::move(trial));
            }
        }
    }
    return all;
}

void expect_outcome(const TemporaryFolder& folder, const Trial& trial, bool was_read,
                    const std::string& said) {
    EXPECT_EQ(was_read, trial.why_not == nullptr)
        << trial.what << (trial.why_not ? std::string(": ") + trial.why_not : "") << "\n"
        << said;
    if (!was_read) return;
    const std::string out = trial.out_file.substr(trial.out_file.rfind('/') + 1);
    EXPECT_TRUE(folder.read(out) == trial.content) << trial.what;
}

// A PKCS#12 file in the old form, which both read.
std::string pkcs12_of(const TemporaryFolder& folder, const Correspondent& who) {
    const std::string path = folder.path(who.name + ".p12");
    const auto run =
        run_tool("openssl pkcs12 -export -legacy -passout pass:secret -name " + who.name + " -in " +
                 who.certificate_file + " -inkey " + who.key_file + " -out " + path);
    EXPECT_EQ(run.status, 0) << run.output;
    return path;
}

TEST(EncryptedMessagePeers, NssReadsWhatItCan) {
    if (!has_tool("cmsutil")) GTEST_SKIP() << "libnss3-tools is not installed";
    const TemporaryFolder folder;
    const std::string store = "sql:" + folder.path("nss");
    ASSERT_EQ(run_tool("mkdir " + folder.path("nss")).status, 0);
    ASSERT_EQ(run_tool("certutil -N --empty-password -d " + store).status, 0);
    for (const char* name : {"rsa2048", "rsa3072", "rsa4096", "p256", "p384"}) {
        const auto run = run_tool("pk12util -W secret -d " + store + " -i " +
                                  pkcs12_of(folder, correspondent(name)));
        ASSERT_EQ(run.status, 0) << run.output;
    }
    for (const Trial& trial : trials(folder, [](const Row&row, ContentCipher cipher) {
             return is_authenticated(cipher) ? row.nss_gcm : row.nss_cbc;
         })) {
        const auto run =
            run_tool("cmsutil -D -d " + store + " -i " + trial.cms_file + " -o " + trial.out_file);
        expect_outcome(folder, trial, run.status == 0, run.output);
    }
}

// gpg-agent's own form of a private key, named by its keygrip: gpgsm imports no EC keys.
void give_agent_the_key(const TemporaryFolder& folder, const std::string& gpgsm,
                        const Correspondent& who, const char* curve) {
    const std::string keys = run_tool(gpgsm + "--with-keygrip --list-keys").output;
    const std::size_t subject = keys.find("CN=Bob, " + who.name);
    ASSERT_NE(subject, keys.npos) << keys;
    const std::string keygrip = keys.substr(keys.find("keygrip: ", subject) + 9, 40);
    const std::string key_text = run_tool("openssl pkey -noout -text -in " + who.key_file).output;
    const auto hexadecimal = [&](const char* from, const char* to) {
        const std::size_t begin = key_text.find(from) + std::string_view(from).size();
        std::string digits;
        for (const char c : key_text.substr(begin, key_text.find(to, begin) - begin))
            if (std::isxdigit(static_cast<unsigned char>(c))) digits += c;
        return digits;
    };
    folder.write("gnupg/private-keys-v1.d/" + keygrip + ".key",
                 std::string("Key: (private-key (ecc (curve \"") + curve + "\")(q #" +
                     hexadecimal("pub:", "ASN1 OID") + "#)(d #" + hexadecimal("priv:", "pub:") +
                     "#)))\n");
}

TEST(EncryptedMessagePeers, GpgsmReadsWhatItCan) {
    if (!has_tool("gpgsm")) GTEST_SKIP() << "gpgsm is not installed";
    const TemporaryFolder folder;
    const std::string home = folder.path("gnupg");
    ASSERT_EQ(run_tool("mkdir -m 700 -p " + home + "/private-keys-v1.d").status, 0);
    folder.write("gnupg/gpgsm.conf", "disable-crl-checks\n");
    const std::string passphrase = folder.write("passphrase", "secret\n");
    const std::string gpgsm =
        "gpgsm --batch --pinentry-mode loopback --passphrase-fd 0 --homedir " + home + " ";
    const auto with_passphrase = [&](const std::string& command) {
        return run_tool(gpgsm + command + " < " + passphrase);
    };
    for (const char* name : {"rsa2048", "rsa3072", "rsa4096"}) {
        // GnuPG 2.2.40 fails to decrypt for a rare salt: pkcs12_test.cc.
        std::string said;
        for (int tries = 0; tries < 3; ++tries) {
            said = with_passphrase("--import " + pkcs12_of(folder, correspondent(name))).output;
            if (said.find("secret keys imported: 1") != said.npos) break;
        }
        ASSERT_NE(said.find("secret keys imported: 1"), said.npos) << said;
    }
    const struct {
        const char* name;
        const char* curve;
    } curves[] = {{"p256", "NIST P-256"}, {"p384", "NIST P-384"}};
    for (const auto& [name, curve] : curves) {
        const Correspondent who = correspondent(name);
        ASSERT_EQ(with_passphrase("--import " + who.certificate_file).status, 0);
        give_agent_the_key(folder, gpgsm, who, curve);
    }
    for (const Trial& trial : trials(folder, [](const Row&row, ContentCipher cipher) {
             return is_authenticated(cipher) ? row.gpgsm_gcm : row.gpgsm_cbc;
         })) {
        const auto run = with_passphrase("-o " + trial.out_file + " --decrypt " + trial.cms_file);
        expect_outcome(folder, trial, run.status == 0, run.output);
    }
    run_tool("gpgconf --homedir " + home + " --kill all");
}

TEST(EncryptedMessagePeers, BouncyCastleReadsWhatItCan) {
    if (!has_tool("javac")) GTEST_SKIP() << "no JDK";
    std::string class_path;
    for (const char* name : {"bcprov", "bcpkix", "bcmail", "bcutil"}) {
        const std::string jar = std::string("/usr/share/java/") + name + ".jar";
        if (run_tool("test -r " + jar).status != 0) GTEST_SKIP() << "libbcmail-java is absent";
        class_path += jar + ":";
    }
    const TemporaryFolder folder;
    std::string command = "java --class-path " + class_path +
                          " " SEALGATE_SOURCE_DIR "/tests/data/java/DecryptCms.java";
    const std::vector<Trial> all =
        trials(folder, [](const Row& row, ContentCipher) { return row.bouncy_castle; });
    for (const Trial& trial : all)
        command += " " + trial.cms_file + " " + trial.who.key_file + " " + trial.out_file;
    const auto run = run_tool(command);
    ASSERT_EQ(run.status, 0) << run.output;
    std::string_view left = run.output;
    for (const Trial& trial : all) {
        const std::string line(left.substr(0, left.find('\n')));
        left.remove_prefix(std::min(line.size() + 1, left.size()));
        expect_outcome(folder, trial, line == "ok", line);
    }
}

// One message to all of them: an old program must find its way past what it does not know.
TEST(EncryptedMessagePeers, GpgsmPassesOverRecipientsItDoesNotKnow) {
    if (!has_tool("gpgsm")) GTEST_SKIP() << "gpgsm is not installed";
    const TemporaryFolder folder;
    const std::string home = folder.path("gnupg");
    ASSERT_EQ(run_tool("mkdir -m 700 " + home).status, 0);
    folder.write("gnupg/gpgsm.conf", "disable-crl-checks\n");
    const std::string passphrase = folder.write("passphrase", "secret\n");
    const std::string gpgsm =
        "gpgsm --batch --pinentry-mode loopback --passphrase-fd 0 --homedir " + home + " ";
    ASSERT_EQ(run_tool(gpgsm + "--import " + pkcs12_of(folder, correspondent("rsa2048")) + " < " +
                       passphrase)
                  .status,
              0);
    std::vector<Correspondent> recipients;
    for (const char* name : {"p256", "x25519", "rsa2048", "p384", "rsa3072"})
        recipients.push_back(correspondent(name));
    const Outcome outcome = encrypt_message(envelope_for(recipients), {text});
    const auto run = run_tool(gpgsm + "-o " + folder.path("out") + " --decrypt " +
                              folder.write("cms", test::cms_of(outcome.text)) + " < " + passphrase);
    // It ends with status 2 all the same, for it looks for the others' certificates, too.
    EXPECT_EQ(folder.read("out"), text) << run.output;
    run_tool("gpgconf --homedir " + home + " --kill all");
}

}  // namespace
}  // namespace sealgate

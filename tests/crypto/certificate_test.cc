// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/certificate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "crypto/certificate_bundle.h"
#include "crypto/certificate_text.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {
namespace {

const std::string corpus = SEALGATE_CORPUS_DIR;

CertificatePtr read_one(const std::string& path) {
    auto file = read_small_file(path);
    if (!file) return nullptr;
    auto certificates = read_certificates(file->bytes());
    return certificates ? certificates->front() : nullptr;
}

// A self-signed certificate made by the openssl tool: another writer than ours.
CertificatePtr openssl_certificate(const std::string& key, const std::string& subject,
                                   const std::vector<std::string>& extensions) {
    const TemporaryFolder folder;
    std::string command = "openssl req -x509 -newkey " + key + " -nodes -keyout " +
                          folder.path("key") + " -out " + folder.path("certificate") +
                          " -utf8 -days 2 -subj '" + subject + "'";
    for (const std::string& extension : extensions) command += " -addext '" + extension + "'";
    const ToolRun run = run_tool(command);
    EXPECT_EQ(run.status, 0) << run.output;
    return read_one(folder.path("certificate"));
}

constexpr const char* p256 = "ec -pkeyopt ec_paramgen_curve:P-256";

TEST(Certificate, HasWhatItWasMadeWith) {
    const CertificatePtr certificate =
        openssl_certificate(p256, "/C=DE/O=Müller, GmbH/CN=Grün",
                            {"subjectAltName=email:Anna.B@EXAMPLE.com,DNS:Example.NET,DNS:*.a.b"});
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->subject(), "C=DE, O=Müller\\, GmbH, CN=Grün");
    EXPECT_EQ(certificate->issuer(), certificate->subject());
    EXPECT_EQ(certificate->common_name(), "Grün");
    EXPECT_EQ(certificate->emails(), std::vector<std::string>{"Anna.B@example.com"});
    EXPECT_EQ(certificate->domains(), (std::vector<std::string>{"example.net", "*.a.b"}));
    EXPECT_TRUE(certificate->self_issued());
    EXPECT_EQ(certificate->key_kind(), KeyKind::p256);
    EXPECT_EQ(certificate->not_after() - certificate->not_before(), 2 * 86400);
    EXPECT_EQ(certificate->subject_key_id().size(), 20U);
    EXPECT_EQ(certificate->serial_der()[0], 0x02);
    EXPECT_EQ(certificate->serial_der().size(), certificate->serial().size() / 2 + 2);
    EXPECT_EQ(certificate->subject_der()[0], 0x30);
    EXPECT_TRUE(std::ranges::equal(certificate->subject_der(), certificate->issuer_der()));
    EXPECT_EQ(certificate->public_key_der().size(), 91U);
}

struct RightsCase {
    const char* name;
    std::string key;
    std::vector<std::string> extensions;
    Reason sign, encrypt;
};

TEST(Certificate, SaysWhatItsKeyMayDo) {
    const std::string usage = "keyUsage=critical,";
    const std::string purpose = "extendedKeyUsage=";
    const Reason ok = Reason::ok, bad = Reason::bad_key_usage;
    const RightsCase cases[] = {
        {"no usage at all", p256, {}, ok, ok},
        {"digitalSignature", p256, {usage + "digitalSignature"}, ok, bad},
        {"nonRepudiation", p256, {usage + "nonRepudiation"}, ok, bad},
        {"keyAgreement, EC", p256, {usage + "keyAgreement"}, bad, ok},
        {"keyEncipherment, EC", p256, {usage + "keyEncipherment"}, bad, bad},
        {"keyEncipherment, RSA", "rsa:2048", {usage + "keyEncipherment"}, bad, ok},
        {"keyAgreement, RSA", "rsa:2048", {usage + "keyAgreement"}, bad, bad},
        {"both, RSA", "rsa:2048", {usage + "digitalSignature,keyEncipherment"}, ok, ok},
        {"authority", p256, {usage + "keyCertSign,cRLSign"}, bad, bad},
        {"decipherOnly", p256, {usage + "keyAgreement,decipherOnly"}, bad, ok},
        {"server only", p256, {purpose + "serverAuth"}, bad, bad},
        {"server and mail", p256, {purpose + "serverAuth,emailProtection"}, ok, ok},
        {"any purpose", p256, {purpose + "anyExtendedKeyUsage"}, ok, ok},
        {"unknown purpose", p256, {purpose + "1.2.3.4"}, bad, bad},
        {"RSA-1024", "rsa:1024", {}, Reason::weak_key, Reason::weak_key},
        {"RSA-2047", "rsa:2047", {}, Reason::weak_key, Reason::weak_key},
        {"P-384", "ec -pkeyopt ec_paramgen_curve:P-384", {}, ok, ok},
        {"P-521",
         "ec -pkeyopt ec_paramgen_curve:P-521",
         {},
         Reason::unsupported_algorithm,
         Reason::unsupported_algorithm},
        {"Ed25519", "ed25519", {}, ok, bad},
    };
    for (const RightsCase& row : cases) {
        SCOPED_TRACE(row.name);
        const CertificatePtr certificate = openssl_certificate(row.key, "/CN=x", row.extensions);
        ASSERT_TRUE(certificate);
        EXPECT_STREQ(to_word(certificate->may_sign()), to_word(row.sign));
        EXPECT_STREQ(to_word(certificate->may_encrypt()), to_word(row.encrypt));
    }
}

TEST(Certificate, WithACurveSpeltOutIsRefusedWithThatReason) {
    const TemporaryFolder folder;
    const std::string path = folder.path("certificate");
    const ToolRun run = run_tool("openssl req -x509 -newkey " + std::string(p256) +
                                 " -pkeyopt ec_param_enc:explicit -nodes -subj /CN=x -keyout " +
                                 folder.path("key") + " -out " + path);
    ASSERT_EQ(run.status, 0) << run.output;
    const auto certificates = read_certificates(read_small_file(path)->bytes());
    ASSERT_FALSE(certificates);
    EXPECT_EQ(certificates.error().what,
              "certificate with an EC curve that is spelt out, not named");
}

TEST(Certificate, TellsNonRepudiationAlone) {
    const auto alone = openssl_certificate(p256, "/CN=x", {"keyUsage=nonRepudiation"});
    const auto both =
        openssl_certificate(p256, "/CN=x", {"keyUsage=nonRepudiation,digitalSignature"});
    const auto none = openssl_certificate(p256, "/CN=x", {});
    ASSERT_TRUE(alone && both && none);
    EXPECT_TRUE(alone->has_non_repudiation_only());
    EXPECT_FALSE(both->has_non_repudiation_only());
    EXPECT_FALSE(none->has_non_repudiation_only());
}

TEST(Certificate, CoversTheAddressesAndDomainsItNames) {
    const CertificatePtr certificate = openssl_certificate(
        p256, "/CN=x/emailAddress=subject@example.org",
        {"subjectAltName=email:Anna@example.com,DNS:mail.example.net,DNS:*.wild.example"});
    ASSERT_TRUE(certificate);
    const std::pair<const char*, bool> rows[] = {
        {"Anna@example.com", true},
        {"anna@EXAMPLE.com", true},
        {"anna@example.com.", false},
        {"bert@example.com", false},
        {"anna@mail.example.com", false},
        {"anybody@mail.example.net", true},
        {"anybody@MAIL.example.net", true},
        {"anybody@example.net", false},
        {"anybody@x.mail.example.net", false},
        {"anybody@one.wild.example", true},
        {"anybody@wild.example", false},
        {"anybody@two.one.wild.example", false},
        {"anybody@.wild.example", false},
        {"anybody@*.wild.example", false},
        {"subject@example.org", false},  // there is a SAN: the subject's address does not count
        {"\"a@b\"@one.wild.example", true},
        {"anybody", false},
        {"@one.wild.example", false},
        {"", false},
    };
    for (const auto& [address, want] : rows) {
        EXPECT_EQ(certificate->covers(address), want) << address;
    }
}

TEST(Certificate, CoversTheSubjectsAddressOnlyWithoutAlternativeNames) {
    const auto plain = openssl_certificate(p256, "/CN=x/emailAddress=a@Example.org", {});
    const auto with_address =
        openssl_certificate(p256, "/CN=x/emailAddress=a@example.org", {"subjectAltName=IP:::1"});
    ASSERT_TRUE(plain && with_address);
    EXPECT_TRUE(plain->covers("a@example.org"));
    EXPECT_EQ(plain->emails(), std::vector<std::string>{"a@example.org"});
    EXPECT_FALSE(with_address->covers("a@example.org"));
}

TEST(Certificate, IsValidFromItsFirstSecondToItsLast) {
    const CertificatePtr certificate = openssl_certificate(p256, "/CN=x", {});
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->valid_at(certificate->not_before() - 1), Reason::not_yet_valid);
    EXPECT_EQ(certificate->valid_at(certificate->not_before()), Reason::ok);
    EXPECT_EQ(certificate->valid_at(certificate->not_after()), Reason::ok);
    EXPECT_EQ(certificate->valid_at(certificate->not_after() + 1), Reason::expired);
}

TEST(Certificate, OfAnUnknownCriticalExtensionIsReadAllTheSame) {
    const auto certificate =
        openssl_certificate(p256, "/CN=x", {"1.2.3.4.5=critical,ASN1:UTF8String:x"});
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->may_sign(), Reason::ok);
}

// Known roots have it, and wolfSSL does not take it.
TEST(Certificate, OfSerialNumberZeroIsReadAllTheSame) {
    const TemporaryFolder folder;
    const ToolRun run = run_tool("openssl req -x509 -newkey rsa:2048 -nodes -keyout " +
                                 folder.path("key") + " -out " + folder.path("certificate") +
                                 " -set_serial 0 -subj /CN=Zero");
    ASSERT_EQ(run.status, 0) << run.output;
    const CertificatePtr certificate = read_one(folder.path("certificate"));
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->serial(), "00");
    EXPECT_EQ(certificate->subject(), "CN=Zero");
    EXPECT_EQ(certificate->serial_der()[2], 0);  // what is shown to wolfSSL is a copy
}

TEST(Certificate, CutOrChangedAnywhereIsRefusedOrRead) {
    const CertificatePtr good =
        openssl_certificate(p256, "/CN=x", {"subjectAltName=email:a@b.example"});
    ASSERT_TRUE(good);
    const Bytes der(good->der().begin(), good->der().end());
    for (std::size_t cut = 0; cut < der.size(); ++cut) {
        EXPECT_FALSE(Certificate::parse(ByteSpan(der).first(cut))) << cut;
    }
    for (std::size_t at = 0; at < der.size(); ++at) {
        for (const int value : {0x00, 0x01, 0x7f, 0x80, 0x84, 0xff}) {
            Bytes changed = der;
            changed[at] = static_cast<std::uint8_t>(value);
            (void)Certificate::parse(changed);  // whatever it says, it comes back
        }
    }
    Bytes longer = der;
    longer.push_back(0);
    EXPECT_FALSE(Certificate::parse(longer));
}

TEST(Certificate, OfX25519MayOnlyEncrypt) {
    const std::string folder = corpus + "/rfc9216/";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no corpus";
    const auto encrypts =
        read_one(folder + "7.3_Carlos-s-Encryption-End-Entity-Certificate.crt.pem");
    const auto signs =
        read_one(folder + "7.1_Carlos-s-Signature-Verification-End-Entity-Certificate.crt.pem");
    ASSERT_TRUE(encrypts && signs);
    EXPECT_EQ(encrypts->key_kind(), KeyKind::x25519);
    EXPECT_EQ(encrypts->may_encrypt(), Reason::ok);
    EXPECT_EQ(encrypts->may_sign(), Reason::bad_key_usage);
    EXPECT_EQ(signs->key_kind(), KeyKind::ed25519);
    EXPECT_EQ(signs->may_sign(), Reason::ok);
    EXPECT_TRUE(signs->covers("carlos@smime.example"));
    // The bytes are those of the file, not of the disguise it is parsed in.
    EXPECT_EQ(encrypts->public_key_der()[8], 0x6e);
}

TEST(Certificate, FromTheCorporaAreReadOrRefused) {
    if (!std::filesystem::exists(corpus)) GTEST_SKIP() << "no corpus";
    std::size_t read_count = 0, refused_count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus)) {
        const std::string suffix = entry.path().extension();
        if (suffix != ".pem" && suffix != ".crt" && suffix != ".der") continue;
        auto file = read_small_file(entry.path());
        if (!file) continue;
        (read_certificates(file->bytes()) ? read_count : refused_count) += 1;
    }
    EXPECT_GT(read_count, 150U) << refused_count << " refused";
}

TEST(CertificateText, TakesOnlyNamesThatAreNames) {
    const std::pair<std::string, std::string> mails[] = {
        {"a@B.example", "a@b.example"},
        {"a@b@c.example", "a@b@c.example"},
        {"@b.example", ""},
        {"a@", ""},
        {"a", ""},
        {"", ""},
        {"a b@c.example", ""},
        {std::string("a@b.example\0.evil", 16), ""},
        {"ü@b.example", ""},
        {"a@*.example", ""},
        {"a@b..example", ""},
        {"a@.example", ""},
    };
    for (const auto& [text, want] : mails) {
        EXPECT_EQ(normal_mail_address(text).value_or(""), want) << text;
    }
    const std::pair<std::string, std::string> domains[] = {
        {"Example.COM", "example.com"},
        {"example.com.", "example.com"},
        {"*.A.b", "*.a.b"},
        {"*", ""},
        {"*.", ""},
        {"a.*.b", ""},
        {"a*.b", ""},
        {"*.*.b", ""},
        {"", ""},
        {".", ""},
        {std::string(254, 'a'), ""},
        {"a@b", ""},
    };
    for (const auto& [text, want] : domains) {
        EXPECT_EQ(normal_domain(text).value_or(""), want) << text;
    }
}

TEST(CertificateText, ReadsTheStringTypesOfNames) {
    const auto utf8 = [](std::string_view bytes) { return name_value_to_utf8(as_bytes(bytes)); };
    EXPECT_EQ(utf8("plain"), "plain");
    EXPECT_EQ(utf8("Gr\xc3\xbcn"), "Gr\xc3\xbcn");
    EXPECT_EQ(utf8("Gr\xfcn"), "Gr\xc3\xbcn");                               // T61, Latin-1
    EXPECT_EQ(utf8(std::string_view("\0G\0r\0\xfc\0n", 8)), "Gr\xc3\xbcn");  // BMPString
    EXPECT_EQ(utf8(std::string_view("\x65\xe5\0 \x67\x2c", 6)), "\xe6\x97\xa5 \xe6\x9c\xac");
    EXPECT_EQ(utf8(""), "");
    EXPECT_EQ(escape_name_value("a,b=\"c\"\n"), "a\\,b\\=\\\"c\\\"\\0A");
}

}  // namespace
}  // namespace sealgate::test

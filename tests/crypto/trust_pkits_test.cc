// SPDX-License-Identifier: GPL-3.0-or-later
// Signers' paths, one thing wrong with each, along the chapters of NIST's PKITS (Public Key
// Interoperability Test Suite): each chapter has a row that passes beside those that must not.
#include <gtest/gtest.h>

#include <ctime>

#include "tests/crypto/trust_fixture.h"

namespace sealgate::test {
namespace {

const std::string ca_usage = "keyUsage = critical, keyCertSign, cRLSign\n";
const std::string ca = authority_extensions;
const std::string mail_usage = "extendedKeyUsage = emailProtection\n";

std::string signer_called(const std::string& names) {
    return "basicConstraints = CA:FALSE\nkeyUsage = critical, digitalSignature\n" + mail_usage +
           "subjectAltName = " + names + "\n";
}
std::string signer_with(const std::string& extensions) {
    return extensions + "subjectAltName = email:bob@example.com\n";
}
const std::string signer = signer_called("email:bob@example.com");

const char* const rsa_1024 = "RSA -pkeyopt rsa_keygen_bits:1024";

Authority::Plans pkits_plans() {
    // clang-format off
    return {
        {"root", {"root", "Root", ca}},
        {"other-root", {"other-root", "Other root", ca}},
        {"mid", {"root", "Mid", ca}},
        {"leaf", {"mid", "Bob", signer, 20}},
        // 4.1 signatures
        {"twin-mid", {"root", "Mid", ca}},  // Mid's name, another key
        {"twin-leaf", {"twin-mid", "Eve", signer}},
        // 4.2 dates
        {"short-mid", {"root", "Short", ca, 5}},
        {"short-leaf", {"short-mid", "Bob", signer}},
        // 4.6 basic constraints
        {"person-mid", {"root", "Person", "basicConstraints = critical, CA:FALSE\nkeyUsage = cRLSign\n"}},
        {"person-leaf", {"person-mid", "Eve", signer}},
        {"last-mid", {"root", "Last", "basicConstraints = critical, CA:TRUE, pathlen:0\n" + ca_usage}},
        {"last-leaf", {"last-mid", "Bob", signer}},
        {"too-deep-mid", {"last-mid", "Too deep", ca}},
        {"too-deep-leaf", {"too-deep-mid", "Eve", signer}},
        // one that vouches for itself again does not count (RFC 5280 §4.2.1.9)
        {"last-again", {"last-mid", "Last", ca, 1000, "", "last-mid"}},
        {"last-again-leaf", {"last-again", "Bob", signer}},
        {"one-mid", {"root", "One", "basicConstraints = critical, CA:TRUE, pathlen:1\n" + ca_usage}},
        {"one-below", {"one-mid", "One below", ca}},
        {"one-leaf", {"one-below", "Bob", signer}},
        {"wider-below", {"last-mid", "Wider", "basicConstraints = critical, CA:TRUE, pathlen:9\n" + ca_usage}},
        {"wider-leaf", {"wider-below", "Eve", signer}},
        // 4.7 key usage
        {"lists-only-mid", {"root", "Lists only", "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, cRLSign\n"}},
        {"lists-only-leaf", {"lists-only-mid", "Eve", signer}},
        {"non-repudiation", {"root", "Bob", signer_with("keyUsage = nonRepudiation\n")}},
        {"encrypts", {"root", "Eve", signer_with("keyUsage = keyAgreement\n")}},
        {"certifies", {"root", "Eve", "basicConstraints = CA:TRUE\nkeyUsage = keyCertSign\nsubjectAltName = email:eve@example.com\n"}},
        {"any-usage", {"root", "Bob", signer_with("")}},
        // extended key usage
        {"client", {"root", "Eve", signer_with("extendedKeyUsage = clientAuth\n")}},
        {"all-purposes", {"root", "Bob", signer_with("extendedKeyUsage = anyExtendedKeyUsage\n")}},
        {"both-purposes", {"root", "Bob", signer_with("extendedKeyUsage = clientAuth, emailProtection\n")}},
        {"client-mid", {"root", "For clients", ca + "extendedKeyUsage = clientAuth\n"}},
        {"client-leaf", {"client-mid", "Eve", signer}},
        {"client-below", {"client-mid", "Below it", ca + mail_usage}},
        {"client-below-leaf", {"client-below", "Eve", signer}},
        {"mail-mid", {"root", "For mail", ca + mail_usage}},
        {"mail-leaf", {"mail-mid", "Bob", signer}},
        {"any-mid", {"root", "For all", ca + "extendedKeyUsage = anyExtendedKeyUsage\n"}},
        {"any-leaf", {"any-mid", "Bob", signer}},
        // 4.8 to 4.12 policies
        {"demands-mid", {"root", "Demands", ca + "policyConstraints = critical, requireExplicitPolicy:0\ncertificatePolicies = 1.2.3.4\n"}},
        {"demands-leaf", {"demands-mid", "Bob", signer + "certificatePolicies = 1.2.3.4\n"}},
        {"demands-other", {"demands-mid", "Eve", signer + "certificatePolicies = 1.2.3.5\n"}},
        {"demands-none", {"demands-mid", "Eve", signer}},
        {"any-policy-mid", {"root", "Any policy", ca + "policyConstraints = critical, requireExplicitPolicy:0\ncertificatePolicies = 2.5.29.32.0\n"}},
        {"any-policy-leaf", {"any-policy-mid", "Bob", signer + "certificatePolicies = 1.2.3.5\n"}},
        {"inhibits-mid", {"root", "Inhibits", ca + "inhibitAnyPolicy = critical, 0\npolicyConstraints = critical, requireExplicitPolicy:0\ncertificatePolicies = 1.2.3.4\n"}},
        {"inhibits-leaf", {"inhibits-mid", "Eve", signer + "certificatePolicies = 2.5.29.32.0\n"}},
        {"no-mapping-mid", {"root", "No mapping", ca + "policyConstraints = critical, requireExplicitPolicy:0, inhibitPolicyMapping:0\ncertificatePolicies = 1.2.3.4\n"}},
        {"maps-below", {"no-mapping-mid", "Maps", ca + "policyMappings = 1.2.3.4:1.2.3.5\ncertificatePolicies = 1.2.3.4\n"}},
        {"maps-leaf", {"maps-below", "Eve", signer + "certificatePolicies = 1.2.3.5\n"}},
        {"maps-mid", {"root", "Maps freely", ca + "policyConstraints = critical, requireExplicitPolicy:0\npolicyMappings = 1.2.3.4:1.2.3.5\ncertificatePolicies = 1.2.3.4\n"}},
        {"maps-freely-leaf", {"maps-mid", "Bob", signer + "certificatePolicies = 1.2.3.5\n"}},
        {"indifferent-mid", {"root", "Indifferent", ca + "certificatePolicies = 1.2.3.4\n"}},
        {"indifferent-leaf", {"indifferent-mid", "Bob", signer + "certificatePolicies = 1.2.3.5\n"}},
        // 4.13 name constraints
        {"host-mid", {"root", "One domain", ca + "nameConstraints = critical, permitted;email:example.com\n"}},
        {"host-leaf", {"host-mid", "Bob", signer}},
        {"host-upper", {"host-mid", "Bob", signer_called("email:bob@EXAMPLE.com")}},
        {"host-below", {"host-mid", "Eve", signer_called("email:eve@sub.example.com")}},
        {"host-other", {"host-mid", "Eve", signer_called("email:eve@example.net")}},
        {"host-suffix", {"host-mid", "Eve", signer_called("email:eve@notexample.com")}},
        {"host-second", {"host-mid", "Eve", signer_called("email:bob@example.com, email:eve@example.net")}},
        {"host-dns", {"host-mid", "Bob", signer_called("DNS:example.net")}},  // another type of name
        {"host-subject", {"host-mid", "Eve/emailAddress=eve@example.net", "keyUsage = digitalSignature\n"}},
        {"sub-mid", {"root", "Subdomains", ca + "nameConstraints = critical, permitted;email:.example.com\n"}},
        {"sub-leaf", {"sub-mid", "Bob", signer_called("email:bob@sub.example.com")}},
        {"sub-itself", {"sub-mid", "Eve", signer}},
        {"one-address-mid", {"root", "One address", ca + "nameConstraints = critical, permitted;email:bob@example.com\n"}},
        {"one-address-leaf", {"one-address-mid", "Bob", signer}},
        {"one-address-other", {"one-address-mid", "Eve", signer_called("email:eve@example.com")}},
        {"without-mid", {"root", "All but one", ca + "nameConstraints = critical, excluded;email:example.com\n"}},
        {"without-leaf", {"without-mid", "Bob", signer_called("email:bob@example.net")}},
        {"without-it", {"without-mid", "Eve", signer}},
        {"narrow-below", {"host-mid", "Narrower", ca + "nameConstraints = critical, permitted;email:bob@example.com\n"}},
        {"narrow-leaf", {"narrow-below", "Bob", signer}},
        {"narrow-other", {"narrow-below", "Eve", signer_called("email:eve@example.com")}},
        {"wide-below", {"host-mid", "Wider again", ca + "nameConstraints = critical, permitted;email:example.net\n"}},
        {"wide-other", {"wide-below", "Eve", signer_called("email:eve@example.net")}},
        {"domain-mid", {"root", "DNS", ca + "nameConstraints = critical, permitted;DNS:example.com\n"}},
        {"domain-leaf", {"domain-mid", "Bob", signer_called("DNS:mail.example.com")}},
        {"domain-other", {"domain-mid", "Eve", signer_called("DNS:example.net")}},
        {"directory-mid", {"root", "Directory names", ca + "nameConstraints = critical, permitted;dirName:dir\n[dir]\nCN = Staff\nO = Example\n"}},
        {"directory-leaf", {"directory-mid", "Staff/O=Example/CN=Bob", signer}},
        {"directory-other", {"directory-mid", "Staff/O=Other/CN=Eve", signer}},
        // 4.16 private extensions
        {"critical-mid", {"root", "Critical", ca + "1.2.3.4 = critical, ASN1:NULL\n"}},
        {"critical-leaf", {"critical-mid", "Eve", signer}},
        {"private-mid", {"root", "Private", ca + "1.2.3.4 = ASN1:NULL\n"}},
        {"private-leaf", {"private-mid", "Bob", signer + "1.2.3.5 = ASN1:NULL\n"}},
        {"critical-own", {"root", "Eve", signer + "1.2.3.4 = critical, ASN1:NULL\n"}},
        // cross-signed
        {"crossed", {"root", "Crossed", ca}},
        {"crossed-by-other", {"other-root", "Crossed", ca, 1000, "", "crossed"}},
        {"crossed-leaf", {"crossed", "Bob", signer}},
        {"crossed-for-clients", {"root", "Crossed", ca + "extendedKeyUsage = clientAuth\n", 1000, "", "crossed"}},
        // weak
        {"sha1-mid", {"root", "SHA-1", ca, 1000, "-sha1"}},
        {"sha1-leaf", {"sha1-mid", "Bob", signer}},
        {"sha1-own", {"root", "Bob", signer, 1000, "-sha1"}},
        {"rsa-root", {"rsa-root", "RSA root", ca, 1000, "", "", "RSA -pkeyopt rsa_keygen_bits:2048"}},
        {"md5-mid", {"rsa-root", "MD5", ca, 1000, "-md5"}},
        {"md5-leaf", {"md5-mid", "Eve", signer}},
        {"rsa-1024-mid", {"root", "Weak", ca, 1000, "", "", rsa_1024}},
        {"rsa-1024-leaf", {"rsa-1024-mid", "Bob", signer}},
        {"rsa-1024-own", {"root", "Bob", signer, 1000, "", "", rsa_1024}},
        {"rsa-1024-encrypts", {"root", "Bob", signer_with("keyUsage = keyEncipherment\n"), 1000, "", "", rsa_1024}},
        {"rsa-1024-client", {"root", "Bob", signer_with("extendedKeyUsage = clientAuth\n"), 1000, "", "", rsa_1024}},
        {"rsa-1024-root", {"rsa-1024-root", "Weak root", ca, 1000, "", "", rsa_1024}},
        {"rsa-1024-root-leaf", {"rsa-1024-root", "Bob", signer}},
        {"rsa-768-mid", {"root", "Weaker", ca, 1000, "", "", "RSA -pkeyopt rsa_keygen_bits:768"}},
        {"rsa-768-leaf", {"rsa-768-mid", "Eve", signer}},
    };
    // clang-format on
}

struct Case {
    const char* name;
    const char* leaf;
    std::vector<std::string> others;
    Reason want;
    std::int64_t days = 1;  // from today
    std::vector<std::string> anchors{"root"};
};

class TrustPkits : public testing::Test {
protected:
    static Authority& authority() {
        static Authority made(pkits_plans());
        return made;
    }
    static TrustVerdict judge(const Case& row, JudgeOptions options = {}) {
        std::vector<CertificatePtr> pool;
        for (const std::string& name : row.others) pool.push_back(authority().certificate(name));
        std::vector<std::string> files;
        for (const std::string& name : row.anchors) files.push_back(authority().file(name));
        return anchors_of(files)->judge(authority().certificate(row.leaf), pool,
                                        std::time(nullptr) + row.days * day_seconds,
                                        TrustPurpose::smime_signing, options);
    }
    static void expect_all(const std::vector<Case>& cases, JudgeOptions options = {}) {
        for (const Case& row : cases) {
            SCOPED_TRACE(row.name);
            const TrustVerdict verdict = judge(row, options);
            EXPECT_STREQ(to_word(verdict.reason), to_word(row.want)) << verdict.why;
            EXPECT_EQ(verdict.why.empty(), verdict.reason == Reason::ok) << verdict.why;
            EXPECT_EQ(verdict.path.empty(), verdict.reason != Reason::ok);
        }
    }
};

TEST_F(TrustPkits, SignaturesAndDates) {
    expect_all({
        {"good", "leaf", {"mid"}, Reason::ok},
        {"another key of the issuer's name", "leaf", {"twin-mid"}, Reason::untrusted},
        {"both of that name", "leaf", {"twin-mid", "mid"}, Reason::ok},
        {"the other one's", "twin-leaf", {"mid", "twin-mid"}, Reason::ok},
        {"not yet valid", "leaf", {"mid"}, Reason::not_yet_valid, -1},
        {"the last day", "leaf", {"mid"}, Reason::ok, 19},
        {"expired", "leaf", {"mid"}, Reason::expired, 21},
        {"an issuer that has expired", "short-leaf", {"short-mid"}, Reason::expired, 6},
        {"an issuer on its last day", "short-leaf", {"short-mid"}, Reason::ok, 4},
    });
}

TEST_F(TrustPkits, BasicConstraints) {
    expect_all({
        {"CA:FALSE", "person-leaf", {"person-mid"}, Reason::untrusted},
        {"path length at its limit", "last-leaf", {"last-mid"}, Reason::ok},
        {"path length past it", "too-deep-leaf", {"too-deep-mid", "last-mid"}, Reason::untrusted},
        {"self-issued does not count", "last-again-leaf", {"last-again", "last-mid"}, Reason::ok},
        {"path length 1", "one-leaf", {"one-below", "one-mid"}, Reason::ok},
        {"a longer one below a shorter",
         "wider-leaf",
         {"wider-below", "last-mid"},
         Reason::untrusted},
    });
}

TEST_F(TrustPkits, KeyUsages) {
    expect_all({
        {"issuer without keyCertSign", "lists-only-leaf", {"lists-only-mid"}, Reason::untrusted},
        {"nonRepudiation", "non-repudiation", {}, Reason::ok},
        {"none said", "any-usage", {}, Reason::ok},
        {"encrypts only", "encrypts", {}, Reason::bad_key_usage},
        {"certifies only", "certifies", {}, Reason::bad_key_usage},
        {"for clients", "client", {}, Reason::bad_key_usage},
        {"for everything", "all-purposes", {}, Reason::ok},
        {"for mail, too", "both-purposes", {}, Reason::ok},
        {"issuer for clients", "client-leaf", {"client-mid"}, Reason::bad_key_usage},
        {"two up", "client-below-leaf", {"client-below", "client-mid"}, Reason::bad_key_usage},
        {"issuer for mail", "mail-leaf", {"mail-mid"}, Reason::ok},
        {"issuer for everything", "any-leaf", {"any-mid"}, Reason::ok},
        {"trusted all the same", "client-leaf", {}, Reason::ok, 1, {"client-mid"}},
    });
}

TEST_F(TrustPkits, Policies) {
    expect_all({
        {"the one demanded", "demands-leaf", {"demands-mid"}, Reason::ok},
        {"another", "demands-other", {"demands-mid"}, Reason::untrusted},
        {"none", "demands-none", {"demands-mid"}, Reason::untrusted},
        {"any will do", "any-policy-leaf", {"any-policy-mid"}, Reason::ok},
        {"any is not one", "inhibits-leaf", {"inhibits-mid"}, Reason::untrusted},
        {"mapped", "maps-freely-leaf", {"maps-mid"}, Reason::ok},
        {"mapped against the rule",
         "maps-leaf",
         {"maps-below", "no-mapping-mid"},
         Reason::untrusted},
        {"nobody demands one", "indifferent-leaf", {"indifferent-mid"}, Reason::ok},
    });
}

TEST_F(TrustPkits, NameConstraints) {
    expect_all({
        {"address inside", "host-leaf", {"host-mid"}, Reason::ok},
        {"in capitals", "host-upper", {"host-mid"}, Reason::ok},
        {"a subdomain", "host-below", {"host-mid"}, Reason::untrusted},
        {"outside", "host-other", {"host-mid"}, Reason::untrusted},
        {"ends alike", "host-suffix", {"host-mid"}, Reason::untrusted},
        {"the second one outside", "host-second", {"host-mid"}, Reason::untrusted},
        {"a name of another type", "host-dns", {"host-mid"}, Reason::ok},
        {"an address in the subject", "host-subject", {"host-mid"}, Reason::untrusted},
        {"subdomains, one", "sub-leaf", {"sub-mid"}, Reason::ok},
        {"subdomains, the domain itself", "sub-itself", {"sub-mid"}, Reason::untrusted},
        {"one address, it", "one-address-leaf", {"one-address-mid"}, Reason::ok},
        {"one address, another", "one-address-other", {"one-address-mid"}, Reason::untrusted},
        {"not excluded", "without-leaf", {"without-mid"}, Reason::ok},
        {"excluded", "without-it", {"without-mid"}, Reason::untrusted},
        {"narrowed below", "narrow-leaf", {"narrow-below", "host-mid"}, Reason::ok},
        {"outside the narrower", "narrow-other", {"narrow-below", "host-mid"}, Reason::untrusted},
        {"widened below", "wide-other", {"wide-below", "host-mid"}, Reason::untrusted},
        {"domain inside", "domain-leaf", {"domain-mid"}, Reason::ok},
        {"domain outside", "domain-other", {"domain-mid"}, Reason::untrusted},
        {"directory name inside", "directory-leaf", {"directory-mid"}, Reason::ok},
        {"directory name outside", "directory-other", {"directory-mid"}, Reason::untrusted},
    });
}

TEST_F(TrustPkits, PrivateExtensions) {
    expect_all({
        {"unknown and critical, issuer's", "critical-leaf", {"critical-mid"}, Reason::untrusted},
        {"unknown and critical, its own", "critical-own", {}, Reason::untrusted},
        {"unknown", "private-leaf", {"private-mid"}, Reason::ok},
    });
}

TEST_F(TrustPkits, CrossSigned) {
    expect_all({
        {"by ours", "crossed-leaf", {"crossed"}, Reason::ok},
        {"by another", "crossed-leaf", {"crossed-by-other"}, Reason::untrusted},
        {"both", "crossed-leaf", {"crossed-by-other", "crossed"}, Reason::ok},
        {"by ours for something else",
         "crossed-leaf",
         {"crossed-for-clients"},
         Reason::bad_key_usage},
        {"by ours, for something else and for mail",
         "crossed-leaf",
         {"crossed-for-clients", "crossed"},
         Reason::ok},
        {"the other one is trusted",
         "crossed-leaf",
         {"crossed", "crossed-by-other"},
         Reason::ok,
         1,
         {"other-root"}},
    });
}

TEST_F(TrustPkits, WeakKeysAndDigests) {
    const std::vector<Case> cases = {
        {"SHA-1 on the issuer", "sha1-leaf", {"sha1-mid"}, Reason::weak_digest},
        {"SHA-1 on its own", "sha1-own", {}, Reason::weak_digest},
        {"RSA-1024 issuer", "rsa-1024-leaf", {"rsa-1024-mid"}, Reason::weak_key},
        {"RSA-1024 itself", "rsa-1024-own", {}, Reason::weak_key},
        {"RSA-1024 anchor", "rsa-1024-root-leaf", {}, Reason::weak_key, 1, {"rsa-1024-root"}},
    };
    expect_all(cases);
    for (Case row : cases) {
        row.want = Reason::ok;
        expect_all({row}, {.allow_weak = true});
    }
}

TEST_F(TrustPkits, WhatIsTooWeakForOldMailToo) {
    expect_all(
        {
            {"MD5", "md5-leaf", {"md5-mid"}, Reason::weak_digest, 1, {"rsa-root"}},
            {"RSA-768", "rsa-768-leaf", {"rsa-768-mid"}, Reason::weak_key},
            {"RSA-1024 that may not sign", "rsa-1024-encrypts", {}, Reason::bad_key_usage},
            {"RSA-1024 for clients", "rsa-1024-client", {}, Reason::bad_key_usage},
            {"dates count", "leaf", {"mid"}, Reason::expired, 21},
            {"strong ones still pass", "leaf", {"mid"}, Reason::ok},
        },
        {.allow_weak = true});
}

TEST_F(TrustPkits, GivesThePathFromLeafToAnchor) {
    const TrustVerdict verdict =
        judge({"", "one-leaf", {"root", "mid", "one-mid", "one-below"}, Reason::ok});
    std::vector<std::string> names;
    for (const CertificatePtr& member : verdict.path) names.push_back(member->common_name());
    EXPECT_EQ(names, (std::vector<std::string>{"Bob", "One below", "One", "Root"}));
    // Trusted half way up, it ends there.
    const TrustVerdict short_one =
        judge({"", "one-leaf", {"one-mid", "one-below"}, Reason::ok, 1, {"one-mid", "root"}});
    ASSERT_EQ(short_one.path.size(), 3u);
    EXPECT_EQ(short_one.path.back()->common_name(), "One");
}

}  // namespace
}  // namespace sealgate::test

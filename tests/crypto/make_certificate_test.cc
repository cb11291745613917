// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/make_certificate.h"

#include <gtest/gtest.h>

#include "crypto/certificate.h"
#include "crypto/pem.h"
#include "crypto/pkcs12_key.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {
namespace {

constexpr std::int64_t now = 1'795'305'600;  // 2026-11-22
constexpr std::int64_t end_of_time = 253402300799;

SubjectText full_subject() {
    SubjectText subject;
    subject.common_name = "Grüße 日本";
    subject.organization = "Example, \"Inc\"";
    subject.unit = "Mail";
    subject.locality = "Köln";
    subject.state = "NRW";
    subject.country = "DE";
    return subject;
}

CertificatePlan full_plan() {
    CertificatePlan plan;
    plan.subject = *subject_to_der(full_subject());
    plan.emails = {"a@example.com", "b@example.com"};
    plan.domains = {"example.net", "*.example.net"};
    plan.not_before = now;
    plan.not_after = now + 86400;
    return plan;
}

struct KeyCase {
    const char* word;
    KeyKind kind;
    unsigned bits;
    Reason encrypt;
    const char* usage;  // as openssl prints it
};

class MakeCertificate : public testing::TestWithParam<KeyCase> {
protected:
    SecureBytes key_ = [] {
        auto key = make_key(*parse_new_key(GetParam().word));
        EXPECT_TRUE(key);
        return *std::move(key);
    }();
};

TEST_P(MakeCertificate, GivesASelfSignedCertificateThatOpensslBelieves) {
    const auto der = make_self_signed(full_plan(), key_.bytes());
    ASSERT_TRUE(der) << der.error().what;
    const auto parsed = Certificate::parse(*der);
    ASSERT_TRUE(parsed) << parsed.error().what;
    const Certificate& certificate = **parsed;
    EXPECT_EQ(certificate.subject(),
              "C=DE, ST=NRW, L=Köln, O=Example\\, \\\"Inc\\\", OU=Mail, CN=Grüße 日本");
    EXPECT_TRUE(certificate.self_issued());
    EXPECT_FALSE(certificate.is_authority());
    EXPECT_EQ(certificate.key_kind(), GetParam().kind);
    EXPECT_EQ(certificate.key_bits(), GetParam().bits);
    EXPECT_EQ(certificate.may_sign(), Reason::ok);
    EXPECT_EQ(certificate.may_encrypt(), GetParam().encrypt);
    EXPECT_EQ(certificate.not_before(), now);
    EXPECT_EQ(certificate.not_after(), now + 86400);
    EXPECT_TRUE(certificate.covers("b@example.com"));
    EXPECT_TRUE(certificate.covers("x@sub.example.net"));
    EXPECT_EQ(certificate.serial().size(), 32U);
    EXPECT_LT(certificate.serial()[0], '8') << "positive";
    EXPECT_EQ(certificate.subject_key_id().size(), 20U);
    EXPECT_TRUE(key_matches(key_.bytes(), certificate.public_key_der()));

    const TemporaryFolder folder;
    const std::string path = folder.write("c.pem", as_text(write_pem("CERTIFICATE", *der).bytes()));
    const ToolRun verify = run_tool("openssl verify -x509_strict -check_ss_sig -attime " +
                                    std::to_string(now + 60) + " -CAfile " + path + " " + path);
    // Strict: extensions, their criticality and the encoding are as RFC 5280 wants them.
    EXPECT_NE(verify.output.find("OK"), std::string::npos) << verify.output;
    const ToolRun text = run_tool("openssl x509 -noout -text -in " + path);
    EXPECT_NE(text.output.find(GetParam().usage), std::string::npos) << text.output;
    EXPECT_NE(text.output.find("CA:FALSE"), std::string::npos) << text.output;
    EXPECT_NE(text.output.find("E-mail Protection"), std::string::npos) << text.output;
    EXPECT_NE(text.output.find("TLS Web Server Authentication"), std::string::npos);
}

TEST_P(MakeCertificate, GivesARequestThatOpensslBelieves) {
    const auto der = make_request(full_plan(), key_.bytes());
    ASSERT_TRUE(der) << der.error().what;
    const TemporaryFolder folder;
    const std::string path =
        folder.write("r.pem", as_text(write_pem("CERTIFICATE REQUEST", *der).bytes()));
    const ToolRun run = run_tool("openssl req -noout -verify -text -nameopt utf8 -in " + path);
    EXPECT_EQ(run.status, 0) << run.output;
    EXPECT_NE(run.output.find("verify OK"), std::string::npos) << run.output;
    EXPECT_NE(run.output.find("Version: 1 (0x0)"), std::string::npos) << run.output;
    for (const char* want : {"email:a@example.com", "DNS:*.example.net", "Grüße 日本",
                             GetParam().usage, "E-mail Protection"}) {
        EXPECT_NE(run.output.find(want), std::string::npos) << want << "\n" << run.output;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Keys, MakeCertificate,
    testing::Values(
        KeyCase{"rsa:2048", KeyKind::rsa, 2048, Reason::ok, "Digital Signature, Key Encipherment"},
        KeyCase{"rsa:3072", KeyKind::rsa, 3072, Reason::ok, "Digital Signature, Key Encipherment"},
        KeyCase{"p256", KeyKind::p256, 256, Reason::ok, "Digital Signature, Key Agreement"},
        KeyCase{"p384", KeyKind::p384, 384, Reason::ok, "Digital Signature, Key Agreement"},
        KeyCase{"ed25519", KeyKind::ed25519, 256, Reason::bad_key_usage, "Digital Signature"}),
    [](const auto& row) {
        std::string name = row.param.word;
        name.erase(std::remove(name.begin(), name.end(), ':'), name.end());
        return name;
    });

TEST(MakeCertificatePlan, WithoutDomainsIsForMailOnly) {
    CertificatePlan plan = full_plan();
    plan.domains.clear();
    const auto key = make_key(NewKey::p256);
    const auto der = make_self_signed(plan, key->bytes());
    ASSERT_TRUE(der);
    const TemporaryFolder folder;
    const std::string path = folder.write("c.der", as_text(*der));
    const ToolRun run = run_tool("openssl x509 -inform DER -noout -text -in " + path);
    EXPECT_EQ(run.output.find("TLS Web"), std::string::npos) << run.output;
}

TEST(MakeCertificatePlan, EndsWithTheYear9999AtTheLatest) {
    CertificatePlan plan = full_plan();
    const auto key = make_key(NewKey::p256);
    for (const auto& [wanted, given] :
         {std::pair{std::int64_t{2524607999}, std::int64_t{2524607999}},
          {2524608000, 2524608000},  // 2050: GeneralizedTime
          {end_of_time, end_of_time},
          {end_of_time + 1, end_of_time}}) {
        plan.not_after = wanted;
        const auto der = make_self_signed(plan, key->bytes());
        ASSERT_TRUE(der);
        const auto certificate = Certificate::parse(*der);
        ASSERT_TRUE(certificate);
        EXPECT_EQ((*certificate)->not_after(), given);
    }
}

TEST(MakeCertificatePlan, TakesManyNamesAndSaysWhenTheyAreTooMany) {
    CertificatePlan plan = full_plan();
    const auto key = make_key(NewKey::p256);
    plan.domains.assign(500, "a-rather-long-name.example.net");
    const auto most = make_self_signed(plan, key->bytes());
    ASSERT_TRUE(most) << most.error().what;
    EXPECT_EQ((*Certificate::parse(*most))->domains().size(), 500U);
    plan.domains.assign(600, "a-rather-long-name.example.net");
    const auto too_many = make_self_signed(plan, key->bytes());
    ASSERT_FALSE(too_many);
    EXPECT_EQ(too_many.error().kind, ErrorKind::limit);
}

TEST(MakeCertificatePlan, OfEveryLengthOfNameIsMadeWhole) {
    const auto key = make_key(NewKey::p256);
    SubjectText subject = full_subject();
    for (std::size_t length = 1; length <= 128; ++length) {
        subject.state = std::string(length, 's');
        CertificatePlan plan = full_plan();
        plan.subject = *subject_to_der(subject);
        const auto der = make_self_signed(plan, key->bytes());
        ASSERT_TRUE(der) << length;
        const auto certificate = Certificate::parse(*der);
        ASSERT_TRUE(certificate) << length;
        EXPECT_EQ(as_text((*certificate)->subject_der()), as_text(plan.subject)) << length;
    }
}

TEST(SubjectText, HasBounds) {
    SubjectText subject;
    EXPECT_FALSE(subject_to_der(subject)) << "no common name";
    subject.common_name = std::string(64, 'x');
    EXPECT_TRUE(subject_to_der(subject));
    subject.common_name += 'x';
    EXPECT_FALSE(subject_to_der(subject));
    subject.common_name.clear();
    for (int i = 0; i < 64; ++i) subject.common_name += "ü";
    EXPECT_TRUE(subject_to_der(subject)) << "characters, not bytes";
    for (const char* country : {"D", "DEU", "de", "1A"}) {
        subject.country = country;
        EXPECT_FALSE(subject_to_der(subject)) << country;
    }
}

TEST(NewKey, HasSixWords) {
    for (const char* word : {"rsa:2048", "rsa:3072", "rsa:4096", "p256", "p384", "ed25519"}) {
        EXPECT_TRUE(parse_new_key(word)) << word;
    }
    for (const char* word : {"", "rsa", "rsa:1024", "P256", "x25519"}) {
        EXPECT_FALSE(parse_new_key(word)) << word;
    }
}

}  // namespace
}  // namespace sealgate::test

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/smime_report.h"

#include <gtest/gtest.h>

#include "crypto/make_certificate.h"

namespace sealgate {
namespace {

using nlohmann::json;

CertificatePtr make_certificate() {
    const SecureBytes key = *make_key(NewKey::p256);
    SubjectText subject;
    subject.common_name = "Eve";
    CertificatePlan plan;
    plan.subject = *subject_to_der(subject);
    plan.emails = {"eve@x.example"};
    plan.domains = {"x.example", "*.x.example"};
    plan.not_before = 1'700'000'000;
    plan.not_after = 1'900'000'000;
    return *Certificate::parse(*make_self_signed(plan, key.bytes()));
}

SignerReport make_signer(CertificatePtr certificate) {
    SignerReport signer;
    signer.certificate = std::move(certificate);
    signer.digest = "sha256";
    signer.scheme = "rsa-pkcs1";
    signer.signing_time = 1'795'219'200;
    signer.signature = signer.chain = Reason::ok;
    signer.identity = Reason::sender_mismatch;
    return signer;
}

LayerReport make_encrypted() {
    LayerReport layer;
    layer.type = LayerReport::Type::encrypted;
    layer.reason = Reason::ok;
    layer.content_type = "authEnvelopedData";
    layer.cipher = "aes-256-gcm";
    layer.key_transport = "rsa-oaep";
    layer.recipient_serial = "0A12";
    return layer;
}

SmimeFileVerdict make_verdict() {
    SmimeFileVerdict verdict;
    verdict.coverage = SmimeCoverage::whole;
    verdict.sender = "a@example.com";
    verdict.smime.is_smime = true;
    verdict.smime.reason = Reason::sender_mismatch;
    verdict.smime.result = AuthResult::fail;
    verdict.smime.layers.push_back(make_encrypted());
    LayerReport layer;
    layer.type = LayerReport::Type::signed_;
    layer.reason = Reason::sender_mismatch;
    layer.content_type = "signedData";
    layer.detached = true;
    layer.signers.push_back(make_signer(make_certificate()));
    verdict.smime.layers.push_back(std::move(layer));
    return verdict;
}

TEST(SmimeReport, HasTheShapeOfTheSpecification) {
    const SmimeFileVerdict verdict = make_verdict();
    const Certificate& certificate = *verdict.smime.layers[1].signers[0].certificate;
    const json want = json::parse(R"({
        "smime": true, "verified": false, "result": "fail", "reason": "sender-mismatch",
        "coverage": "whole",
        "layers": [
            {"type": "encrypted", "content_type": "authEnvelopedData", "cipher": "aes-256-gcm",
             "key_transport": "rsa-oaep", "recipient_serial": "0A12", "reason": "ok"},
            {"type": "signed", "content_type": "signedData", "sign_mode": "detached",
             "reason": "sender-mismatch",
             "signers": [
                 {"subject": "CN=Eve", "serial": ")" +
                                  certificate.serial() + R"(",
                  "emails": ["eve@x.example"], "domains": ["x.example", "*.x.example"],
                  "digest": "sha256", "scheme": "rsa-pkcs1",
                  "signing_time": "2026-11-21T00:00:00Z", "signature": "ok", "chain": "ok",
                  "identity": "sender-mismatch", "reason": "sender-mismatch"}]}]})");
    EXPECT_EQ(to_json(verdict), want) << to_json(verdict).dump(2);
}

TEST(SmimeReport, SaysWhyWhereThereIsMoreToSay) {
    SmimeFileVerdict verdict = make_verdict();
    verdict.smime.why = "of all";
    verdict.smime.layers[1].why = "of the layer";
    verdict.smime.layers[1].signers[0].why = "of the signer";
    const json told = to_json(verdict);
    EXPECT_EQ(told["why"], "of all");
    EXPECT_EQ(told["layers"][1]["why"], "of the layer");
    EXPECT_EQ(told["layers"][1]["signers"][0]["why"], "of the signer");
    EXPECT_FALSE(told["layers"][0].contains("why"));
}

TEST(SmimeReport, TellsASignerWhoseCertificateIsNotThere) {
    SmimeFileVerdict verdict = make_verdict();
    SignerReport& signer = verdict.smime.layers[1].signers[0];
    signer.certificate = nullptr;
    signer.identifier = "CN=CA serial 7";
    signer.signing_time = 0;
    signer.signature = signer.chain = signer.identity = Reason::no_certificate;
    const json told = to_json(verdict)["layers"][1]["signers"][0];
    EXPECT_EQ(told["identifier"], "CN=CA serial 7");
    EXPECT_EQ(told["subject"], "");
    EXPECT_EQ(told["emails"], json::array());
    EXPECT_EQ(told["signing_time"], nullptr);
    EXPECT_EQ(told["reason"], "no-certificate");
}

TEST(SmimeReport, TellsWeakCiphers) {
    SmimeFileVerdict verdict = make_verdict();
    verdict.smime.layers[0].cipher = "3des-cbc";
    verdict.smime.layers[0].weak_cipher = true;
    EXPECT_EQ(to_json(verdict)["layers"][0]["reason"], "ok");
    EXPECT_NE(to_json(verdict)["layers"][0]["why"].get<std::string>().find("3des-cbc is weak"),
              std::string::npos);
}

TEST(SmimeReport, VerifiedIsNothingButSmime) {
    SmimeFileVerdict verdict;
    verdict.smime.verified = true;  // of no layer
    for (const auto& [coverage, word] :
         {std::pair{SmimeCoverage::none, "none"}, {SmimeCoverage::part, "part"}}) {
        verdict.coverage = coverage;
        const json told = to_json(verdict);
        EXPECT_EQ(told["smime"], false);
        EXPECT_EQ(told["verified"], false);
        EXPECT_EQ(told["result"], "none");
        EXPECT_EQ(told["coverage"], word);
        EXPECT_EQ(told["layers"], json::array());
        EXPECT_NE(told["why"], "");
    }
}

TEST(SmimeReport, AnswersWhatWasAsked) {
    const SmimeFileVerdict verdict = make_verdict();
    const std::string verified = smime_report_text(verdict, SmimeQuestion::verify);
    EXPECT_EQ(verified.find("  verified       no: sender-mismatch"), 0u) << verified;
    for (const char* text : {"CN=Eve", "eve@x.example", "layer 1: encrypted (authEnvelopedData)",
                             "layer 2: signed, detached", "a@example.com", "rsa-oaep", "0A12"})
        EXPECT_NE(verified.find(text), std::string::npos) << text << " in\n" << verified;
    const std::string decrypted = smime_report_text(verdict, SmimeQuestion::decrypt);
    EXPECT_EQ(decrypted.find("  decrypted      yes: 1 of 1"), 0u) << decrypted;
}

TEST(SmimeReport, PrintsNothingThatATerminalObeys) {
    SmimeFileVerdict verdict = make_verdict();
    verdict.smime.why = "\x1b[2J\r\n";
    verdict.smime.layers[1].signers[0].certificate = nullptr;
    verdict.smime.layers[1].signers[0].identifier = "CN=\x1b]0;x\x07";
    const std::string text = smime_report_text(verdict, SmimeQuestion::verify);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\r'), std::string::npos);
}

}  // namespace
}  // namespace sealgate

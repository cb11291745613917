// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/signer_mails.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "crypto/base64.h"
#include "crypto/cms_signed_data.h"
#include "crypto/signing_key.h"

namespace sealgate {
namespace {

constexpr std::string_view boundary = "----of-a-signer";
constexpr SignatureAlgorithm algorithm{SignatureScheme::ecdsa, DigestAlgorithm::sha256};

std::string head_of(std::string_view address) {
    return fmt::format(
        "From: <{}>\r\n"
        "To: Sink <recipient@example.net>\r\n"
        "Subject: sealload\r\n"
        "Date: Sun, 22 Nov 2026 00:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
        " micalg=sha-256; boundary=\"{}\"\r\n",
        address, boundary);
}

std::string in_lines(std::string_view base64) {
    constexpr std::size_t line_characters = 76;  // RFC 2045 §6.8
    std::string lines;
    lines.reserve(base64.size() + base64.size() / line_characters * 2 + 2);
    while (!base64.empty()) {
        lines.append(base64.substr(0, line_characters)).append("\r\n");
        base64.remove_prefix(std::min(base64.size(), line_characters));
    }
    return lines;
}

}  // namespace

SignerMails::SignerMails(SignerAuthority authority, const Plan& plan)
    : authority_(std::move(authority)), plan_(plan) {
    const std::string text = filler_mail(plan.text_bytes).text;
    const std::string_view body = std::string_view(text).substr(text.find("\r\n\r\n") + 2);
    content_ = "Content-Type: text/plain; charset=us-ascii\r\n";
    content_ += body;
    digest_field_ = digest_field_of(text);
    content_digest_ = digest_of(DigestAlgorithm::sha256, as_bytes(content_));
}

Result<IdentityPtr> SignerMails::identity(std::uint64_t signer, const std::string& address) const {
    auto identity = std::make_shared<Identity>();
    const Bytes der = TRY(authority_.certificate(signer, address, plan_.certificate_bytes));
    identity->leaf = TRY(Certificate::parse(der));
    return identity;
}

Result<std::shared_ptr<const MailTemplate>> SignerMails::make(std::uint64_t signer,
                                                              const std::string& address) const {
    SignerInfoPlan plan;
    plan.identity = TRY(identity(signer, address));
    plan.algorithm = algorithm;
    plan.signing_time = plan_.signing_time != 0 ? plan_.signing_time : std::time(nullptr);
    const Bytes attributes = signed_attributes(plan, content_digest_);
    const Bytes signature = TRY(sign_with(authority_.signers_key(), algorithm, attributes));
    const Bytes signed_data = detached_signed_data(plan, attributes, signature);

    std::string mail = head_of(address);
    mail += digest_field_;
    mail += fmt::format("\r\n--{}\r\n", boundary);
    mail += content_;
    mail += fmt::format(
        "\r\n--{}\r\n"
        "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n",
        boundary);
    mail += in_lines(base64_of(signed_data));
    mail += fmt::format("--{}--\r\n", boundary);
    return std::make_shared<const MailTemplate>(fmt::format("signer-{}", signer), mail,
                                                BodyDigest::kept);
}

}  // namespace sealgate

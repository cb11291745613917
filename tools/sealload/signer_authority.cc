// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/signer_authority.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <vector>

#include "crypto/ber_writer.h"
#include "crypto/make_certificate.h"
#include "crypto/oid.h"
#include "crypto/pem.h"
#include "crypto/signing_key.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

// clang-format off
constexpr std::uint8_t subject_key_identifier[] = {0x06, 0x03, 0x55, 0x1d, 0x0e};    // 2.5.29.14
constexpr std::uint8_t key_usage[] = {0x06, 0x03, 0x55, 0x1d, 0x0f};                 // 2.5.29.15
constexpr std::uint8_t subject_alternative_name[] = {0x06, 0x03, 0x55, 0x1d, 0x11};  // 2.5.29.17
constexpr std::uint8_t basic_constraints[] = {0x06, 0x03, 0x55, 0x1d, 0x13};         // 2.5.29.19
constexpr std::uint8_t authority_key_identifier[] = {0x06, 0x03, 0x55, 0x1d, 0x23};  // 2.5.29.35
constexpr std::uint8_t extended_key_usage[] = {0x06, 0x03, 0x55, 0x1d, 0x25};        // 2.5.29.37
constexpr std::uint8_t email_protection[] = {  // 1.3.6.1.5.5.7.3.4
    0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x04};
constexpr std::uint8_t netscape_comment[] = {  // 2.16.840.1.113730.1.13
    0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x0d};
// keyCertSign and cRLSign; digitalSignature and keyAgreement: RFC 5280 §4.2.1.3.
constexpr std::uint8_t authority_usage[] = {0x03, 0x02, 0x01, 0x06};
constexpr std::uint8_t signer_usage[] = {0x03, 0x02, 0x03, 0x88};
// clang-format on
constexpr std::uint8_t is_true[] = {0x01, 0x01, 0xff};
constexpr std::uint8_t rfc822_name = 0x81;     // GeneralName [1]
constexpr std::uint8_t key_identifier = 0x80;  // of AuthorityKeyIdentifier, [0]
constexpr std::uint8_t ia5_string = 0x16;
constexpr std::size_t signature_bytes = 76;  // with its algorithm, and the SEQUENCE around all
constexpr std::size_t comment_overhead_bytes = 19;  // at least
constexpr std::int64_t a_day = 86'400;
constexpr std::int64_t valid_days = 3'650;

enum class Critical : std::uint8_t { no, yes };

template <typename Value>
void extension(BerWriter& out, ByteSpan type, Critical critical, Value value) {
    out.sequence([&] {
        out.raw(type);
        if (critical == Critical::yes) out.raw(is_true);
        out.element(ber::octet_string, value);
    });
}

struct Plan {
    std::uint64_t serial;
    ByteSpan issuer, subject;  // Names
    std::int64_t not_before, not_after;
    ByteSpan public_key;
};

template <typename Extensions>
Bytes body_of(const Plan& plan, Extensions extensions) {
    BerWriter body;
    body.sequence([&] {
        body.element(ber::context(0), [&] { body.integer(2); });  // v3
        body.integer(plan.serial);
        body.sequence([&] { body.raw(oid::ed25519); });
        body.raw(plan.issuer);
        body.sequence([&] {
            body.time(plan.not_before);
            body.time(plan.not_after);
        });
        body.raw(plan.subject);
        body.raw(plan.public_key);
        body.element(ber::context(3), [&] { body.sequence([&] { extensions(body); }); });
    });
    return body.take();
}

// RFC 8410.
Result<Bytes> signed_certificate(const Bytes& body, const PrivateKey& key) {
    const Bytes signature =
        TRY(sign_with(key, {SignatureScheme::ed25519, DigestAlgorithm::sha512}, body));
    BerWriter out;
    out.sequence([&] {
        out.raw(body);
        out.sequence([&] { out.raw(oid::ed25519); });
        out.element(ber::bit_string, [&] {
            const std::uint8_t no_unused_bits[] = {0};
            out.raw(no_unused_bits);
            out.raw(signature);
        });
    });
    return out.take();
}

Result<Bytes> name_of(const std::string& common_name) {
    SubjectText name;
    name.organization = "Signers of a load";
    name.common_name = common_name;
    return subject_to_der(name);
}

// A key's public half and its identifier, as wolfSSL writes them.
Result<CertificatePtr> self_signed(const SecureBytes& key) {
    CertificatePlan plan;
    plan.subject = TRY(name_of("sealload"));
    plan.not_before = std::time(nullptr);
    plan.not_after = plan.not_before + a_day;
    return Certificate::parse(TRY(make_self_signed(plan, key.bytes())));
}

}  // namespace

SignerAuthority::SignerAuthority(Bytes certificate, PrivateKey key, PrivateKey signers_key)
    : der_(std::move(certificate)), key_(std::move(key)), signers_key_(std::move(signers_key)) {}

Result<SignerAuthority> SignerAuthority::of(Bytes certificate, SecureBytes key,
                                            SecureBytes signers_key) {
    const CertificatePtr signers = TRY(self_signed(signers_key));
    SignerAuthority made(std::move(certificate), TRY(make_private_key(std::move(key))),
                         TRY(make_private_key(std::move(signers_key))));
    if (made.key_.kind != KeyKind::ed25519 || made.signers_key_.kind != KeyKind::p256)
        return unsupported("its keys are not those of an authority for loads");
    made.certificate_ = TRY(Certificate::parse(made.der_));
    const auto bytes_of = [](ByteSpan span) { return Bytes(span.begin(), span.end()); };
    made.signers_public_key_ = bytes_of(signers->public_key_der());
    made.signers_key_id_ = bytes_of(signers->subject_key_id());
    return made;
}

Result<SignerAuthority> SignerAuthority::make() {
    TRY(init_wolfssl());
    SecureBytes key = TRY(make_key(NewKey::ed25519));
    const CertificatePtr own = TRY(self_signed(key));
    const PrivateKey signing = TRY(make_private_key(SecureBytes::copy_of(key.bytes())));
    const Bytes name = TRY(name_of("Their authority"));
    const std::int64_t now = std::time(nullptr);
    const Plan plan{1, name, name, now - a_day, now + valid_days * a_day, own->public_key_der()};
    const Bytes body = body_of(plan, [&](BerWriter& out) {
        extension(out, basic_constraints, Critical::yes,
                  [&] { out.sequence([&] { out.raw(is_true); }); });
        extension(out, key_usage, Critical::yes, [&] { out.raw(authority_usage); });
        extension(out, subject_key_identifier, Critical::no,
                  [&] { out.octet_string(own->subject_key_id()); });
    });
    return of(TRY(signed_certificate(body, signing)), std::move(key), TRY(make_key(NewKey::p256)));
}

Result<SignerAuthority> SignerAuthority::read(ByteSpan pem) {
    TRY(init_wolfssl());
    std::vector<PemBlock> blocks = TRY(read_pem(pem));
    if (blocks.size() != 3 || !blocks[0].is_certificate() || !blocks[1].is_private_key() ||
        !blocks[2].is_private_key())
        return malformed("it is no file of an authority for loads");
    const ByteSpan der = blocks[0].der.bytes();
    return of(Bytes(der.begin(), der.end()), std::move(blocks[1].der), std::move(blocks[2].der));
}

SecureBytes SignerAuthority::to_pem() const {
    std::vector<SecureBytes> blocks;
    blocks.push_back(write_pem("CERTIFICATE", der_));
    blocks.push_back(write_pem("PRIVATE KEY", key_.pkcs8.bytes()));
    blocks.push_back(write_pem("PRIVATE KEY", signers_key_.pkcs8.bytes()));
    std::size_t bytes = 0;
    for (const SecureBytes& block : blocks) bytes += block.size();
    SecureBytes pem(bytes);
    std::uint8_t* to = pem.data();
    for (const SecureBytes& block : blocks) {
        std::memcpy(to, block.data(), block.size());
        to += block.size();
    }
    return pem;
}

std::string SignerAuthority::certificate_pem() const {
    return std::string(as_text(write_pem("CERTIFICATE", der_).bytes()));
}

Result<Bytes> SignerAuthority::certificate(std::uint64_t number, std::string_view email,
                                           std::size_t bytes_min) const {
    const Bytes subject = TRY(name_of(fmt::format("Signer {}", number)));
    // Of one length, and the authority's own is 1.
    const std::uint64_t serial = (std::uint64_t{1} << 62) + number;
    const Plan plan{serial,
                    certificate_->subject_der(),
                    subject,
                    certificate_->not_before(),
                    certificate_->not_after(),
                    signers_public_key_};
    const auto with_comment = [&](std::size_t comment_bytes) {
        return body_of(plan, [&](BerWriter& out) {
            extension(out, key_usage, Critical::yes, [&] { out.raw(signer_usage); });
            extension(out, extended_key_usage, Critical::no,
                      [&] { out.sequence([&] { out.raw(email_protection); }); });
            extension(out, subject_alternative_name, Critical::no,
                      [&] { out.sequence([&] { out.element(rfc822_name, as_bytes(email)); }); });
            extension(out, subject_key_identifier, Critical::no,
                      [&] { out.octet_string(signers_key_id_); });
            extension(out, authority_key_identifier, Critical::no, [&] {
                out.sequence([&] { out.element(key_identifier, certificate_->subject_key_id()); });
            });
            if (comment_bytes == 0) return;
            const std::string comment(comment_bytes, '.');
            extension(out, netscape_comment, Critical::no,
                      [&] { out.element(ia5_string, as_bytes(comment)); });
        });
    };
    Bytes body = with_comment(0);
    const std::size_t bytes = body.size() + signature_bytes;
    if (bytes < bytes_min)
        body = with_comment(bytes_min - std::min(bytes_min - 1, bytes + comment_overhead_bytes));
    return signed_certificate(body, key_);
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// An X.509 certificate as the gateway sees it: its DER bytes and the fields that decide.
//
// Parsed by wolfSSL (never by us). Immutable, shared between threads by shared_ptr. What is judged
// here are single certificates (may it sign, does it cover an address, is it valid now); chains
// are judged by crypto/trust*.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/reason.h"
#include "core/result.h"

namespace sealgate {

enum class KeyKind : std::uint8_t { rsa, p256, p384, ed25519, x25519, other };
const char* to_text(KeyKind kind);  // "rsa", "p256"…

class Certificate {
public:
    static Result<std::shared_ptr<const Certificate>> parse(ByteSpan der);

    ByteSpan der() const { return der_; }
    const std::string& subject() const { return subject_; }  // "CN=Example, O=…", for people
    const std::string& issuer() const { return issuer_; }
    const std::string& common_name() const { return common_name_; }
    ByteSpan subject_der() const { return subject_der_; }  // the Name, with its SEQUENCE header
    ByteSpan issuer_der() const { return issuer_der_; }
    ByteSpan serial_der() const { return serial_der_; }          // the INTEGER, with its header
    const std::string& serial() const { return serial_; }        // "0A12": upper-case hexadecimal
    ByteSpan subject_key_id() const { return subject_key_id_; }  // empty: none
    // The SubjectPublicKeyInfo, DER.
    ByteSpan public_key_der() const { return public_key_der_; }

    // rfc822Name SANs (and, only where there is no SAN at all, an e-mail address in the subject),
    // lower-cased domains; and dNSName SANs, lower-cased.
    const std::vector<std::string>& emails() const { return emails_; }
    const std::vector<std::string>& domains() const { return domains_; }

    KeyKind key_kind() const { return key_kind_; }
    unsigned key_bits() const { return key_bits_; }
    std::int64_t not_before() const { return not_before_; }  // seconds since 1970
    std::int64_t not_after() const { return not_after_; }
    bool self_issued() const;                            // subject equals issuer
    bool is_authority() const { return is_authority_; }  // basicConstraints CA:TRUE

    // spec/smime.md "Certificates": key usage, extended key usage, key type and size.
    Reason may_sign() const;
    Reason may_encrypt() const;
    bool has_non_repudiation_only() const;             // signs, with a warning
    Reason valid_at(std::int64_t wall_seconds) const;  // ok, expired, not_yet_valid
    // spec/smime.md "Who may sign": e-mail SANs cover exactly those addresses, DNS SANs every
    // address of those domains (`*.example.net`: one label deep). `address` is local@domain; the
    // domain is compared without case, the local part exactly but for ASCII case.
    bool covers(std::string_view address) const;

private:
    Certificate() = default;
    Bytes der_, subject_der_, issuer_der_, serial_der_, subject_key_id_, public_key_der_;
    std::string subject_, issuer_, common_name_, serial_;
    std::vector<std::string> emails_, domains_;
    KeyKind key_kind_ = KeyKind::other;
    unsigned key_bits_ = 0;
    std::int64_t not_before_ = 0, not_after_ = 0;
    std::optional<std::uint16_t> key_usage_;  // RFC 5280 §4.2.1.3 bits, digitalSignature = bit 0
    std::optional<bool> email_protection_;    // EKU present: has emailProtection or any
    bool has_subject_alternative_name_ = false;
    bool is_authority_ = false;
};

using CertificatePtr = std::shared_ptr<const Certificate>;

}  // namespace sealgate

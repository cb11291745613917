// SPDX-License-Identifier: GPL-3.0-or-later
// What a single certificate may do (spec/smime.md, "Certificates" and "Who may sign").
#include <algorithm>

#include "crypto/certificate.h"
#include "crypto/certificate_text.h"

namespace sealgate {
namespace {

constexpr unsigned rsa_bits_min = 2048;  // RFC 8551 §4.3: below is for old mail only
constexpr unsigned rsa_bits_max = 4096;  // above, one signature costs a core 20 ms and more

// RFC 5280 §4.2.1.3
constexpr unsigned digital_signature = 1U << 0;
constexpr unsigned non_repudiation = 1U << 1;
constexpr unsigned key_encipherment = 1U << 2;
constexpr unsigned key_agreement = 1U << 4;

Reason judge_key(KeyKind kind, unsigned bits) {
    if (kind == KeyKind::other) return Reason::unsupported_algorithm;
    if (kind != KeyKind::rsa) return Reason::ok;
    if (bits < rsa_bits_min) return Reason::weak_key;
    return bits > rsa_bits_max ? Reason::unsupported_algorithm : Reason::ok;
}

bool equal_without_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

const char* to_text(KeyKind kind) {
    switch (kind) {
    case KeyKind::rsa: return "rsa";
    case KeyKind::p256: return "p256";
    case KeyKind::p384: return "p384";
    case KeyKind::ed25519: return "ed25519";
    case KeyKind::x25519: return "x25519";
    case KeyKind::other: break;
    }
    return "other";
}

bool Certificate::self_issued() const { return subject_der_ == issuer_der_; }

Reason Certificate::may_sign() const {
    if (key_kind_ == KeyKind::x25519) return Reason::bad_key_usage;  // RFC 8410: agreement only
    if (const Reason reason = judge_key(key_kind_, key_bits_); reason != Reason::ok) return reason;
    if (key_usage_ && (*key_usage_ & (digital_signature | non_repudiation)) == 0) {
        return Reason::bad_key_usage;
    }
    return email_protection_.value_or(true) ? Reason::ok : Reason::bad_key_usage;
}

Reason Certificate::may_encrypt() const {
    if (key_kind_ == KeyKind::ed25519) return Reason::bad_key_usage;  // RFC 8410: signing only
    if (const Reason reason = judge_key(key_kind_, key_bits_); reason != Reason::ok) return reason;
    const unsigned wanted = key_kind_ == KeyKind::rsa ? key_encipherment : key_agreement;
    if (key_usage_ && (*key_usage_ & wanted) == 0) return Reason::bad_key_usage;
    return email_protection_.value_or(true) ? Reason::ok : Reason::bad_key_usage;
}

bool Certificate::has_non_repudiation_only() const {
    return key_usage_ && (*key_usage_ & digital_signature) == 0 &&
           (*key_usage_ & non_repudiation) != 0;
}

Reason Certificate::valid_at(std::int64_t wall_seconds) const {
    if (wall_seconds < not_before_) return Reason::not_yet_valid;
    return wall_seconds > not_after_ ? Reason::expired : Reason::ok;
}

bool Certificate::covers(std::string_view address) const {
    const std::size_t at = address.rfind('@');
    if (at == std::string_view::npos || at == 0) return false;
    for (const std::string& email : emails_) {
        if (equal_without_case(email, address)) return true;
    }
    // A star in an address would stand for itself; no host is called so.
    const auto domain = normal_domain(address.substr(at + 1));
    if (!domain || domain->front() == '*') return false;
    return std::any_of(domains_.begin(), domains_.end(),
                       [&](const std::string& pattern) { return domain_covers(pattern, *domain); });
}

}  // namespace sealgate

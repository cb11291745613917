// SPDX-License-Identifier: GPL-3.0-or-later
// New keys, self-signed certificates and certificate requests (PKCS#10), by wolfSSL.
//
// For S/MIME: keyUsage and extendedKeyUsage as RFC 8550 wants them; with DNS names the certificate
// may serve TLS as well. Nothing is stored here. Any thread; blocks (RSA-4096: seconds).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace sealgate {

enum class NewKey : std::uint8_t { rsa_2048, rsa_3072, rsa_4096, p256, p384, ed25519 };
std::optional<NewKey> parse_new_key(std::string_view text);  // "rsa:2048", "p256"…

// PKCS#8, DER.
Result<SecureBytes> make_key(NewKey kind);

// Subject attributes in UTF-8; empty ones are left out.
struct SubjectText {
    std::string common_name, organization, unit, locality, state;
    std::string country;  // two letters
};
// The Name, DER, from country down to common name. RFC 5280 Appendix A bounds are checked.
Result<Bytes> subject_to_der(const SubjectText& subject);

struct CertificatePlan {
    Bytes subject;                     // a Name, DER
    std::vector<std::string> emails;   // ASCII, local@domain
    std::vector<std::string> domains;  // ASCII, may be *.domain
    std::int64_t not_before = 0;       // seconds since 1970
    std::int64_t not_after = 0;        // past the year 9999 it becomes 9999-12-31 23:59:59
};

Result<Bytes> make_self_signed(const CertificatePlan& plan, ByteSpan pkcs8);
// The dates of the plan are not in it.
Result<Bytes> make_request(const CertificatePlan& plan, ByteSpan pkcs8);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of revocation share: lists and responders' answers that libcrypto signs here, as
// their authority would, or as nobody should.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/trust_crl.h"
#include "tests/crypto/trust_fixture.h"

namespace sealgate::test {

// One line of a list.
struct CrlEntry {
    CertificatePtr certificate;
    std::int64_t since = -day_seconds;  // from now
    int reason = -1;                    // RFC 5280 §5.3.1; -1: none is given
};

struct CrlPlan {
    std::string issuer;  // its name in the fixture's Authority
    std::vector<CrlEntry> entries{};
    std::int64_t this_update = -3600, next_update = 7 * day_seconds;  // from now; 0: none
    std::string signer{};  // whose key signs; empty: the issuer's
    // "issuingDistributionPoint", "critical,onlyuser:TRUE"
    std::vector<std::pair<std::string, std::string>> extensions{};
    std::int64_t number = 1;    // 0: none
    std::int64_t delta_of = 0;  // the number of its base; 0: it is no delta
    const char* digest = "SHA256";
};

// DER.
Bytes make_crl(Authority& authority, const CrlPlan& plan);
// Of somebody else's authority; the plan's names do not matter.
Bytes make_crl(const Certificate& issuer, const std::string& key_file, const CrlPlan& plan);
RevocationListPtr make_list(Authority& authority, const CrlPlan& plan);
std::string to_pem(const char* label, ByteSpan der);

struct OcspPlan {
    CertificatePtr certificate, issuer;  // whom the answer is about
    std::string signer;                  // its name in the fixture's Authority
    bool with_certificate = true;        // the signer's
    enum class Status : std::uint8_t { good, revoked, unknown } status = Status::good;
    int reason = -1;
    std::int64_t since = -day_seconds;                          // revoked; from now
    std::int64_t this_update = -60, next_update = day_seconds;  // from now; 0: none
    const char* digest = "SHA256";
};
Bytes make_ocsp_answer(Authority& authority, const OcspPlan& plan);

}  // namespace sealgate::test

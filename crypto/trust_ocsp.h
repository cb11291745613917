// SPDX-License-Identifier: GPL-3.0-or-later
// The Online Certificate Status Protocol (RFC 6960): a question about one certificate, and what an
// answer says of it.
//
// Written and judged by libcrypto. An answer counts when it is about this certificate, signed by
// its issuer or by one whom the issuer has given OCSPSigning, and in date, give or take
// ocsp_skew_seconds. The question has no nonce: RFC 5019 responders answer from a cache, and what
// is in date is fresh enough. It names the issuer by SHA-1, which every responder knows; it is no
// signature. Values in, a value out; any thread, off the loop.
#pragma once

#include <cstdint>

#include "crypto/trust_crl.h"

namespace sealgate {

inline constexpr std::int64_t ocsp_skew_seconds = 300;
// An answer that does not say when the next one is due is the news of a moment.
inline constexpr std::int64_t ocsp_kept_seconds_max = 24 * 3600;

inline constexpr const char* ocsp_request_type = "application/ocsp-request";

struct OcspAnswer {
    RevocationAnswer answer;
    std::int64_t until = 0;  // when it is good or revoked: how long it may be kept
};

// DER; empty when libcrypto does not read one of the certificates.
Bytes ocsp_request(const Certificate& certificate, const Certificate& issuer);

OcspAnswer read_ocsp_answer(ByteSpan der, const Certificate& certificate, const Certificate& issuer,
                            std::int64_t wall_seconds);

}  // namespace sealgate

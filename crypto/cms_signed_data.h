// SPDX-License-Identifier: GPL-3.0-or-later
// Writes CMS SignedData: RFC 5652 §5, one signer, in the profile of RFC 8551 §2.4.2 and §2.5.
//
// The frame only: the content goes between by the caller, who hashes it. Detached is one DER
// element; opaque is BER of indefinite length in the layout of `openssl cms -stream`, so that the
// content need not be counted first. Values in, bytes out, any thread. Reading CMS is not here.
//
// In order: signed_attributes() of the content's digest, their signature (crypto/signing_key.h),
// then detached_signed_data(), or opaque_closing() for what opaque_opening() began.
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "crypto/ber_writer.h"
#include "crypto/identity.h"
#include "crypto/signing_key.h"

namespace sealgate {

struct SignerInfoPlan {
    IdentityPtr identity;
    SignatureAlgorithm algorithm;
    bool include_chain = true;      // the issuers, but no root: who trusts it has it
    std::int64_t signing_time = 0;  // seconds since 1970
};

// The SET OF Attribute, DER: RFC 5652 §5.4, "a separate encoding […] is performed for message
// digest calculation", which is of this SET, not of the [0] in the SignerInfo.
Bytes signed_attributes(const SignerInfoPlan& plan, const DigestValue& content_digest);

// A whole ContentInfo without content.
Bytes detached_signed_data(const SignerInfoPlan& plan, ByteSpan attributes, ByteSpan signature);

// A ContentInfo up to its content, which follows as definite OCTET STRINGs; and what ends it.
Bytes opaque_opening(const SignerInfoPlan& plan);
Bytes opaque_closing(const SignerInfoPlan& plan, ByteSpan attributes, ByteSpan signature);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Digest and signature AlgorithmIdentifiers as a SignerInfo brings them.
//
// Only read: what the gateway itself writes is crypto/cms_signed_data.cc. An algorithm that is not
// known is no error here but a value without one, with its name for people, so that a report can
// name it; an error is bad syntax alone. RFC 3370 §2 and §3, RFC 4055, RFC 5754, RFC 8419. Values,
// any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/read_digest.h"
#include "crypto/signing_key.h"

namespace sealgate {

struct ReadDigestAlgorithm {
    std::optional<ReadDigest> digest;
    std::string name;  // "sha256", or the dotted OID
};
// `der`: an AlgorithmIdentifier and nothing behind it. Parameters of a digest are NULL or absent
// (RFC 5754 §2), and are not looked at.
Result<ReadDigestAlgorithm> parse_digest_algorithm(ByteSpan der);

struct ReadSignatureAlgorithm {
    std::optional<SignatureScheme> scheme;  // none: unknown, or with parameters that are
    // The digest that the algorithm names itself; with none (rsaEncryption, Ed25519, and
    // id-ecPublicKey, which some programs write for ECDSA) it is the one of the content.
    std::optional<ReadDigest> digest;
    std::string name;  // "rsa-pss", or the dotted OID
    // RSASSA-PSS.
    ReadDigest mask_digest = ReadDigest::sha1;
    std::size_t salt_bytes = 20;
};
Result<ReadSignatureAlgorithm> parse_signature_algorithm(ByteSpan der);

const char* to_text(SignatureScheme scheme);  // "rsa-pkcs1", "rsa-pss", "ecdsa", "ed25519"

}  // namespace sealgate

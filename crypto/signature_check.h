// SPDX-License-Identifier: GPL-3.0-or-later
// The public-key operation of verifying: is this signature that certificate's key's, over that?
//
// Cryptography alone: whether the algorithms are strong enough is weakness_of(); whose certificate
// it is, and whether anybody trusts it, is for others. Takes 20 µs (RSA-2048) to milliseconds: for
// worker threads. Keys are decoded anew each time, in about a microsecond, because wolfCrypt's may
// not be shared between threads. RFC 8017 §8 (RSA), FIPS 186-4 §6 (ECDSA), RFC 8032 (Ed25519).
#pragma once

#include <cstddef>
#include <optional>

#include "core/bytes.h"
#include "core/reason.h"
#include "crypto/certificate.h"
#include "crypto/read_digest.h"
#include "crypto/signature_algorithm.h"

namespace sealgate {

// spec/smime.md, "Certificates": RSA to 4096 bits. wolfCrypt, as it is built here, counts no
// further, and one verification with a larger key would cost milliseconds.
inline constexpr unsigned rsa_verify_bits_max = 4096;
// Below, a key is not even tried, whoever allows weak ones.
inline constexpr unsigned rsa_verify_bits_min = 1024;
// Real ones are 65537; a large one makes verifying as slow as signing (libcrypto's bound, too).
inline constexpr unsigned rsa_exponent_bits_max = 64;

struct SignatureVerdict {
    Reason reason = Reason::bad_signature;
    const char* why = "";  // for people; empty when ok
};

// What was signed. Ed25519 signs the octets themselves; of content that has streamed past there is
// a digest only.
struct SignedOctets {
    const ReadDigestValue& digest;
    std::optional<ByteSpan> octets;
};

// ok, bad_signature, unsupported_algorithm (of the signature, the key, or both together), weak_key
// (below rsa_verify_bits_min).
SignatureVerdict check_signature(const Certificate& signer, const ReadSignatureAlgorithm& algorithm,
                                 const SignedOctets& what, ByteSpan signature);

// spec/smime.md, "Incoming" 4: SHA-1 and RSA below 2048 bits are weak. With `allow_weak` MD5 and
// RSA below 1024 bits still are.
enum class Weakness : std::uint8_t { refuse, allow };
Reason weakness_of(const Certificate& signer, Weakness weakness);
Reason weakness_of(ReadDigest digest, Weakness weakness);

}  // namespace sealgate

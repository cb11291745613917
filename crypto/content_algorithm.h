// SPDX-License-Identifier: GPL-3.0-or-later
// AlgorithmIdentifiers of encrypted messages that come in: content ciphers, RSA key transport, key
// agreement, key wrap.
//
// More than is ever written: 3DES (RFC 3370 §5.1), RC2 (§5.2), AES-192, SHA-1 in OAEP and in key
// derivation. AES-CBC is RFC 3565's, AES-GCM RFC 5084's, OAEP RFC 4055's §4.1, agreement RFC 5753's
// §7.1 and RFC 8418's §2. Syntax only: values that a peer chose, within what can be done with them.
// Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/read_digest.h"

namespace sealgate {

// What content may be read in; crypto/smime_capabilities.h has the ciphers that are written.
enum class ReadableCipher : std::uint8_t {
    aes_128_cbc,
    aes_192_cbc,
    aes_256_cbc,
    aes_128_gcm,
    aes_192_gcm,
    aes_256_gcm,
    des_ede3_cbc,
    rc2_40_cbc,
    rc2_64_cbc,
    rc2_128_cbc,
};

struct ContentAlgorithm {
    ReadableCipher cipher = ReadableCipher::aes_256_cbc;
    Bytes iv;                   // CBC's vector, as long as a block; GCM's nonce, of any length
    std::size_t tag_bytes = 0;  // GCM: 12 to 16

    std::size_t key_bytes() const;
    std::size_t block_bytes() const;  // CBC's
    bool is_authenticated() const;
    bool is_weak() const;  // 3DES, RC2: read, and told
    // Some 35 MB/s (RC2 150) and not gigabytes: not for the loop's thread.
    bool is_slow() const { return is_weak(); }
};
const char* to_text(ReadableCipher cipher);  // "aes-256-gcm", "3des-cbc", "rc2-40-cbc"

// `unsupported`: another algorithm, or parameters that it may have and we do not do.
Result<ContentAlgorithm> parse_content_algorithm(ByteSpan der);
// The algorithm of any AlgorithmIdentifier, as dotted_oid() has it; "" of what is none.
std::string algorithm_oid(ByteSpan der);

// RFC 4055 §4.1; the defaults are the RFC's.
struct OaepParameters {
    ReadDigest hash = ReadDigest::sha1;
    ReadDigest mask_hash = ReadDigest::sha1;  // of MGF1
    Bytes label;                              // pSourceFunc
};

// How a content key lies in a KeyTransRecipientInfo.
struct KeyTransport {
    bool oaep = false;  // else PKCS#1 v1.5
    OaepParameters parameters;
};
Result<KeyTransport> parse_key_transport(ByteSpan der);

enum class KeyWrap : std::uint8_t { aes_128, aes_192, aes_256, des_ede3 };
std::size_t key_bytes(KeyWrap wrap);

// How a key-encryption key comes of a shared secret, and what it wraps with. The cofactor of every
// curve here is 1, so dhSinglePass-cofactorDH is dhSinglePass-stdDH.
struct KeyAgreement {
    enum class Derivation : std::uint8_t { x963, hkdf } derivation = Derivation::x963;
    ReadDigest hash = ReadDigest::sha256;
    KeyWrap wrap = KeyWrap::aes_256;
    Bytes wrap_algorithm;  // its AlgorithmIdentifier as it came: a part of what the key comes of
};
Result<KeyAgreement> parse_key_agreement(ByteSpan der);

}  // namespace sealgate

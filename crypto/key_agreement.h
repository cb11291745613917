// SPDX-License-Identifier: GPL-3.0-or-later
// A content key for an elliptic-curve public key: ephemeral-static ECDH and AES key wrap.
//
// P-256 and P-384 by RFC 5753 §3.1 with the X9.63 KDF of the curve's strength (SHA-256, SHA-384),
// X25519 by RFC 8418 §2.2 with HKDF-SHA-256, as RFC 8551 §2.3 asks. Every recipient gets an
// ephemeral key of its own. The key-encryption key is as long as the content's (RFC 8551 §2.3).
// Encryption only. Any thread.
#pragma once

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/certificate.h"

namespace sealgate {

// What a KeyAgreeRecipientInfo says, besides who it is for.
struct AgreedKey {
    Bytes ephemeral_key;  // the contents of originatorKey's BIT STRING
    Bytes wrapped_key;    // the content key, 8 octets longer: RFC 3394
};

Result<AgreedKey> agree_key(const Certificate& recipient, ByteSpan content_key);

// DER, with their headers. Only for keys that agree: P-256, P-384, X25519.
ByteSpan agreement_scheme(KeyKind kind);
ByteSpan public_key_algorithm(KeyKind kind);
ByteSpan key_wrap_algorithm(std::size_t key_bytes);  // 16 or 32

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// A content key under an RSA public key: PKCS#1 v1.5 (RFC 3370 §4.2.1) or OAEP with SHA-256
// (RFC 3560).
//
// Encryption only; taking the key out again, without an oracle, is another matter. Any thread.
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/certificate.h"

namespace sealgate {

// RSA key transport; EC and X25519 keys always use ephemeral-static ECDH (crypto/key_agreement.h).
enum class RsaTransport : std::uint8_t { pkcs1, oaep };

// The content key, encrypted: as many bytes as the modulus has.
Result<Bytes> transport_key(const Certificate& recipient, RsaTransport transport,
                            ByteSpan content_key);

}  // namespace sealgate

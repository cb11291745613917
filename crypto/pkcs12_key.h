// SPDX-License-Identifier: GPL-3.0-or-later
// Private keys as they lie in files: read in all usual forms, encrypted, compared with
// certificates.
//
// libcrypto's side (PKCS#8 encryption has no wolfSSL counterpart that reads and writes all of it);
// what comes out is plain PKCS#8, the one form that the rest of the gateway knows. No OpenSSL type
// shows here. Any thread; blocks for the key derivation.
#pragma once

#include <optional>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/certificate.h"

namespace sealgate {

// Nothing: none was given. Empty is a passphrase, too.
using Passphrase = std::optional<std::string_view>;

// One key: PEM (PRIVATE KEY, RSA/EC PRIVATE KEY, ENCRYPTED PRIVATE KEY, encrypted traditional
// forms) or DER (PKCS#8, PKCS#1, SEC1), as PKCS#8 PrivateKeyInfo. ErrorKind::untrusted: encrypted,
// and the passphrase is missing or wrong.
Result<SecureBytes> read_private_key(ByteSpan pem_or_der, const Passphrase& passphrase);

// PEM: "ENCRYPTED PRIVATE KEY" (PBES2: PBKDF2 with HMAC-SHA-256, AES-256-CBC).
Result<SecureBytes> encrypt_private_key(ByteSpan pkcs8, std::string_view passphrase);

struct PrivateKeyFacts {
    KeyKind kind = KeyKind::other;
    unsigned bits = 0;
};
Result<PrivateKeyFacts> private_key_facts(ByteSpan pkcs8);

// Whether the key belongs to that SubjectPublicKeyInfo; for keys that can sign, a signature is made
// and verified, so that a damaged key does not pass.
bool key_matches(ByteSpan pkcs8, ByteSpan public_key_der);

}  // namespace sealgate

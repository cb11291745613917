// SPDX-License-Identifier: GPL-3.0-or-later
// The private-key operation: a message in (the DER of signed attributes), a signature out.
//
// For worker threads: an RSA-4096 signature takes milliseconds. RSA is blinded, and what wolfCrypt
// made is verified before it goes out: one bit flipped in a CRT half gives the key away. RFC 8017
// §8 (RSA), FIPS 186-4 §6 (ECDSA), RFC 8032 (Ed25519).
#pragma once

#include <cstdint>

#include "core/config.h"
#include "core/result.h"
#include "crypto/digest.h"
#include "crypto/identity.h"

namespace sealgate {

struct WorkerKey;

enum class SignatureScheme : std::uint8_t { rsa_pkcs1, rsa_pss, ecdsa, ed25519 };

struct SignatureAlgorithm {
    SignatureScheme scheme = SignatureScheme::rsa_pkcs1;
    DigestAlgorithm digest = DigestAlgorithm::sha256;  // of the content, and of what is signed
};

// What a profile's words mean for this kind of key. Ed25519 has a digest of its own: RFC 8419 §3
// wants SHA-512. An RSA scheme with another key is `unsupported`.
Result<SignatureAlgorithm> signature_algorithm_for(KeyKind kind,
                                                   SendingProfileOptions::Scheme scheme,
                                                   SendingProfileOptions::Digest digest);

// Blocks for the operation's time. The key is decoded once per thread (crypto/worker_keys.h).
Result<Bytes> sign_with(const PrivateKey& key, SignatureAlgorithm algorithm, ByteSpan message);

// wolfCrypt's RSA signature over a digest, whatever engine is chosen; for the choice itself.
Result<Bytes> sign_rsa_in_wolfcrypt(WorkerKey& key, SignatureScheme scheme,
                                    const DigestValue& digest);

}  // namespace sealgate

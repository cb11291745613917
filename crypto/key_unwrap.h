// SPDX-License-Identifier: GPL-3.0-or-later
// The content key of a message that comes in, out of what was wrapped for a key of ours.
//
// RSA PKCS#1 v1.5 says nothing about itself (Bleichenbacher): whatever is in the block, a key of
// the wanted length comes out, in the same time. Where the padding is wrong, or the key in it of
// another length, it is one made of the ciphertext and the private key, the same each time, which
// opens nothing: implicit rejection, draft-irtf-cfrg-rsa-guidance and OpenSSL 3.2, simpler because
// the length is known beforehand. So the content fails as it does with a wrong key. OAEP (RFC
// 8017 §7.1.2) and key wrap (RFC 3394, RFC 3217) fail by themselves, which tells a stranger only
// that he did not make them.
//
// Key agreement is ephemeral-static ECDH on P-256, P-384 and X25519: RFC 5753, RFC 8418. A point
// that is not on the curve is refused before it is used.
//
// Public-key operations: for worker threads (crypto/worker_keys.h).
#pragma once

#include <cstddef>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/recipient_info.h"

namespace sealgate {

struct UnwrappedKey {
    SecureBytes key;
    std::size_t index = 0;  // of the one that it was in
};

// The first that opens, those first that can tell: there is no next one after PKCS#1 v1.5, for it
// always opens. `key_bytes` is what the content's cipher takes, and all that is accepted.
// `unsupported`: none of them is in a way that is known here. The other errors all say the same.
Result<UnwrappedKey> unwrap_content_key(const std::vector<WrappedKey>& wrapped,
                                        std::size_t key_bytes);

// Its parts, each for the kind that its name says.
Result<SecureBytes> unwrap_pkcs1(const PrivateKey& key, ByteSpan encrypted_key,
                                 std::size_t key_bytes);
Result<SecureBytes> unwrap_oaep(const PrivateKey& key, const OaepParameters& parameters,
                                ByteSpan encrypted_key);
Result<SecureBytes> unwrap_agreed(const PrivateKey& key, const WrappedKey& wrapped);

// EM = 00 02 PS 00 M (RFC 8017 §7.2.2) with an M as long as `instead`; `instead` where `block` is
// anything else. In a time that depends on the lengths alone.
SecureBytes unpad_pkcs1(ByteSpan block, ByteSpan instead);

}  // namespace sealgate

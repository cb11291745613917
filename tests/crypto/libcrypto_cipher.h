// SPDX-License-Identifier: GPL-3.0-or-later
// What others would have encrypted, by libcrypto: contents in any cipher that is read, and RSA
// blocks with any padding, right or wrong.
#pragma once

#include <string>

#include "core/bytes.h"
#include "tests/crypto/encrypt_fixture.h"

namespace sealgate::test {

struct Enciphered {
    Bytes content;  // CBC: padded
    Bytes tag;      // GCM
};
// `name`: libcrypto's, "AES-192-GCM", "RC2-40-CBC" (from its legacy provider). `padded`: whether
// libcrypto pads; else the content is whole blocks. Empty where it cannot.
Enciphered encipher(const std::string& name, ByteSpan key, ByteSpan iv, ByteSpan content,
                    std::size_t tag_bytes = 0, bool padded = true);

// The bare public-key operation over a block as long as the modulus.
Bytes rsa_raw_encrypt(const Correspondent& who, ByteSpan block);

struct OaepChoice {
    std::string hash, mask_hash;  // "SHA1"
    Bytes label;
};
Bytes rsa_oaep_encrypt(const Correspondent& who, const OaepChoice& choice, ByteSpan message);

}  // namespace sealgate::test

// SPDX-License-Identifier: GPL-3.0-or-later
// Reads a RecipientInfo as far as it is for a key of ours: RFC 5652 §6.2.
//
// KeyTransRecipientInfo, and KeyAgreeRecipientInfo with an ephemeral key (RFC 5753 §3.1.1), each by
// issuer and serial number or by subject key identifier. Those for others, and kinds that need
// something else than a certificate's key (passwords, shared keys), are passed over. Nothing is
// decrypted here: crypto/key_unwrap.h. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/content_algorithm.h"
#include "crypto/decryption_keys.h"

namespace sealgate {

// A content key for a key of ours, as it lies in the message.
struct WrappedKey {
    enum class Kind : std::uint8_t {
        rsa_pkcs1,
        rsa_oaep,
        agreed,
        unusable,  // it is for us, and in a way that is not known here
    };
    Kind kind = Kind::unusable;
    IdentityPtr identity;
    Bytes encrypted_key;

    OaepParameters oaep;  // rsa_oaep

    KeyAgreement agreement;    // agreed
    Bytes originator_key;      // the contents of its BIT STRING: a point, or X25519's number
    std::optional<Bytes> ukm;  // user keying material: a part of what the key comes of
};
const char* to_text(WrappedKey::Kind kind);  // "rsa-pkcs1", "rsa-oaep", "ecdh"; "" of unusable

// What one of them may take in memory, its kind and lengths aside: RSA-16384, and user keying
// material as nobody has it. Larger ones are `unusable`.
inline constexpr std::size_t wrapped_key_bytes_max = 4096;

// Appends those of `der` that are for `keys`, until there are `count_max`.
// An error: it is not a RecipientInfo.
Result<void> add_wrapped_keys(ByteSpan der, const DecryptionKeys& keys, std::size_t count_max,
                              std::vector<WrappedKey>& found);

}  // namespace sealgate

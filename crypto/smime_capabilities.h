// SPDX-License-Identifier: GPL-3.0-or-later
// What a correspondent's software says it can decrypt: SMIMECapabilities, RFC 8551 §2.5.2.
//
// They come with signed mail (an attribute) or in the certificate (RFC 4262). What is not known is
// not assumed, but for AES-256-CBC, which every S/MIME agent since RFC 5751 reads. Values, any
// thread.
#pragma once

#include <cstdint>
#include <span>

#include "core/bytes.h"
#include "core/config.h"
#include "core/result.h"

namespace sealgate {

class Certificate;

// Content encryption: RFC 3565 (CBC, in EnvelopedData), RFC 5084 (GCM, in AuthEnvelopedData).
enum class ContentCipher : std::uint8_t { aes_128_cbc, aes_256_cbc, aes_128_gcm, aes_256_gcm };
const char* to_text(ContentCipher cipher);  // "aes-256-gcm"
constexpr bool is_authenticated(ContentCipher cipher) {
    return cipher == ContentCipher::aes_128_gcm || cipher == ContentCipher::aes_256_gcm;
}
constexpr std::size_t key_bytes(ContentCipher cipher) {
    return cipher == ContentCipher::aes_128_cbc || cipher == ContentCipher::aes_128_gcm ? 16 : 32;
}

struct SmimeCapabilities {
    bool known = false;  // false: nobody said anything, the others are false, too
    bool aes_128_cbc = false, aes_256_cbc = false, aes_128_gcm = false, aes_256_gcm = false;
    bool rsa_oaep = false;

    bool reads(ContentCipher cipher) const;
    // As one byte for a store: bit 0 known, then the others in the order above.
    std::uint8_t to_bits() const;
    static SmimeCapabilities of_bits(std::uint8_t bits);
};

// The DER of SMIMECapabilities (a SEQUENCE OF SMIMECapability); unknown ones are passed over.
Result<SmimeCapabilities> parse_smime_capabilities(ByteSpan der);

// What the certificate itself says: RFC 4262. Not known where it says nothing that can be read.
SmimeCapabilities capabilities_of(const Certificate& certificate);

// What a profile's `cipher` means for these recipients: `automatic` is the best that all of them
// read (GCM before CBC, 256 before 128), and aes-256-cbc where one of them is not known.
ContentCipher choose_cipher(SendingProfileOptions::Cipher wanted,
                            std::span<const SmimeCapabilities> recipients);

}  // namespace sealgate

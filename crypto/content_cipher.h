// SPDX-License-Identifier: GPL-3.0-or-later
// The cipher of a message's content, piece by piece and in place.
//
// AES-CBC with the padding of RFC 5652 §6.3 (RFC 3565), and AES-GCM with a nonce of 12 octets, a
// tag of 16 and nothing authenticated besides (RFC 5084; RFC 5083 §2.2: without authAttrs the
// associated data is empty). One content per object. It belongs to one thread at a time, and its
// key is wiped when it goes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/smime_capabilities.h"

struct Aes;

namespace sealgate {

inline constexpr std::size_t cipher_block_bytes = 16;
inline constexpr std::size_t gcm_tag_bytes = 16;
// CBC's initialisation vector, GCM's nonce.
constexpr std::size_t iv_bytes(ContentCipher cipher) {
    return is_authenticated(cipher) ? 12 : cipher_block_bytes;
}

// limits::gcm_content_bytes_max; CBC has none.
Result<void> check_content_bytes(ContentCipher cipher, std::uint64_t content_bytes);

class ContentEncryptor {
public:
    // `key` has key_bytes(cipher), `iv` has iv_bytes(cipher).
    static Result<std::unique_ptr<ContentEncryptor>> begin(ContentCipher cipher, ByteSpan key,
                                                           ByteSpan iv);

    // Whole blocks (CBC), any number of bytes (GCM).
    Result<void> encrypt(std::span<std::uint8_t> content);
    // The rest; CBC pads it, so there must be room for up to one more block behind it. Returns how
    // many bytes it has become.
    Result<std::size_t> encrypt_last(std::uint8_t* content, std::size_t bytes);
    // GCM, after the last.
    using Tag = std::array<std::uint8_t, gcm_tag_bytes>;
    Result<Tag> tag();

private:
    struct Free {
        void operator()(Aes* aes) const noexcept;
    };
    explicit ContentEncryptor(ContentCipher cipher) : cipher_(cipher) {}

    ContentCipher cipher_;
    std::uint64_t content_bytes_ = 0;
    std::unique_ptr<Aes, Free> aes_;
};

}  // namespace sealgate

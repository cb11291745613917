// SPDX-License-Identifier: GPL-3.0-or-later
// Deciphers the content of a message that comes in, piece by piece.
//
// AES-CBC, 3DES and RC2 with the padding of RFC 5652 §6.3, AES-GCM with any nonce and a tag of 12
// to 16 octets (RFC 5084), without associated data. What is given out before finish() has succeeded
// is nobody's: CBC proves nothing at all, GCM at the end. Reading only, and more than is ever
// written: crypto/content_cipher.h. One content per object. It belongs to one thread at a time, and
// its key is wiped when it goes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/bytes.h"
#include "core/chunk.h"
#include "core/result.h"
#include "crypto/content_algorithm.h"

namespace sealgate {

class ContentDecryptor {
public:
    // `key` has algorithm.key_bytes().
    static Result<std::unique_ptr<ContentDecryptor>> begin(const ContentAlgorithm& algorithm,
                                                           ByteSpan key);
    ~ContentDecryptor();
    ContentDecryptor(const ContentDecryptor&) = delete;
    ContentDecryptor& operator=(const ContentDecryptor&) = delete;

    // What can be deciphered by now is appended to `out`. `limit`: more than AES-GCM does
    // (limits::gcm_content_bytes_max).
    Result<void> decrypt(ByteSpan in, ChunkBuilder& out);
    // There is no more. CBC: takes the padding off, and is an error where there is none. GCM: an
    // error where `tag` is another; of CBC it is empty.
    Result<void> finish(ByteSpan tag, ChunkBuilder& out);

private:
    struct Cipher;
    explicit ContentDecryptor(const ContentAlgorithm& algorithm);

    Result<void> decrypt_blocks(ByteSpan in, ChunkBuilder& out);
    Result<void> decrypt_run(ByteSpan in, std::uint8_t* out);
    Result<void> take_padding_off(ChunkBuilder& out);

    bool authenticated_;
    std::size_t block_bytes_;
    std::size_t tag_bytes_;
    std::uint64_t content_bytes_ = 0;
    std::unique_ptr<Cipher> cipher_;
    // CBC: the last 1 to block_bytes_ octets that came, for the last block is not given out before
    // its padding has been looked at. None before the first.
    std::array<std::uint8_t, 16> held_{};
    std::size_t held_bytes_ = 0;
};

}  // namespace sealgate

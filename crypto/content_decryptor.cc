// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/content_decryptor.h"

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/des3.h>
#include <wolfssl/wolfcrypt/rc2.h>

#include <algorithm>
#include <cstring>

#include "core/limits.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

constexpr const char* broken = "wolfCrypt's cipher failed";
constexpr const char* not_right = "the content does not decrypt";
// One block of a ChunkBuilder.
constexpr std::size_t run_bytes_max = 64 * 1024;

word32 size_of(ByteSpan bytes) { return static_cast<word32>(bytes.size()); }

unsigned rc2_bits(ReadableCipher cipher) {
    if (cipher == ReadableCipher::rc2_40_cbc) return 40;
    return cipher == ReadableCipher::rc2_64_cbc ? 64 : 128;
}

}  // namespace

// wolfCrypt's state of one of the three.
struct ContentDecryptor::Cipher {
    enum class Kind : std::uint8_t { aes, des3, rc2 } kind;
    bool ready = false;
    union {
        Aes aes;
        Des3 des3;
        Rc2 rc2;
    };

    explicit Cipher(ReadableCipher cipher)
        : kind(cipher == ReadableCipher::des_ede3_cbc ? Kind::des3
               : cipher == ReadableCipher::rc2_40_cbc || cipher == ReadableCipher::rc2_64_cbc ||
                       cipher == ReadableCipher::rc2_128_cbc
                   ? Kind::rc2
                   : Kind::aes) {
        switch (kind) {
        case Kind::aes: ready = wc_AesInit(&aes, nullptr, INVALID_DEVID) == 0; break;
        case Kind::des3: ready = wc_Des3Init(&des3, nullptr, INVALID_DEVID) == 0; break;
        case Kind::rc2: ready = true; break;
        }
    }
    ~Cipher() {
        if (ready && kind == Kind::aes) wc_AesFree(&aes);
        if (ready && kind == Kind::des3) wc_Des3Free(&des3);
        switch (kind) {
        case Kind::aes: wipe(&aes, sizeof aes); break;
        case Kind::des3: wipe(&des3, sizeof des3); break;
        case Kind::rc2: wipe(&rc2, sizeof rc2); break;
        }
    }
    Cipher(const Cipher&) = delete;
    Cipher& operator=(const Cipher&) = delete;

    bool set_key(const ContentAlgorithm& algorithm, ByteSpan key) {
        const ByteSpan iv = algorithm.iv;
        switch (kind) {
        case Kind::aes:
            if (algorithm.is_authenticated()) {
                return wc_AesGcmDecryptInit(&aes, key.data(), size_of(key), iv.data(),
                                            size_of(iv)) == 0;
            }
            return wc_AesSetKey(&aes, key.data(), size_of(key), iv.data(), AES_DECRYPTION) == 0;
        case Kind::des3: return wc_Des3_SetKey(&des3, key.data(), iv.data(), DES_DECRYPTION) == 0;
        case Kind::rc2:
            return wc_Rc2SetKey(&rc2, key.data(), size_of(key), iv.data(),
                                rc2_bits(algorithm.cipher)) == 0;
        }
        return false;
    }
};

ContentDecryptor::ContentDecryptor(const ContentAlgorithm& algorithm)
    : authenticated_(algorithm.is_authenticated()),
      block_bytes_(algorithm.block_bytes()),
      tag_bytes_(algorithm.tag_bytes),
      cipher_(std::make_unique<Cipher>(algorithm.cipher)) {}

ContentDecryptor::~ContentDecryptor() = default;

Result<std::unique_ptr<ContentDecryptor>> ContentDecryptor::begin(const ContentAlgorithm& algorithm,
                                                                  ByteSpan key) {
    CHECK(key.size() == algorithm.key_bytes());
    CHECK(algorithm.is_authenticated() ? !algorithm.iv.empty()
                                       : algorithm.iv.size() == algorithm.block_bytes());
    TRY(init_wolfssl());
    std::unique_ptr<ContentDecryptor> made(new ContentDecryptor(algorithm));
    if (!made->cipher_->ready || !made->cipher_->set_key(algorithm, key)) return internal(broken);
    return made;
}

Result<void> ContentDecryptor::decrypt(ByteSpan in, ChunkBuilder& out) {
    content_bytes_ += in.size();
    if (authenticated_) {
        if (content_bytes_ > limits::gcm_content_bytes_max)
            return past_limit("content too long for AES-GCM (gcm_content_bytes_max)");
        return decrypt_blocks(in, out);
    }
    if (held_bytes_ + in.size() > block_bytes_ && held_bytes_ > 0) {
        const std::size_t part = block_bytes_ - held_bytes_;
        std::memcpy(held_.data() + held_bytes_, in.data(), part);
        in = in.subspan(part);
        held_bytes_ = 0;
        TRY(decrypt_blocks({held_.data(), block_bytes_}, out));
    }
    if (in.size() > block_bytes_) {
        const std::size_t blocks = (in.size() - 1) / block_bytes_;
        TRY(decrypt_blocks(in.first(blocks * block_bytes_), out));
        in = in.subspan(blocks * block_bytes_);
    }
    if (in.empty()) return {};
    std::memcpy(held_.data() + held_bytes_, in.data(), in.size());
    held_bytes_ += in.size();
    return {};
}

Result<void> ContentDecryptor::decrypt_blocks(ByteSpan in, ChunkBuilder& out) {
    while (!in.empty()) {
        const ByteSpan run = in.first(std::min(in.size(), run_bytes_max));
        TRY(decrypt_run(run, out.reserve(run.size())));
        in = in.subspan(run.size());
    }
    return {};
}

// Whole blocks of CBC, any number of bytes of GCM.
Result<void> ContentDecryptor::decrypt_run(ByteSpan in, std::uint8_t* out) {
    int error = -1;
    switch (cipher_->kind) {
    case Cipher::Kind::aes:
        error = authenticated_
                    ? wc_AesGcmDecryptUpdate(&cipher_->aes, out, in.data(), size_of(in), nullptr, 0)
                    : wc_AesCbcDecrypt(&cipher_->aes, out, in.data(), size_of(in));
        break;
    case Cipher::Kind::des3:
        error = wc_Des3_CbcDecrypt(&cipher_->des3, out, in.data(), size_of(in));
        break;
    case Cipher::Kind::rc2:
        error = wc_Rc2CbcDecrypt(&cipher_->rc2, out, in.data(), size_of(in));
        break;
    }
    if (error != 0) return internal(broken);
    return {};
}

Result<void> ContentDecryptor::finish(ByteSpan tag, ChunkBuilder& out) {
    if (!authenticated_) return take_padding_off(out);
    // One of another length than announced would be a way to have it guessed.
    if (tag.size() != tag_bytes_) return malformed(not_right);
    if (wc_AesGcmDecryptFinal(&cipher_->aes, tag.data(), size_of(tag)) != 0)
        return malformed(not_right);
    return {};
}

Result<void> ContentDecryptor::take_padding_off(ChunkBuilder& out) {
    if (held_bytes_ != block_bytes_) return malformed(not_right);  // no whole number of blocks
    std::array<std::uint8_t, 16> block;
    TRY(decrypt_run({held_.data(), block_bytes_}, block.data()));
    // RFC 5652 §6.3: 1 to a block's number of octets, each with their number. All are looked at,
    // whatever is in them.
    const unsigned padding = block[block_bytes_ - 1];
    unsigned wrong = padding == 0 || padding > block_bytes_ ? 1u : 0u;
    for (std::size_t i = 0; i < block_bytes_; ++i) {
        const unsigned is_padding = block_bytes_ - i <= padding ? 0xffu : 0u;
        wrong |= (block[i] ^ padding) & is_padding;
    }
    if (wrong == 0) out.append({block.data(), block_bytes_ - padding});
    wipe(block.data(), block.size());
    if (wrong != 0) return malformed(not_right);
    return {};
}

}  // namespace sealgate

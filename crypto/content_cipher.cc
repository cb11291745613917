// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/content_cipher.h"

#include <wolfssl/wolfcrypt/aes.h>

#include <algorithm>

#include "core/limits.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

constexpr const char* failed = "wolfCrypt's AES failed";

}  // namespace

Result<void> check_content_bytes(ContentCipher cipher, std::uint64_t content_bytes) {
    if (is_authenticated(cipher) && content_bytes > limits::gcm_content_bytes_max)
        return past_limit("content too long for AES-GCM (gcm_content_bytes_max)");
    return {};
}

void ContentEncryptor::Free::operator()(Aes* aes) const noexcept {
    wc_AesFree(aes);
    wipe(aes, sizeof *aes);
    delete aes;
}

Result<std::unique_ptr<ContentEncryptor>> ContentEncryptor::begin(ContentCipher cipher,
                                                                  ByteSpan key, ByteSpan iv) {
    CHECK(key.size() == key_bytes(cipher) && iv.size() == iv_bytes(cipher));
    TRY(init_wolfssl());
    std::unique_ptr<ContentEncryptor> made(new ContentEncryptor(cipher));
    auto raw = std::make_unique<Aes>();
    if (wc_AesInit(raw.get(), nullptr, INVALID_DEVID) != 0) return internal(failed);
    made->aes_.reset(raw.release());
    const auto key_size = static_cast<word32>(key.size());
    const int error =
        is_authenticated(cipher)
            ? wc_AesGcmEncryptInit(made->aes_.get(), key.data(), key_size, iv.data(),
                                   static_cast<word32>(iv.size()))
            : wc_AesSetKey(made->aes_.get(), key.data(), key_size, iv.data(), AES_ENCRYPTION);
    if (error != 0) return internal(failed);
    return made;
}

Result<void> ContentEncryptor::encrypt(std::span<std::uint8_t> content) {
    if (content.empty()) return {};
    content_bytes_ += content.size();
    TRY(check_content_bytes(cipher_, content_bytes_));
    const auto bytes = static_cast<word32>(content.size());
    if (is_authenticated(cipher_)) {
        if (wc_AesGcmEncryptUpdate(aes_.get(), content.data(), content.data(), bytes, nullptr, 0) !=
            0) {
            return internal(failed);
        }
        return {};
    }
    CHECK(content.size() % cipher_block_bytes == 0);
    if (wc_AesCbcEncrypt(aes_.get(), content.data(), content.data(), bytes) != 0)
        return internal(failed);
    return {};
}

Result<std::size_t> ContentEncryptor::encrypt_last(std::uint8_t* content, std::size_t bytes) {
    std::size_t padded = bytes;
    if (!is_authenticated(cipher_)) {
        // RFC 5652 §6.3: 1 to 16 octets, each with their number.
        const std::size_t padding = cipher_block_bytes - bytes % cipher_block_bytes;
        std::fill_n(content + bytes, padding, static_cast<std::uint8_t>(padding));
        padded += padding;
    }
    TRY(encrypt({content, padded}));
    return padded;
}

Result<ContentEncryptor::Tag> ContentEncryptor::tag() {
    CHECK(is_authenticated(cipher_));
    Tag tag;
    if (wc_AesGcmEncryptFinal(aes_.get(), tag.data(), static_cast<word32>(tag.size())) != 0)
        return internal(failed);
    return tag;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/content_cipher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/limits.h"

namespace sealgate {
namespace {

std::string hex(ByteSpan bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

Bytes counting(std::size_t bytes, std::uint8_t from) {
    Bytes all(bytes);
    for (std::size_t i = 0; i < bytes; ++i) all[i] = static_cast<std::uint8_t>(from + i);
    return all;
}

// The content in pieces, and what follows it: padding, or the tag.
std::string encrypted(ContentCipher cipher, ByteSpan content, std::size_t piece_bytes) {
    const Bytes key = counting(key_bytes(cipher), 0);
    const Bytes iv = counting(iv_bytes(cipher), 0xa0);
    auto encryptor = ContentEncryptor::begin(cipher, key, iv);
    EXPECT_TRUE(encryptor);
    Bytes buffer(content.begin(), content.end());
    buffer.resize(content.size() + cipher_block_bytes);
    std::size_t at = 0;
    for (; content.size() - at > piece_bytes; at += piece_bytes)
        EXPECT_TRUE((*encryptor)->encrypt({buffer.data() + at, piece_bytes}));
    const auto last = (*encryptor)->encrypt_last(buffer.data() + at, content.size() - at);
    EXPECT_TRUE(last);
    buffer.resize(at + *last);
    std::string text = hex(buffer);
    if (is_authenticated(cipher)) text += " " + hex(*(*encryptor)->tag());
    return text;
}

// The wanted values are libcrypto's EVP, of keys 00 01 02…, vectors
// a0 a1 a2… and contents 30 31 32….
TEST(ContentEncryptor, GivesWhatOpensslGives) {
    const struct {
        ContentCipher cipher;
        std::size_t bytes;
        const char* want;
    } cases[] = {
        {ContentCipher::aes_128_cbc, 0, "e315209ed0e7c94f74a65c99f6eadc1e"},
        {ContentCipher::aes_128_cbc, 1, "1abdd170ac97ac2e97cd6d199e8fedc0"},
        {ContentCipher::aes_128_cbc, 16,
         "03d341835e05f967e9f5dc64a0a79ae8aa5593e1e5552d8705ada4eb6fb168c6"},
        {ContentCipher::aes_128_cbc, 33,
         "03d341835e05f967e9f5dc64a0a79ae8517205304e32605788fe256488ab48f2007981fb5de036e14e0ad80f0"
         "c2ffceb"},
        {ContentCipher::aes_256_cbc, 0, "600d07a3b9b2c4e4082153d6d1707aa6"},
        {ContentCipher::aes_256_cbc, 1, "167cafa436154ed8e0b5784a8ce4fcc6"},
        {ContentCipher::aes_256_cbc, 16,
         "7568eff07a6bdd1fde75c389276e41355fd374ec49c6db2b495a28bd94f2a79a"},
        {ContentCipher::aes_256_cbc, 33,
         "7568eff07a6bdd1fde75c389276e413511cbfc392ceefcf00c97e6a41ce45aa840a21dfad73af961d6b270116"
         "3ad235b"},
        {ContentCipher::aes_128_gcm, 0, " fcee691d22c779b3a1a6d8a277507065"},
        {ContentCipher::aes_128_gcm, 1, "9a 7a2cf7be4bfaaae3b924ac35a15348c4"},
        {ContentCipher::aes_128_gcm, 16,
         "9ab70a884abc053db2418f3b7a2f8e5f 24f7db4939d539e22ccc5a0c2d6497eb"},
        {ContentCipher::aes_128_gcm, 33,
         "9ab70a884abc053db2418f3b7a2f8e5f13af614bc7527be86d593bd00ec0c1e7ca "
         "650f44f1253dccdd59bdf3237e82cda2"},
        {ContentCipher::aes_256_gcm, 0, " 5c699625af4b93a0f8220a2a6119c5d0"},
        {ContentCipher::aes_256_gcm, 1, "d6 077b460b7808200fa0e6cbe3e5314dab"},
        {ContentCipher::aes_256_gcm, 16,
         "d6294e1e71fe34885a5cbde83b47fee1 8a1a5f48e02206d3f72d7fb5c6b43529"},
        {ContentCipher::aes_256_gcm, 33,
         "d6294e1e71fe34885a5cbde83b47fee130ed1b53d6f2042bd4476ccd33e63b4e82 "
         "6a518754c51bdc51ab0cd3f36560e542"},
    };
    for (const auto& row : cases) {
        EXPECT_EQ(encrypted(row.cipher, counting(row.bytes, 0x30), 1 << 20), row.want)
            << to_text(row.cipher) << " " << row.bytes;
    }
}

TEST(ContentEncryptor, GivesTheSameInPieces) {
    const Bytes content = counting(1000, 0);
    for (const ContentCipher cipher : {ContentCipher::aes_128_cbc, ContentCipher::aes_256_gcm}) {
        const std::string want = encrypted(cipher, content, content.size());
        for (const std::size_t piece_bytes : {16u, 32u, 48u, 256u, 992u})
            EXPECT_EQ(encrypted(cipher, content, piece_bytes), want) << piece_bytes;
    }
    const std::string want = encrypted(ContentCipher::aes_128_gcm, content, content.size());
    for (const std::size_t piece_bytes : {1u, 7u, 15u, 17u, 999u})
        EXPECT_EQ(encrypted(ContentCipher::aes_128_gcm, content, piece_bytes), want);
}

TEST(ContentEncryptor, PadsToWholeBlocks) {
    for (std::size_t bytes = 0; bytes <= 33; ++bytes) {
        const std::size_t want = (bytes / cipher_block_bytes + 1) * cipher_block_bytes;
        EXPECT_EQ(encrypted(ContentCipher::aes_256_cbc, counting(bytes, 0), 1 << 20).size(),
                  2 * want)
            << bytes;
    }
}

TEST(ContentEncryptor, HasALimitWithGcm) {
    const std::uint64_t most = limits::gcm_content_bytes_max;
    for (const ContentCipher cipher : {ContentCipher::aes_128_gcm, ContentCipher::aes_256_gcm}) {
        EXPECT_TRUE(check_content_bytes(cipher, most));
        const auto past = check_content_bytes(cipher, most + 1);
        ASSERT_FALSE(past);
        EXPECT_EQ(past.error().kind, ErrorKind::limit);
    }
    EXPECT_TRUE(check_content_bytes(ContentCipher::aes_256_cbc, most + 1));
}

}  // namespace
}  // namespace sealgate

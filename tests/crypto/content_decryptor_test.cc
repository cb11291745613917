// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/content_decryptor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/limits.h"
#include "crypto/content_cipher.h"
#include "tests/crypto/libcrypto_cipher.h"

namespace sealgate {
namespace {

using test::encipher;
using test::Enciphered;

Bytes counting(std::size_t bytes, std::uint8_t from) {
    Bytes all(bytes);
    for (std::size_t i = 0; i < bytes; ++i) all[i] = static_cast<std::uint8_t>(from + i);
    return all;
}

struct Row {
    ReadableCipher cipher;
    const char* name;  // libcrypto's
};
constexpr Row rows[] = {
    {ReadableCipher::aes_128_cbc, "AES-128-CBC"},   {ReadableCipher::aes_192_cbc, "AES-192-CBC"},
    {ReadableCipher::aes_256_cbc, "AES-256-CBC"},   {ReadableCipher::aes_128_gcm, "AES-128-GCM"},
    {ReadableCipher::aes_192_gcm, "AES-192-GCM"},   {ReadableCipher::aes_256_gcm, "AES-256-GCM"},
    {ReadableCipher::des_ede3_cbc, "DES-EDE3-CBC"}, {ReadableCipher::rc2_40_cbc, "RC2-40-CBC"},
    {ReadableCipher::rc2_64_cbc, "RC2-64-CBC"},     {ReadableCipher::rc2_128_cbc, "RC2-CBC"},
};

struct Content {
    ContentAlgorithm algorithm;
    Bytes key;
    Bytes plaintext;
    Enciphered enciphered;
};

Content content_in(const Row& row, std::size_t bytes, std::size_t nonce_bytes = 12,
                   std::size_t tag_bytes = 16) {
    Content made;
    made.algorithm.cipher = row.cipher;
    const bool gcm = made.algorithm.is_authenticated();
    made.algorithm.iv = counting(gcm ? nonce_bytes : made.algorithm.block_bytes(), 0xa0);
    made.algorithm.tag_bytes = gcm ? tag_bytes : 0;
    made.key = counting(made.algorithm.key_bytes(), 1);
    made.plaintext = counting(bytes, 0x30);
    made.enciphered =
        encipher(row.name, made.key, made.algorithm.iv, made.plaintext, made.algorithm.tag_bytes);
    EXPECT_EQ(made.enciphered.content.empty(), gcm && bytes == 0) << row.name;
    return made;
}

struct Deciphered {
    Bytes plaintext;
    bool good = false;
};

// `cuts`: the sizes of the pieces; what is left is the last one.
Deciphered decipher(const Content& content, const std::vector<std::size_t>& cuts = {}) {
    auto decryptor = ContentDecryptor::begin(content.algorithm, content.key);
    EXPECT_TRUE(decryptor);
    ChunkBuilder out(100);
    ByteSpan left = content.enciphered.content;
    for (const std::size_t bytes : cuts) {
        EXPECT_TRUE((*decryptor)->decrypt(left.first(bytes), out));
        left = left.subspan(bytes);
    }
    EXPECT_TRUE((*decryptor)->decrypt(left, out));
    Deciphered result;
    result.good = (*decryptor)->finish(content.enciphered.tag, out).has_value();
    const std::string text = out.take().to_string();
    result.plaintext.assign(text.begin(), text.end());
    return result;
}

TEST(ContentDecryptor, ReadsWhatOpensslWrites) {
    for (const Row& row : rows) {
        for (const std::size_t bytes : {0u, 1u, 7u, 8u, 9u, 15u, 16u, 17u, 33u, 1000u, 70'000u}) {
            const Content content = content_in(row, bytes);
            const Deciphered result = decipher(content);
            EXPECT_TRUE(result.good) << row.name << " " << bytes;
            EXPECT_EQ(result.plaintext, content.plaintext) << row.name << " " << bytes;
        }
    }
}

TEST(ContentDecryptor, ReadsTheSameAtEveryCut) {
    for (const Row& row : rows) {
        const Content content = content_in(row, 53);
        const std::size_t size = content.enciphered.content.size();
        for (std::size_t first = 0; first <= size; ++first) {
            for (const std::size_t second : {0u, 1u, 8u, 16u}) {
                if (first + second > size) continue;
                const Deciphered result = decipher(content, {first, second});
                EXPECT_TRUE(result.good && result.plaintext == content.plaintext)
                    << row.name << " " << first << " " << second;
            }
        }
        const Deciphered bytewise = decipher(content, std::vector<std::size_t>(size, 1));
        EXPECT_TRUE(bytewise.good && bytewise.plaintext == content.plaintext) << row.name;
    }
}

TEST(ContentDecryptor, TakesGcmNoncesAndTagsOfAnyLength) {
    for (const std::size_t nonce_bytes : {1u, 8u, 11u, 12u, 13u, 16u, 17u, 60u, 128u}) {
        for (std::size_t tag_bytes = 12; tag_bytes <= 16; ++tag_bytes) {
            for (const Row& row : {rows[3], rows[5]}) {
                Content content = content_in(row, 40, nonce_bytes, tag_bytes);
                const Deciphered result = decipher(content);
                EXPECT_TRUE(result.good && result.plaintext == content.plaintext)
                    << row.name << " " << nonce_bytes << " " << tag_bytes;
                content.enciphered.tag.back() ^= 1;
                EXPECT_FALSE(decipher(content).good) << nonce_bytes << " " << tag_bytes;
            }
        }
    }
}

TEST(ContentDecryptor, RefusesEveryGcmContentThatWasChanged) {
    const Content content = content_in(rows[5], 40);
    for (std::size_t i = 0; i < content.enciphered.content.size(); ++i) {
        for (const int bit : {0, 7}) {
            Content changed = content;
            changed.enciphered.content[i] ^= static_cast<std::uint8_t>(1 << bit);
            EXPECT_FALSE(decipher(changed).good) << i;
        }
    }
    for (std::size_t i = 0; i < content.enciphered.tag.size(); ++i) {
        Content changed = content;
        changed.enciphered.tag[i] ^= 0x80;
        EXPECT_FALSE(decipher(changed).good) << "tag " << i;
    }
    for (std::size_t i = 0; i < content.algorithm.iv.size(); ++i) {
        Content changed = content;
        changed.algorithm.iv[i] ^= 1;
        EXPECT_FALSE(decipher(changed).good) << "nonce " << i;
    }
    Content shorter = content;
    shorter.enciphered.content.pop_back();
    EXPECT_FALSE(decipher(shorter).good);
    Content longer = content;
    longer.enciphered.content.push_back(0);
    EXPECT_FALSE(decipher(longer).good);
}

TEST(ContentDecryptor, RefusesAGcmTagOfAnotherLengthThanAnnounced) {
    const Content content = content_in(rows[3], 40);
    for (const std::size_t bytes : {0u, 1u, 12u, 15u, 17u}) {
        Content changed = content;
        changed.enciphered.tag.resize(bytes);
        EXPECT_FALSE(decipher(changed).good) << bytes;
    }
    Content none = content_in(rows[3], 0);
    none.enciphered.tag.clear();
    EXPECT_FALSE(decipher(none).good);
}

// The last block as it is in clear, and whether it ends in padding.
TEST(ContentDecryptor, LooksAtTheWholePadding) {
    struct Case {
        const char* name;
        std::size_t block_bytes;
        Bytes end;  // of the last block
        bool good;
    };
    const Case cases[] = {
        {"one", 16, {0x01}, true},
        {"all of the block", 16, Bytes(16, 0x10), true},
        {"two", 16, {0x02, 0x02}, true},
        {"one behind a two", 16, {0x02, 0x01}, true},
        {"none", 16, {0x00}, false},
        {"more than a block", 16, {0x11}, false},
        {"much more", 16, {0xff}, false},
        {"two of which one is another", 16, {0x03, 0x02}, false},
        {"a block's of which the first is another", 16,
         [] {
             Bytes end(16, 0x10);
             end[0] = 0x0f;
             return end;
         }(),
         false},
        {"a small block", 8, Bytes(8, 0x08), true},
        {"more than a small block", 8, Bytes(8, 0x09), false},
        {"a large block's", 8, Bytes(8, 0x10), false},
    };
    for (const Case& row : cases) {
        const Row& cipher = row.block_bytes == 16 ? rows[0] : rows[6];
        Content content = content_in(cipher, 0);
        Bytes plaintext(3 * row.block_bytes, 'x');
        std::copy(row.end.begin(), row.end.end(),
                  plaintext.end() - static_cast<std::ptrdiff_t>(row.end.size()));
        content.enciphered =
            encipher(cipher.name, content.key, content.algorithm.iv, plaintext, 0, false);
        ASSERT_EQ(content.enciphered.content.size(), plaintext.size());
        const Deciphered result = decipher(content);
        EXPECT_EQ(result.good, row.good) << row.name;
        plaintext.resize(row.good ? plaintext.size() - row.end.back()
                                  : plaintext.size() - row.block_bytes);
        EXPECT_EQ(result.plaintext, plaintext) << row.name;
    }
}

TEST(ContentDecryptor, RefusesCbcThatIsNoWholeNumberOfBlocks) {
    for (const Row& row : {rows[0], rows[6], rows[9]}) {
        const Content content = content_in(row, 40);
        for (std::size_t bytes = 0; bytes < content.enciphered.content.size(); ++bytes) {
            if (bytes != 0 && bytes % content.algorithm.block_bytes() == 0) continue;
            Content cut = content;
            cut.enciphered.content.resize(bytes);
            EXPECT_FALSE(decipher(cut).good) << row.name << " " << bytes;
        }
    }
}

TEST(ContentDecryptor, HasALimitWithGcm) {
    const Content content = content_in(rows[5], 0);
    const Content cbc = content_in(rows[2], 0);
    auto decryptor = ContentDecryptor::begin(content.algorithm, content.key);
    auto unlimited = ContentDecryptor::begin(cbc.algorithm, cbc.key);
    ASSERT_TRUE(decryptor && unlimited);
    // The limit has 32 bits; to reach it takes a second or two.
    const Bytes piece(1 << 20);
    std::uint64_t left = limits::gcm_content_bytes_max;
    while (left > 0) {
        ChunkBuilder out(64 * 1024);
        const std::size_t bytes = std::min<std::uint64_t>(left, piece.size());
        ASSERT_TRUE((*decryptor)->decrypt(ByteSpan(piece).first(bytes), out)) << left;
        left -= bytes;
    }
    ChunkBuilder out;
    const auto past = (*decryptor)->decrypt(ByteSpan(piece).first(1), out);
    ASSERT_FALSE(past);
    EXPECT_EQ(past.error().kind, ErrorKind::limit);
    EXPECT_TRUE((*unlimited)->decrypt(piece, out));
}

// What is written and what is read are two pieces of code.
TEST(ContentDecryptor, ReadsWhatTheEncryptorWrites) {
    const struct {
        ContentCipher written;
        ReadableCipher read;
    } cases[] = {
        {ContentCipher::aes_128_cbc, ReadableCipher::aes_128_cbc},
        {ContentCipher::aes_256_cbc, ReadableCipher::aes_256_cbc},
        {ContentCipher::aes_128_gcm, ReadableCipher::aes_128_gcm},
        {ContentCipher::aes_256_gcm, ReadableCipher::aes_256_gcm},
    };
    for (const auto& row : cases) {
        EXPECT_STREQ(to_text(row.written), to_text(row.read));
        Content content;
        content.algorithm.cipher = row.read;
        content.algorithm.iv = counting(iv_bytes(row.written), 7);
        content.key = counting(key_bytes(row.written), 9);
        ASSERT_EQ(content.key.size(), content.algorithm.key_bytes());
        auto encryptor = ContentEncryptor::begin(row.written, content.key, content.algorithm.iv);
        ASSERT_TRUE(encryptor);
        const Bytes plaintext = counting(100, 0);
        content.enciphered.content = plaintext;
        content.enciphered.content.resize(plaintext.size() + cipher_block_bytes);
        const auto bytes =
            (*encryptor)->encrypt_last(content.enciphered.content.data(), plaintext.size());
        ASSERT_TRUE(bytes);
        content.enciphered.content.resize(*bytes);
        if (is_authenticated(row.written)) {
            const auto tag = (*encryptor)->tag();
            ASSERT_TRUE(tag);
            content.enciphered.tag.assign(tag->begin(), tag->end());
            content.algorithm.tag_bytes = gcm_tag_bytes;
        }
        const Deciphered result = decipher(content);
        EXPECT_TRUE(result.good && result.plaintext == plaintext) << to_text(row.read);
    }
}

}  // namespace
}  // namespace sealgate

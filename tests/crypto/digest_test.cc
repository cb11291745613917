// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <string>

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

// FIPS 180-4, the examples of NIST: "abc" and nothing.
TEST(Digest, GivesTheStandardsValues) {
    const struct {
        DigestAlgorithm algorithm;
        const char* in;
        const char* want_begin;
        const char* micalg;
        std::size_t bytes;
    } cases[] = {
        {DigestAlgorithm::sha256, "abc", "ba7816bf8f01cfea", "sha-256", 32},
        {DigestAlgorithm::sha384, "abc", "cb00753f45a35e8b", "sha-384", 48},
        {DigestAlgorithm::sha512, "abc", "ddaf35a193617aba", "sha-512", 64},
        {DigestAlgorithm::sha256, "", "e3b0c44298fc1c14", "sha-256", 32},
        {DigestAlgorithm::sha384, "", "38b060a751ac9638", "sha-384", 48},
        {DigestAlgorithm::sha512, "", "cf83e1357eefb8bd", "sha-512", 64},
    };
    for (const auto& row : cases) {
        const DigestValue digest = digest_of(row.algorithm, as_bytes(row.in));
        EXPECT_EQ(digest.bytes().size(), row.bytes);
        EXPECT_EQ(hex(digest.bytes()).substr(0, 16), row.want_begin);
        EXPECT_STREQ(micalg(row.algorithm), row.micalg);
        EXPECT_EQ(digest_bytes(row.algorithm), row.bytes);
    }
}

TEST(Digest, IsTheSameHoweverTheInputIsCut) {
    const std::string in(300, 'm');
    for (const auto algorithm :
         {DigestAlgorithm::sha256, DigestAlgorithm::sha384, DigestAlgorithm::sha512}) {
        const std::string want = hex(digest_of(algorithm, as_bytes(in)).bytes());
        for (std::size_t cut = 0; cut <= in.size(); ++cut) {
            Digest digest(algorithm);
            digest.update(as_bytes(in).first(cut));
            digest.update(as_bytes(in).subspan(cut));
            EXPECT_EQ(hex(digest.finish().bytes()), want) << cut;
        }
    }
}

}  // namespace
}  // namespace sealgate

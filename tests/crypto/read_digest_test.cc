// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/read_digest.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/certificate_text.h"
#include "crypto/digest.h"
#include "crypto/oid.h"

namespace sealgate {
namespace {

TEST(ReadDigest, IsWhatFips180Says) {
    const struct {
        ReadDigest digest;
        const char* want;  // of "abc"
    } rows[] = {
        {ReadDigest::sha1, "A9993E364706816ABA3E25717850C26C9CD0D89D"},
        {ReadDigest::sha224, "23097D223405D8228642A477BDA255B32AADBCE4BDA0B3F7E36C9DA7"},
        {ReadDigest::sha256, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"},
        {ReadDigest::sha384,
         "CB00753F45A35E8BB5A03D699AC65007272C32AB0EDED1631A8B605A43FF5BED8086072BA1E7CC2358BAECA1"
         "34C825A7"},
        {ReadDigest::sha512,
         "DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A2192992A274FC1A836BA3C23"
         "A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(to_text(row.digest));
        EXPECT_EQ(to_hexadecimal(digest_of(row.digest, as_bytes("abc")).bytes()), row.want);
        RunningDigest running(row.digest);
        running.update(as_bytes("a"));
        running.update({});
        RunningDigest moved = std::move(running);
        moved.update(as_bytes("bc"));
        const ReadDigestValue value = moved.finish();
        EXPECT_EQ(value.algorithm(), row.digest);
        EXPECT_EQ(to_hexadecimal(value.bytes()), row.want);
    }
}

TEST(ReadDigest, KnowsWhatIsWeak) {
    EXPECT_TRUE(is_weak(ReadDigest::md5));
    EXPECT_TRUE(is_weak(ReadDigest::sha1));
    for (const ReadDigest digest :
         {ReadDigest::sha224, ReadDigest::sha256, ReadDigest::sha384, ReadDigest::sha512})
        EXPECT_FALSE(is_weak(digest)) << to_text(digest);
    EXPECT_FALSE(is_computed(ReadDigest::md5));
}

TEST(ReadDigest, IsFoundByItsIdentifier) {
    EXPECT_EQ(read_digest_of(oid::md5), ReadDigest::md5);
    EXPECT_EQ(read_digest_of(oid::sha1), ReadDigest::sha1);
    EXPECT_EQ(read_digest_of(oid::sha224), ReadDigest::sha224);
    for (const DigestAlgorithm digest :
         {DigestAlgorithm::sha256, DigestAlgorithm::sha384, DigestAlgorithm::sha512}) {
        const auto found = read_digest_of(oid_of(digest));
        ASSERT_TRUE(found);
        EXPECT_EQ(digest_bytes(*found), digest_bytes(digest));
    }
    EXPECT_FALSE(read_digest_of(oid::rsa_encryption));
    EXPECT_FALSE(read_digest_of({}));
    EXPECT_FALSE(read_digest_of(ByteSpan(oid::sha256).first(10)));
}

TEST(ReadDigest, IsTakenFromMicalg) {
    const struct {
        const char* micalg;
        const char* want;
    } rows[] = {
        {"sha-256", "sha256"},
        {"SHA256", "sha256"},
        {"sha-512", "sha256 sha512"},
        {"sha1", "sha1 sha256"},
        {"sha-1", "sha1 sha256"},
        {"rsa-sha1", "sha1 sha256"},
        {"sha224", "sha224 sha256"},
        {"sha-1, sha-512", "sha1 sha256 sha512"},
        {"sha256,sha256", "sha256"},
        {"\"sha-384\"", "sha256 sha384"},
        // Never computed, and so no reason to compute the others.
        {"md5", "sha256"},
        // Nothing known: all that may come.
        {"", "sha1 sha256 sha384 sha512"},
        {"unknown", "sha1 sha256 sha384 sha512"},
        {",", "sha1 sha256 sha384 sha512"},
        {"sha-224,frobnicate", "sha1 sha224 sha256 sha384 sha512"},
        {"sha-25", "sha1 sha256 sha384 sha512"},
        {"sha-256x", "sha1 sha256 sha384 sha512"},
    };
    for (const auto& row : rows) {
        std::string names;
        for (const ReadDigest digest : digests_for_micalg(row.micalg)) {
            if (!names.empty()) names += ' ';
            names += to_text(digest);
        }
        EXPECT_EQ(names, row.want) << row.micalg;
    }
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/content_algorithm.h"

#include <gtest/gtest.h>

#include <string>

namespace sealgate {
namespace {

Bytes unhex(std::string_view text) {
    Bytes bytes;
    unsigned digits = 0, value = 0;
    for (const char c : text) {
        if (c == ' ') continue;
        value = value << 4 | static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
        if (++digits % 2 != 0) continue;
        bytes.push_back(static_cast<std::uint8_t>(value));
        value = 0;
    }
    return bytes;
}

// The contents, below a SEQUENCE.
Bytes sequence(const std::string& contents) {
    Bytes bytes = unhex(contents);
    EXPECT_LT(bytes.size(), 128u);
    bytes.insert(bytes.begin(), {0x30, static_cast<std::uint8_t>(bytes.size())});
    return bytes;
}
std::string hex(ByteSpan bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}
std::string sequence_hex(const std::string& contents) { return hex(sequence(contents)); }

const std::string aes128_cbc = "0609608648016503040102";
const std::string aes192_cbc = "0609608648016503040116";
const std::string aes256_cbc = "060960864801650304012a";
const std::string aes256_gcm = "060960864801650304012e";
const std::string des3 = "06082a864886f70d0307";
const std::string rc2 = "06082a864886f70d0302";
const std::string iv16 = "041000112233445566778899aabbccddeeff";
const std::string iv8 = "04080011223344556677";

TEST(ContentAlgorithm, IsReadWithItsParameters) {
    const struct {
        std::string contents;
        const char* name;
        std::size_t key_bytes, iv_bytes, tag_bytes;
        bool weak;
    } cases[] = {
        {aes128_cbc + iv16, "aes-128-cbc", 16, 16, 0, false},
        {aes192_cbc + iv16, "aes-192-cbc", 24, 16, 0, false},
        {aes256_cbc + iv16, "aes-256-cbc", 32, 16, 0, false},
        {"0609608648016503040106" + sequence_hex("040101"), "aes-128-gcm", 16, 1, 12, false},
        {"060960864801650304011a" + sequence_hex(iv8 + "02010d"), "aes-192-gcm", 24, 8, 13, false},
        {aes256_gcm + sequence_hex(iv16 + "020110"), "aes-256-gcm", 32, 16, 16, false},
        {aes256_gcm + sequence_hex(iv16 + "02020010"), "aes-256-gcm", 32, 16, 16, false},
        {des3 + iv8, "3des-cbc", 24, 8, 0, true},
        {rc2 + sequence_hex("020200a0" + iv8), "rc2-40-cbc", 5, 8, 0, true},
        {rc2 + sequence_hex("020178" + iv8), "rc2-64-cbc", 8, 8, 0, true},
        {rc2 + sequence_hex("02013a" + iv8), "rc2-128-cbc", 16, 8, 0, true},
    };
    for (const auto& row : cases) {
        const auto algorithm = parse_content_algorithm(sequence(row.contents));
        ASSERT_TRUE(algorithm) << row.name << ": " << algorithm.error().what;
        EXPECT_STREQ(to_text(algorithm->cipher), row.name);
        EXPECT_EQ(algorithm->key_bytes(), row.key_bytes) << row.name;
        EXPECT_EQ(algorithm->iv.size(), row.iv_bytes) << row.name;
        EXPECT_EQ(algorithm->tag_bytes, row.tag_bytes) << row.name;
        EXPECT_EQ(algorithm->is_weak(), row.weak) << row.name;
    }
}

TEST(ContentAlgorithm, IsRefusedWhereItIsNotKnownOrNotRight) {
    const struct {
        const char* name;
        Bytes der;
        ErrorKind want;
    } cases[] = {
        {"nothing", {}, ErrorKind::malformed},
        {"no sequence", unhex(aes128_cbc), ErrorKind::malformed},
        {"no identifier", sequence(iv16), ErrorKind::malformed},
        {"an empty one", sequence(""), ErrorKind::malformed},
        {"something behind it", unhex("3000 0500"), ErrorKind::malformed},
        {"two parameters", sequence(aes128_cbc + iv16 + iv16), ErrorKind::malformed},
        {"no vector", sequence(aes128_cbc), ErrorKind::malformed},
        {"NULL for a vector", sequence(aes128_cbc + "0500"), ErrorKind::malformed},
        {"a short vector", sequence(aes128_cbc + iv8), ErrorKind::malformed},
        {"a long vector", sequence(des3 + iv16), ErrorKind::malformed},
        {"single DES", sequence("06052b0e030207" + iv8), ErrorKind::unsupported},
        {"Camellia", sequence("060b2a83088c9a4b3d01010102" + iv16), ErrorKind::unsupported},
        {"AES-CCM", sequence("0609608648016503040107" + sequence_hex(iv8)), ErrorKind::unsupported},
        {"ChaCha20-Poly1305", sequence("060b2a864886f70d0109100312" + iv8), ErrorKind::unsupported},
        {"GCM without parameters", sequence(aes256_gcm), ErrorKind::malformed},
        {"GCM with a vector", sequence(aes256_gcm + iv16), ErrorKind::malformed},
        {"GCM without a nonce", sequence(aes256_gcm + sequence_hex("0400")), ErrorKind::malformed},
        {"a tag of 11", sequence(aes256_gcm + sequence_hex(iv8 + "02010b")), ErrorKind::malformed},
        {"a tag of 17", sequence(aes256_gcm + sequence_hex(iv8 + "020111")), ErrorKind::malformed},
        {"a tag of 0", sequence(aes256_gcm + sequence_hex(iv8 + "020100")), ErrorKind::malformed},
        {"a negative tag", sequence(aes256_gcm + sequence_hex(iv8 + "0201f0")),
         ErrorKind::unsupported},
        {"a huge tag", sequence(aes256_gcm + sequence_hex(iv8 + "0203010000")),
         ErrorKind::unsupported},
        {"a tag of no number", sequence(aes256_gcm + sequence_hex(iv8 + "0200")),
         ErrorKind::unsupported},
        {"more than a tag", sequence(aes256_gcm + sequence_hex(iv8 + "0201100500")),
         ErrorKind::malformed},
        {"RC2 with a vector alone", sequence(rc2 + iv8), ErrorKind::malformed},
        {"RC2 of 128 bits by its number", sequence(rc2 + sequence_hex("02020080" + iv8)),
         ErrorKind::unsupported},
        {"RC2 with a long vector", sequence(rc2 + sequence_hex("02013a" + iv16)),
         ErrorKind::malformed},
        {"RC2 without a vector", sequence(rc2 + sequence_hex("02013a")), ErrorKind::malformed},
        {"RC2 with more", sequence(rc2 + sequence_hex("02013a" + iv8 + "0500")),
         ErrorKind::malformed},
    };
    for (const auto& row : cases) {
        const auto algorithm = parse_content_algorithm(row.der);
        ASSERT_FALSE(algorithm) << row.name;
        EXPECT_EQ(algorithm.error().kind, row.want) << row.name;
    }
}

TEST(ContentAlgorithm, IsNamedByItsNumberWhereItIsNotKnown) {
    EXPECT_EQ(algorithm_oid(sequence("06052b0e030207" + iv8)), "1.3.14.3.2.7");
    EXPECT_EQ(algorithm_oid(unhex("0500")), "");
}

const std::string oaep = "06092a864886f70d010107";
const std::string sha1 = sequence_hex("06052b0e03021a0500");
const std::string sha256 = sequence_hex("06096086480165030402010500");
const std::string sha512_without_null = sequence_hex("0609608648016503040203");
const std::string md5 = sequence_hex("06082a864886f70d02050500");
const std::string mgf1 = "06092a864886f70d010108";
const std::string p_specified = "06092a864886f70d010109";

std::string tagged(unsigned number, const std::string& contents) {
    std::string text = sequence_hex(contents);
    return text.replace(0, 2, "a" + std::to_string(number));
}

TEST(KeyTransport, IsReadWithItsParameters) {
    const struct {
        const char* name;
        std::string contents;
        bool oaep;
        ReadDigest hash, mask_hash;
        std::string label;
    } cases[] = {
        {"PKCS#1", "06092a864886f70d0101010500", false, ReadDigest::sha1, ReadDigest::sha1, ""},
        {"PKCS#1 without NULL", "06092a864886f70d010101", false, ReadDigest::sha1, ReadDigest::sha1,
         ""},
        {"no parameters", oaep, true, ReadDigest::sha1, ReadDigest::sha1, ""},
        {"empty parameters", oaep + "3000", true, ReadDigest::sha1, ReadDigest::sha1, ""},
        {"a hash", oaep + sequence_hex(tagged(0, sha256)), true, ReadDigest::sha256,
         ReadDigest::sha1, ""},
        {"a mask", oaep + sequence_hex(tagged(1, sequence_hex(mgf1 + sha512_without_null))), true,
         ReadDigest::sha1, ReadDigest::sha512, ""},
        {"a label", oaep + sequence_hex(tagged(2, sequence_hex(p_specified + "0402beef"))), true,
         ReadDigest::sha1, ReadDigest::sha1, "beef"},
        {"an empty label", oaep + sequence_hex(tagged(2, sequence_hex(p_specified + "0400"))), true,
         ReadDigest::sha1, ReadDigest::sha1, ""},
        {"all",
         oaep + sequence_hex(tagged(0, sha256) + tagged(1, sequence_hex(mgf1 + sha1)) +
                             tagged(2, sequence_hex(p_specified + "040100"))),
         true, ReadDigest::sha256, ReadDigest::sha1, "00"},
    };
    for (const auto& row : cases) {
        const auto transport = parse_key_transport(sequence(row.contents));
        ASSERT_TRUE(transport) << row.name << ": " << transport.error().what;
        EXPECT_EQ(transport->oaep, row.oaep) << row.name;
        EXPECT_EQ(transport->parameters.hash, row.hash) << row.name;
        EXPECT_EQ(transport->parameters.mask_hash, row.mask_hash) << row.name;
        EXPECT_EQ(hex(transport->parameters.label), row.label) << row.name;
    }
}

TEST(KeyTransport, IsRefusedWhereItIsNotKnownOrNotRight) {
    const std::string cases[] = {
        "",
        "06092a864886f70d010105",      // sha1WithRSAEncryption
        "060b2a864886f70d010910030e",  // RSA-KEM
        oaep + "0500",
        oaep + sequence_hex(tagged(0, md5)),
        oaep + sequence_hex(tagged(0, "")),
        oaep + sequence_hex(sha256),
        oaep + sequence_hex(tagged(0, sha256 + sha256)),
        oaep + sequence_hex(tagged(0, sha256) + tagged(0, sha256)),
        oaep + sequence_hex(tagged(1, sequence_hex(mgf1 + sha256)) + tagged(0, sha256)),
        oaep + sequence_hex(tagged(1, sha256)),
        oaep + sequence_hex(tagged(1, sequence_hex(mgf1))),
        oaep + sequence_hex(tagged(1, sequence_hex(mgf1 + md5))),
        oaep + sequence_hex(tagged(2, sequence_hex(mgf1 + "0400"))),
        oaep + sequence_hex(tagged(2, sequence_hex(p_specified))),
        oaep + sequence_hex(tagged(2, sequence_hex(p_specified + "0500"))),
        oaep + sequence_hex(tagged(3, sha256)),
    };
    for (const std::string& contents : cases)
        EXPECT_FALSE(parse_key_transport(sequence(contents))) << contents;
}

TEST(KeyAgreement, IsReadWithItsWrap) {
    const std::string aes128 = sequence_hex("0609608648016503040105");
    const std::string aes192 = sequence_hex("0609608648016503040119");
    const std::string aes256_null = sequence_hex("060960864801650304012d0500");
    const std::string des3_wrap = sequence_hex("060b2a864886f70d01091003060500");
    const auto x963 = KeyAgreement::Derivation::x963;
    const auto hkdf = KeyAgreement::Derivation::hkdf;
    const struct {
        std::string scheme;
        KeyAgreement::Derivation derivation;
        ReadDigest hash;
        std::string wrap;
        KeyWrap want;
        std::size_t key_bytes;
    } cases[] = {
        {"06092b81051086483f0002", x963, ReadDigest::sha1, aes128, KeyWrap::aes_128, 16},
        {"06092b81051086483f0003", x963, ReadDigest::sha1, aes192, KeyWrap::aes_192, 24},
        {"06062b8104010b00", x963, ReadDigest::sha224, aes128, KeyWrap::aes_128, 16},
        {"06062b8104010b01", x963, ReadDigest::sha256, aes256_null, KeyWrap::aes_256, 32},
        {"06062b8104010b02", x963, ReadDigest::sha384, des3_wrap, KeyWrap::des_ede3, 24},
        {"06062b8104010b03", x963, ReadDigest::sha512, aes128, KeyWrap::aes_128, 16},
        {"06062b8104010e00", x963, ReadDigest::sha224, aes128, KeyWrap::aes_128, 16},
        {"06062b8104010e01", x963, ReadDigest::sha256, aes128, KeyWrap::aes_128, 16},
        {"06062b8104010e02", x963, ReadDigest::sha384, aes128, KeyWrap::aes_128, 16},
        {"06062b8104010e03", x963, ReadDigest::sha512, aes128, KeyWrap::aes_128, 16},
        {"060b2a864886f70d0109100313", hkdf, ReadDigest::sha256, aes128, KeyWrap::aes_128, 16},
        {"060b2a864886f70d0109100314", hkdf, ReadDigest::sha384, aes128, KeyWrap::aes_128, 16},
        {"060b2a864886f70d0109100315", hkdf, ReadDigest::sha512, aes128, KeyWrap::aes_128, 16},
    };
    for (const auto& row : cases) {
        const auto agreement = parse_key_agreement(sequence(row.scheme + row.wrap));
        ASSERT_TRUE(agreement) << row.scheme << ": " << agreement.error().what;
        EXPECT_EQ(agreement->derivation, row.derivation) << row.scheme;
        EXPECT_EQ(agreement->hash, row.hash) << row.scheme;
        EXPECT_EQ(agreement->wrap, row.want) << row.scheme;
        EXPECT_EQ(key_bytes(agreement->wrap), row.key_bytes) << row.scheme;
        EXPECT_EQ(hex(agreement->wrap_algorithm), row.wrap) << row.scheme;
    }
    const std::string bad_cases[] = {
        "06062b8104010b01",                                           // no wrap
        "06062b8104010b010500",                                       // NULL for one
        "06062b8104010b04" + aes128,                                  // no such scheme
        "06062b8104010f01" + aes128,                                  // MQV
        "06062b8104010b01" + sequence_hex(aes128_cbc),                // a cipher that is no wrap
        "06062b8104010b01" + sequence_hex("0609608648016503040108"),  // AES wrap with padding
        "06092a864886f70d010101" + aes128,                            // RSA
    };
    for (const std::string& contents : bad_cases)
        EXPECT_FALSE(parse_key_agreement(sequence(contents))) << contents;
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/signature_algorithm.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/crypto/signer_info_fixture.h"

namespace sealgate {
namespace {

using test::from_hexadecimal;

// What a row wants: scheme, the digest it names, of PSS the mask's digest and the salt's length.
std::string described(const ReadSignatureAlgorithm& algorithm) {
    if (!algorithm.scheme) return "unknown " + algorithm.name;
    std::string text = algorithm.name;
    text += ' ';
    text += algorithm.digest ? to_text(*algorithm.digest) : "-";
    if (*algorithm.scheme != SignatureScheme::rsa_pss) return text;
    text += ' ';
    text += to_text(algorithm.mask_digest);
    return text + ' ' + std::to_string(algorithm.salt_bytes);
}

struct Case {
    const char* name;
    std::string_view der;
    const char* want;  // null: malformed
};

constexpr Case signature_cases[] = {
    // clang-format off
    {"rsaEncryption", "300d06092a864886f70d0101010500", "rsa-pkcs1 -"},
    {"rsaEncryption without parameters", "300b06092a864886f70d010101", "rsa-pkcs1 -"},
    {"md5WithRSA", "300d06092a864886f70d0101040500", "rsa-pkcs1 md5"},
    {"sha1WithRSA", "300d06092a864886f70d0101050500", "rsa-pkcs1 sha1"},
    {"sha224WithRSA", "300d06092a864886f70d01010e0500", "rsa-pkcs1 sha224"},
    {"sha256WithRSA", "300d06092a864886f70d01010b0500", "rsa-pkcs1 sha256"},
    {"sha384WithRSA", "300d06092a864886f70d01010c0500", "rsa-pkcs1 sha384"},
    {"sha512WithRSA", "300d06092a864886f70d01010d0500", "rsa-pkcs1 sha512"},
    {"ecdsa-with-SHA1", "300906072a8648ce3d0401", "ecdsa sha1"},
    {"ecdsa-with-SHA224", "300a06082a8648ce3d040301", "ecdsa sha224"},
    {"ecdsa-with-SHA256", "300a06082a8648ce3d040302", "ecdsa sha256"},
    {"ecdsa-with-SHA384", "300a06082a8648ce3d040303", "ecdsa sha384"},
    {"ecdsa-with-SHA512", "300a06082a8648ce3d040304", "ecdsa sha512"},
    {"id-ecPublicKey", "300906072a8648ce3d0201", "ecdsa -"},
    {"id-ecPublicKey with its curve", "301306072a8648ce3d020106082a8648ce3d030107", "ecdsa -"},
    {"Ed25519", "300506032b6570", "ed25519 -"},
    {"Ed448", "300506032b6571", "unknown 1.3.101.113"},
    {"DSA with SHA-256", "300b0609608648016503040302", "unknown 2.16.840.1.101.3.4.3.2"},
    {"PSS, SHA-256 and its mask, salt of 32",
     "304106092a864886f70d01010a3034"
     "a00f300d06096086480165030402010500"
     "a11c301a06092a864886f70d010108300d06096086480165030402010500"
     "a203020120", "rsa-pss sha256 sha256 32"},
    {"PSS, digests without parameters",
     "303d06092a864886f70d01010a3030"
     "a00d300b0609608648016503040203"
     "a11a301806092a864886f70d010108300b0609608648016503040202"
     "a203020140", "rsa-pss sha512 sha384 64"},
    {"PSS with all that is the default", "300d06092a864886f70d01010a3000", "rsa-pss sha1 sha1 20"},
    {"PSS with a long salt", "301306092a864886f70d01010a3006a204020200de", "rsa-pss sha1 sha1 222"},
    {"PSS with an absurd salt", "301706092a864886f70d01010a300aa208020600ffffffffff",
     "rsa-pss sha1 sha1 4294967295"},
    {"PSS with the only trailer", "301206092a864886f70d01010a3005a303020101",
     "rsa-pss sha1 sha1 20"},
    {"PSS with MD5", "301d06092a864886f70d01010a3010a00e300c06082a864886f70d02050500",
     "rsa-pss md5 sha1 20"},
    {"PSS with another trailer", "301206092a864886f70d01010a3005a303020102", "unknown rsa-pss"},
    {"PSS with an unknown digest", "301606092a864886f70d01010a3009a007300506032b6570",
     "unknown rsa-pss"},
    {"PSS with an unknown mask", "301606092a864886f70d01010a3009a107300506032b6570",
     "unknown rsa-pss"},
    {"PSS with a mask of MD5",
     "302a06092a864886f70d01010a301da11b301906092a864886f70d010108300c06082a864886f70d02050500",
     "unknown rsa-pss"},
    {"PSS without parameters", "300b06092a864886f70d01010a", nullptr},
    {"PSS with NULL parameters", "300d06092a864886f70d01010a0500", nullptr},
    {"PSS with fields out of order", "301706092a864886f70d01010a300aa303020101a203020120", nullptr},
    {"PSS with a field twice", "301706092a864886f70d01010a300aa203020120a203020120", nullptr},
    {"PSS with a field beyond the last", "301206092a864886f70d01010a3005a403020101", nullptr},
    {"PSS with a negative salt", "301206092a864886f70d01010a3005a2030201ff", nullptr},
    {"PSS with an empty salt", "301106092a864886f70d01010a3004a2020200", nullptr},
    {"PSS with a mask without its digest",
     "301a06092a864886f70d01010a300da10b06092a864886f70d010108", nullptr},
    {"nothing", "", nullptr},
    {"no identifier", "3000", nullptr},
    {"not a SEQUENCE", "310506032b6570", nullptr},
    {"bytes behind it", "300506032b657000", nullptr},
    {"bytes behind the parameters", "300906032b657005000500", nullptr},
    {"cut short", "300506032b65", nullptr},
    // clang-format on
};

TEST(SignatureAlgorithm, IsReadAsItComes) {
    for (const Case& row : signature_cases) {
        const auto algorithm = parse_signature_algorithm(from_hexadecimal(row.der));
        EXPECT_EQ(algorithm ? described(*algorithm) : "malformed",
                  row.want != nullptr ? row.want : "malformed")
            << row.name;
    }
}

TEST(SignatureAlgorithm, IsNeverReadCutShort) {
    for (const Case& row : signature_cases) {
        if (row.want == nullptr) continue;
        const Bytes der = from_hexadecimal(row.der);
        for (std::size_t cut = 0; cut < der.size(); ++cut)
            EXPECT_FALSE(parse_signature_algorithm(ByteSpan(der).first(cut))) << row.name << cut;
    }
}

TEST(DigestAlgorithm, IsReadAsItComes) {
    const Case rows[] = {
        {"MD5", "300c06082a864886f70d02050500", "md5"},
        {"SHA-1", "300906052b0e03021a0500", "sha1"},
        {"SHA-1 without parameters", "300706052b0e03021a", "sha1"},
        {"SHA-224", "300b0609608648016503040204", "sha224"},
        {"SHA-256", "300b0609608648016503040201", "sha256"},
        {"SHA-256 with NULL", "300d06096086480165030402010500", "sha256"},
        {"SHA-512", "300b0609608648016503040203", "sha512"},
        {"SHA-512/256", "300b0609608648016503040206", "unknown 2.16.840.1.101.3.4.2.6"},
        {"MD2", "300c06082a864886f70d02020500", "unknown 1.2.840.113549.2.2"},
        {"an identifier alone", "0609608648016503040201", nullptr},
        {"nothing", "", nullptr},
        {"another tag", "310b0609608648016503040201", nullptr},
        {"two parameters", "300f060960864801650304020105000500", nullptr},
    };
    for (const Case& row : rows) {
        const auto algorithm = parse_digest_algorithm(from_hexadecimal(row.der));
        std::string got = "malformed";
        if (algorithm)
            got = algorithm->digest ? to_text(*algorithm->digest) : "unknown " + algorithm->name;
        EXPECT_EQ(got, row.want != nullptr ? row.want : "malformed") << row.name;
    }
}

}  // namespace
}  // namespace sealgate

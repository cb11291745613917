// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/signature_check.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "crypto/oid.h"
#include "tests/crypto/libcrypto_signer.h"
#include "tests/crypto/signer_info_fixture.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate {
namespace {

using test::LibcryptoKey;
using test::octet_string;
using test::sequence;

constexpr std::string_view message = "message";

ReadSignatureAlgorithm algorithm_of(SignatureScheme scheme) {
    ReadSignatureAlgorithm algorithm;
    algorithm.scheme = scheme;
    return algorithm;
}

ReadSignatureAlgorithm pss(ReadDigest mask, std::size_t salt_bytes) {
    ReadSignatureAlgorithm algorithm = algorithm_of(SignatureScheme::rsa_pss);
    algorithm.mask_digest = mask;
    algorithm.salt_bytes = salt_bytes;
    return algorithm;
}

Reason checked(const Certificate& signer, const ReadSignatureAlgorithm& algorithm,
               ReadDigest digest, ByteSpan signature, std::string_view text = message) {
    const SignatureVerdict verdict = check_signature(
        signer, algorithm, {digest_of(digest, as_bytes(text)), as_bytes(text)}, signature);
    EXPECT_EQ(std::string(verdict.why).empty(), verdict.reason == Reason::ok) << verdict.why;
    return verdict.reason;
}

// Made when they are asked for.
const LibcryptoKey& rsa(unsigned bits) {
    static std::map<unsigned, LibcryptoKey> made;
    const auto found = made.find(bits);
    return (found != made.end() ? found : made.emplace(bits, LibcryptoKey::rsa(bits)).first)
        ->second;
}

Bytes signed_by(const LibcryptoKey& key, ReadDigest digest) {
    return key.sign(to_text(digest), digest_of(digest, as_bytes(message)).bytes());
}

Bytes signed_with_pss(const LibcryptoKey& key, ReadDigest digest, ReadDigest mask,
                      std::size_t salt_bytes) {
    return key.sign_pss(to_text(digest), digest_of(digest, as_bytes(message)).bytes(),
                        to_text(mask), salt_bytes);
}

constexpr ReadDigest computed[] = {ReadDigest::sha1, ReadDigest::sha224, ReadDigest::sha256,
                                   ReadDigest::sha384, ReadDigest::sha512};

// --- what our own key signs
// -------------------------------------------------------------------------

TEST(SignatureCheck, AcceptsWhatTheGatewaySigns) {
    const struct {
        const char* name;
        SignatureScheme scheme;
    } rows[] = {
        {"rsa2048", SignatureScheme::rsa_pkcs1}, {"rsa3072", SignatureScheme::rsa_pkcs1},
        {"rsa4096", SignatureScheme::rsa_pkcs1}, {"rsa2048", SignatureScheme::rsa_pss},
        {"rsa3072", SignatureScheme::rsa_pss},   {"p256", SignatureScheme::ecdsa},
        {"p384", SignatureScheme::ecdsa},        {"ed25519", SignatureScheme::ed25519},
    };
    for (const auto& row : rows) {
        const IdentityPtr identity = test::signer(row.name);
        for (const DigestAlgorithm digest :
             {DigestAlgorithm::sha256, DigestAlgorithm::sha384, DigestAlgorithm::sha512}) {
            SCOPED_TRACE(testing::Message() << row.name << ' ' << micalg(digest));
            Bytes signature =
                sign_with(identity->key, {row.scheme, digest}, as_bytes(message)).value();
            const ReadDigest read = *read_digest_of(oid_of(digest));
            const auto algorithm = row.scheme == SignatureScheme::rsa_pss
                                       ? pss(read, digest_bytes(digest))
                                       : algorithm_of(row.scheme);
            EXPECT_EQ(checked(*identity->leaf, algorithm, read, signature), Reason::ok);
            EXPECT_EQ(checked(*identity->leaf, algorithm, read, signature, "massage"),
                      Reason::bad_signature);
            for (std::size_t i = 0; i < signature.size(); i += 7) {
                signature[i] ^= 0x10;
                EXPECT_EQ(checked(*identity->leaf, algorithm, read, signature),
                          Reason::bad_signature)
                    << "octet " << i << " changed";
                signature[i] ^= 0x10;
            }
        }
    }
}

TEST(SignatureCheck, RefusesSignaturesOfAnotherLength) {
    for (const char* name : {"rsa2048", "p256", "ed25519"}) {
        const IdentityPtr identity = test::signer(name);
        const auto scheme =
            signature_algorithm_for(identity->key.kind, SendingProfileOptions::Scheme::automatic,
                                    SendingProfileOptions::Digest::sha512)
                .value();
        const Bytes signature = sign_with(identity->key, scheme, as_bytes(message)).value();
        const auto algorithm = algorithm_of(scheme.scheme);
        Bytes longer = signature;
        longer.push_back(0);
        Bytes with_zero = signature;
        with_zero.insert(with_zero.begin(), 0);
        for (const Bytes& odd : {longer, with_zero, Bytes{}, Bytes(1), Bytes(signature.size()),
                                 Bytes(signature.begin(), signature.end() - 1)})
            EXPECT_EQ(checked(*identity->leaf, algorithm, ReadDigest::sha512, odd),
                      Reason::bad_signature)
                << name << odd.size();
        EXPECT_EQ(checked(*identity->leaf, algorithm, ReadDigest::sha512, signature), Reason::ok);
    }
}

// --- RSA, PKCS#1
// ------------------------------------------------------------------------------------

Bytes digest_info(ReadDigest digest, const Bytes& parameters, std::string_view text = message) {
    return sequence(sequence(oid_of(digest), parameters),
                    octet_string(digest_of(digest, as_bytes(text)).bytes()));
}
const Bytes null = {0x05, 0x00};

// The block before the private-key operation of 2048 bits: RFC 8017 §9.2.
Bytes block_of(const Bytes& info, std::uint8_t first, std::uint8_t type, std::uint8_t filling,
               std::size_t filled, std::size_t behind) {
    Bytes block = {first, type};
    block.insert(block.end(), filled, filling);
    block.push_back(0);
    block.insert(block.end(), info.begin(), info.end());
    block.insert(block.end(), behind, 0x5a);
    EXPECT_EQ(block.size(), 256u);
    return block;
}

Bytes sign_info(const LibcryptoKey& key, const Bytes& info) {
    return key.sign_block(block_of(info, 0, 1, 0xff, 256 - 3 - info.size(), 0));
}

TEST(SignatureCheck, AcceptsEveryDigestWithPkcs1) {
    const LibcryptoKey& key = rsa(2048);
    const CertificatePtr signer = key.certificate();
    for (const ReadDigest digest : computed)
        EXPECT_EQ(checked(*signer, algorithm_of(SignatureScheme::rsa_pkcs1), digest,
                          signed_by(key, digest)),
                  Reason::ok)
            << to_text(digest);
}

TEST(SignatureCheck, AcceptsADigestInfoInBothForms) {
    const LibcryptoKey& key = rsa(2048);
    const CertificatePtr signer = key.certificate();
    for (const ReadDigest digest : computed) {
        for (const Bytes& parameters : {null, Bytes{}})
            EXPECT_EQ(checked(*signer, algorithm_of(SignatureScheme::rsa_pkcs1), digest,
                              sign_info(key, digest_info(digest, parameters))),
                      Reason::ok)
                << to_text(digest) << parameters.size();
    }
}

TEST(SignatureCheck, RefusesADigestInfoThatIsNotExactlyIt) {
    const LibcryptoKey& key = rsa(2048);
    const CertificatePtr signer = key.certificate();
    const ReadDigest digest = ReadDigest::sha256;
    const ReadDigestValue right = digest_of(digest, as_bytes(message));
    const ByteSpan value = right.bytes();
    Bytes behind = digest_info(digest, null);
    behind.push_back(0);
    Bytes long_length = digest_info(digest, null);
    long_length.insert(long_length.begin() + 1, 0x81);
    const struct {
        const char* name;
        Bytes info;
    } rows[] = {
        {"an octet behind it", behind},
        {"a length in two octets", long_length},
        {"other parameters", digest_info(digest, {0x04, 0x02, 0x61, 0x62})},
        {"NULL with contents", digest_info(digest, {0x05, 0x02, 0x61, 0x62})},
        {"the digest alone", Bytes(value.begin(), value.end())},
        {"another digest's name",
         sequence(sequence(oid_of(ReadDigest::sha512), null), octet_string(value))},
        {"another text's digest", digest_info(digest, null, "massage")},
        {"a field in between", sequence(sequence(oid_of(digest), null), null, octet_string(value))},
        {"a digest cut short",
         sequence(sequence(oid_of(digest), null), octet_string(value.first(31)))},
    };
    for (const auto& row : rows)
        EXPECT_EQ(checked(*signer, algorithm_of(SignatureScheme::rsa_pkcs1), digest,
                          sign_info(key, row.info)),
                  Reason::bad_signature)
            << row.name;
}

TEST(SignatureCheck, RefusesPaddingThatIsNotExactlyIt) {
    const LibcryptoKey& key = rsa(2048);
    const CertificatePtr signer = key.certificate();
    const Bytes info = digest_info(ReadDigest::sha256, null);
    const std::size_t all = 256 - 3 - info.size();
    const struct {
        const char* name;
        Bytes block;
        Reason want;
    } rows[] = {
        {"the right one", block_of(info, 0, 1, 0xff, all, 0), Reason::ok},
        {"type 2", block_of(info, 0, 2, 0xff, all, 0), Reason::bad_signature},
        {"type 0", block_of(info, 0, 0, 0x00, all, 0), Reason::bad_signature},
        {"zeros to fill", block_of(info, 0, 1, 0x00, all, 0), Reason::bad_signature},
        {"fe to fill", block_of(info, 0, 1, 0xfe, all, 0), Reason::bad_signature},
        // Bleichenbacher's forgery of 2006: what is behind the digest was not looked at.
        {"eight to fill and room behind", block_of(info, 0, 1, 0xff, 8, all - 8),
         Reason::bad_signature},
        {"one octet behind", block_of(info, 0, 1, 0xff, all - 1, 1), Reason::bad_signature},
    };
    for (const auto& row : rows)
        EXPECT_EQ(checked(*signer, algorithm_of(SignatureScheme::rsa_pkcs1), ReadDigest::sha256,
                          key.sign_block(row.block)),
                  row.want)
            << row.name;
}

// --- RSA, PSS
// -----------------------------------------------------------------------------------------

TEST(SignatureCheck, AcceptsEverySaltThatIsNamed) {
    for (const unsigned bits : {1024U, 2048U, 2049U, 3072U}) {
        const LibcryptoKey& key = rsa(bits);
        const CertificatePtr signer = key.certificate();
        const std::size_t block_bytes = (bits - 1 + 7) / 8;
        for (const ReadDigest digest : computed) {
            const std::size_t longest = block_bytes - digest_bytes(digest) - 2;
            for (const std::size_t salt :
                 {std::size_t{0}, std::size_t{1}, std::size_t{20}, digest_bytes(digest), longest}) {
                if (salt > longest) continue;  // SHA-512 does not fit into 1024 bits with its own
                SCOPED_TRACE(testing::Message()
                             << bits << ' ' << to_text(digest) << ", salt of " << salt);
                const Bytes signature = signed_with_pss(key, digest, digest, salt);
                EXPECT_EQ(checked(*signer, pss(digest, salt), digest, signature), Reason::ok);
                EXPECT_EQ(checked(*signer, pss(digest, salt + 1), digest, signature),
                          Reason::bad_signature);
                if (salt > 0) {
                    EXPECT_EQ(checked(*signer, pss(digest, salt - 1), digest, signature),
                              Reason::bad_signature);
                }
            }
        }
    }
}

TEST(SignatureCheck, AcceptsAMaskOfAnotherDigest) {
    const LibcryptoKey& key = rsa(2048);
    const CertificatePtr signer = key.certificate();
    for (const ReadDigest mask : computed) {
        const Bytes signature = signed_with_pss(key, ReadDigest::sha256, mask, 32);
        EXPECT_EQ(checked(*signer, pss(mask, 32), ReadDigest::sha256, signature), Reason::ok);
        const ReadDigest other = mask == ReadDigest::sha1 ? ReadDigest::sha512 : ReadDigest::sha1;
        EXPECT_EQ(checked(*signer, pss(other, 32), ReadDigest::sha256, signature),
                  Reason::bad_signature);
        EXPECT_EQ(checked(*signer, algorithm_of(SignatureScheme::rsa_pkcs1), ReadDigest::sha256,
                          signature),
                  Reason::bad_signature);
    }
}

TEST(SignatureCheck, RefusesAbsurdSalts) {
    const LibcryptoKey& key = rsa(2048);
    const CertificatePtr signer = key.certificate();
    const Bytes signature = signed_with_pss(key, ReadDigest::sha256, ReadDigest::sha256, 32);
    for (const std::size_t salt : {std::size_t{222}, std::size_t{223}, std::size_t{256},
                                   std::size_t{257}, std::size_t{0xffffffff}})
        EXPECT_EQ(checked(*signer, pss(ReadDigest::sha256, salt), ReadDigest::sha256, signature),
                  Reason::bad_signature)
            << salt;
}

// --- curves
// -----------------------------------------------------------------------------------------

TEST(SignatureCheck, AcceptsEveryDigestOnBothCurves) {
    for (const char* curve : {"P-256", "P-384"}) {
        const LibcryptoKey key = LibcryptoKey::ec(curve);
        const CertificatePtr signer = key.certificate();
        for (const ReadDigest digest : computed)
            EXPECT_EQ(checked(*signer, algorithm_of(SignatureScheme::ecdsa), digest,
                              signed_by(key, digest)),
                      Reason::ok)
                << curve << to_text(digest);
    }
}

TEST(SignatureCheck, RefusesNumbersThatAreNoSignature) {
    const CertificatePtr signer = LibcryptoKey::ec("P-256").certificate();
    const Bytes zero = {0x02, 0x01, 0x00}, one = {0x02, 0x01, 0x01}, minus = {0x02, 0x01, 0xff};
    const Bytes order = test::from_hexadecimal(
        "022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    const Bytes rows[] = {
        sequence(zero, zero), sequence(one, zero),  sequence(zero, one),  sequence(one, one),
        sequence(minus, one), sequence(order, one), sequence(one, order), sequence(order, order),
        sequence(one),        sequence(),           Bytes{0x30}};
    for (const Bytes& row : rows)
        EXPECT_EQ(checked(*signer, algorithm_of(SignatureScheme::ecdsa), ReadDigest::sha256, row),
                  Reason::bad_signature)
            << row.size();
}

TEST(SignatureCheck, KnowsNoOtherCurve) {
    for (const char* curve : {"P-521", "brainpoolP256r1", "secp256k1"}) {
        const LibcryptoKey key = LibcryptoKey::ec(curve);
        const CertificatePtr signer = key.certificate();
        EXPECT_EQ(checked(*signer, algorithm_of(SignatureScheme::ecdsa), ReadDigest::sha256,
                          signed_by(key, ReadDigest::sha256)),
                  Reason::unsupported_algorithm)
            << curve;
    }
}

TEST(SignatureCheck, CannotCheckEd25519OfADigest) {
    const IdentityPtr identity = test::signer("ed25519");
    const Bytes signature =
        sign_with(identity->key, {SignatureScheme::ed25519, DigestAlgorithm::sha512},
                  as_bytes(message))
            .value();
    const ReadDigestValue digest = digest_of(ReadDigest::sha512, as_bytes(message));
    EXPECT_EQ(check_signature(*identity->leaf, algorithm_of(SignatureScheme::ed25519),
                              {digest, std::nullopt}, signature)
                  .reason,
              Reason::unsupported_algorithm);
}

// --- what does not fit, and what is weak
// ------------------------------------------------------------

TEST(SignatureCheck, WantsAKeyThatFitsTheAlgorithm) {
    const Bytes signature(256, 0x5a);
    for (const SignatureScheme scheme : {SignatureScheme::rsa_pkcs1, SignatureScheme::rsa_pss,
                                         SignatureScheme::ecdsa, SignatureScheme::ed25519}) {
        for (const char* name : {"rsa2048", "p256", "ed25519"}) {
            const IdentityPtr identity = test::signer(name);
            const bool is_rsa =
                scheme == SignatureScheme::rsa_pkcs1 || scheme == SignatureScheme::rsa_pss;
            const bool fits = std::string(name) == "rsa2048" ? is_rsa
                              : std::string(name) == "p256"  ? scheme == SignatureScheme::ecdsa
                                                             : scheme == SignatureScheme::ed25519;
            EXPECT_EQ(checked(*identity->leaf, algorithm_of(scheme), ReadDigest::sha256, signature),
                      fits ? Reason::bad_signature : Reason::unsupported_algorithm)
                << name << to_text(scheme);
        }
    }
    EXPECT_EQ(checked(*test::signer("p256")->leaf, ReadSignatureAlgorithm{}, ReadDigest::sha256,
                      signature),
              Reason::unsupported_algorithm);
}

TEST(SignatureCheck, EndsAtTheLargestKey) {
    const IdentityPtr largest = test::signer("rsa4096");
    const SignatureAlgorithm algorithm{SignatureScheme::rsa_pkcs1, DigestAlgorithm::sha256};
    ASSERT_EQ(largest->leaf->key_bits(), rsa_verify_bits_max);
    EXPECT_EQ(checked(*largest->leaf, algorithm_of(SignatureScheme::rsa_pkcs1), ReadDigest::sha256,
                      sign_with(largest->key, algorithm, as_bytes(message)).value()),
              Reason::ok);
    const LibcryptoKey larger = LibcryptoKey::rsa(rsa_verify_bits_max + 8);
    EXPECT_EQ(checked(*larger.certificate(), algorithm_of(SignatureScheme::rsa_pkcs1),
                      ReadDigest::sha256, signed_by(larger, ReadDigest::sha256)),
              Reason::unsupported_algorithm);
}

TEST(SignatureCheck, EndsAtTheSmallestKey) {
    for (const unsigned bits : {1024U, 1016U}) {
        const LibcryptoKey& key = rsa(bits);
        const CertificatePtr signer = key.certificate();
        EXPECT_EQ(checked(*signer, algorithm_of(SignatureScheme::rsa_pkcs1), ReadDigest::sha256,
                          signed_by(key, ReadDigest::sha256)),
                  bits == 1024 ? Reason::ok : Reason::weak_key);
    }
}

TEST(SignatureCheck, EndsAtTheLargestExponent) {
    const struct {
        const char* exponent;
        Reason want;
    } rows[] = {{"3", Reason::ok},
                {"18446744073709551615", Reason::ok},                      // 2^64 - 1
                {"36893488147419103233", Reason::unsupported_algorithm}};  // 2^65 + 1
    for (const auto& row : rows) {
        const LibcryptoKey key = LibcryptoKey::rsa(2048, row.exponent);
        const CertificatePtr signer = key.certificate();
        EXPECT_EQ(checked(*signer, algorithm_of(SignatureScheme::rsa_pkcs1), ReadDigest::sha256,
                          signed_by(key, ReadDigest::sha256)),
                  row.want)
            << row.exponent;
    }
}

TEST(SignatureCheck, SaysWhatIsWeak) {
    const IdentityPtr strong = test::signer("rsa2048"), curve = test::signer("p256");
    for (const Weakness weakness : {Weakness::refuse, Weakness::allow}) {
        EXPECT_EQ(weakness_of(*strong->leaf, weakness), Reason::ok);
        EXPECT_EQ(weakness_of(*curve->leaf, weakness), Reason::ok);
        EXPECT_EQ(weakness_of(*rsa(1016).certificate(), weakness), Reason::weak_key);
        EXPECT_EQ(weakness_of(ReadDigest::md5, weakness), Reason::weak_digest);
        EXPECT_EQ(weakness_of(ReadDigest::sha224, weakness), Reason::ok);
        EXPECT_EQ(weakness_of(ReadDigest::sha256, weakness), Reason::ok);
    }
    EXPECT_EQ(weakness_of(*rsa(1024).certificate(), Weakness::refuse), Reason::weak_key);
    EXPECT_EQ(weakness_of(*rsa(1024).certificate(), Weakness::allow), Reason::ok);
    EXPECT_EQ(weakness_of(*rsa(2040).certificate(), Weakness::refuse), Reason::weak_key);
    EXPECT_EQ(weakness_of(ReadDigest::sha1, Weakness::refuse), Reason::weak_digest);
    EXPECT_EQ(weakness_of(ReadDigest::sha1, Weakness::allow), Reason::ok);
}

}  // namespace
}  // namespace sealgate

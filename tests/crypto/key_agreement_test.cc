// SPDX-License-Identifier: GPL-3.0-or-later
// P-256 and P-384 are read by OpenSSL's CMS (smime_encrypt_test.cc); X25519 has no other reader
// here, so it is undone step by step with libcrypto's primitives.
#include "crypto/key_agreement.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/key_transport.h"
#include "tests/crypto/libcrypto_reader.h"

namespace sealgate {
namespace {

using test::Correspondent;
using test::correspondent;

// ECC-CMS-SharedInfo of RFC 5753 §7.2, as RFC 8418 uses it, written out by hand.
Bytes shared_info(std::size_t key_bytes) {
    const std::uint8_t wrap = key_bytes == 16 ? 0x05 : 0x2d;
    const std::uint8_t high = key_bytes == 16 ? 0x00 : 0x01;
    const std::uint8_t low = key_bytes == 16 ? 0x80 : 0x00;
    return {0x30, 0x15, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
            0x04, 0x01, wrap, 0xa2, 0x06, 0x04, 0x04, 0x00, 0x00, high, low};
}

// The certificate with the last bytes of its public key replaced. Its signature is then wrong,
// which nobody asks about here.
CertificatePtr with_public_key_end(const Correspondent& who, ByteSpan end) {
    Bytes der(who.certificate->der().begin(), who.certificate->der().end());
    const ByteSpan key = who.certificate->public_key_der();
    const auto at = std::search(der.begin(), der.end(), key.begin(), key.end());
    EXPECT_NE(at, der.end());
    std::copy(
        end.begin(), end.end(),
        at + static_cast<std::ptrdiff_t>(key.size()) - static_cast<std::ptrdiff_t>(end.size()));
    auto made = Certificate::parse(der);
    return made ? *made : nullptr;
}

TEST(KeyAgreement, WrapsForX25519AsRfc8418Says) {
    std::vector<Correspondent> recipients{correspondent("x25519")};
    for (const char* name : {"7.3_Carlos-s", "8.3_Dana-s"}) {
        std::string key = std::string("rfc9216/") + name;
        key.replace(key.find(".3_"), 3, ".4_");
        const Correspondent who = test::corpus_correspondent(
            name, std::string("rfc9216/") + name + "-Encryption-End-Entity-Certificate.crt.pem",
            key + "-Decryption-Private-Key-Material.key.pem");
        if (who.certificate) recipients.push_back(who);
    }
    for (const Correspondent& who : recipients) {
        for (const std::size_t key_bytes : {std::size_t{16}, std::size_t{32}}) {
            const Bytes content_key(key_bytes, 0x5a);
            const auto agreed = agree_key(*who.certificate, content_key);
            ASSERT_TRUE(agreed) << agreed.error().what;
            EXPECT_EQ(agreed->wrapped_key.size(), key_bytes + 8);
            EXPECT_EQ(test::unwrap_x25519_key(who, agreed->ephemeral_key, agreed->wrapped_key,
                                              shared_info(key_bytes)),
                      content_key)
                << who.name;
            Bytes other_info = shared_info(key_bytes);
            other_info.back() ^= 1;
            EXPECT_NE(test::unwrap_x25519_key(who, agreed->ephemeral_key, agreed->wrapped_key,
                                              other_info),
                      content_key)
                << "the reader checks nothing";
        }
    }
}

TEST(KeyAgreement, MakesAnotherEphemeralKeyEachTime) {
    for (const char* name : {"p256", "p384", "x25519"}) {
        const Correspondent who = correspondent(name);
        const Bytes content_key(32, 0x5a);
        const auto first = agree_key(*who.certificate, content_key);
        const auto second = agree_key(*who.certificate, content_key);
        ASSERT_TRUE(first && second) << name;
        EXPECT_NE(first->ephemeral_key, second->ephemeral_key) << name;
        EXPECT_NE(first->wrapped_key, second->wrapped_key) << name;
    }
}

TEST(KeyAgreement, RefusesKeysThatAgreeOnNothing) {
    const Bytes key(32, 0x5a);
    for (const char* name : {"rsa2048", "ed25519"}) {
        const CertificatePtr certificate = name == std::string("ed25519")
                                               ? test::signer(name)->leaf
                                               : correspondent(name).certificate;
        EXPECT_FALSE(agree_key(*certificate, key)) << name;
    }
}

TEST(KeyAgreement, RefusesPointsThatAreNotOnTheCurve) {
    const Bytes key(32, 0x5a);
    for (const char* name : {"p256", "p384"}) {
        const Correspondent who = correspondent(name);
        const ByteSpan public_key = who.certificate->public_key_der();
        const std::size_t field_bytes = name == std::string("p256") ? 32 : 48;
        Bytes moved(public_key.end() - 4, public_key.end());
        moved.back() ^= 1;
        const Bytes cases[] = {moved, Bytes(2 * field_bytes, 0x00), Bytes(2 * field_bytes, 0xff)};
        for (const Bytes& end : cases) {
            const CertificatePtr bad = with_public_key_end(who, end);
            if (!bad) continue;  // refused where it is read: as good
            EXPECT_FALSE(agree_key(*bad, key)) << name << " " << end.size();
        }
        ASSERT_TRUE(with_public_key_end(who, moved)) << "nothing reaches the check";
    }
}

TEST(KeyAgreement, RefusesX25519KeysOfSmallOrder) {
    // RFC 7748 §6.1 has everybody look for zeros; these are of order 2, 4 and 8.
    Bytes zero(32), one(32);
    one[0] = 1;
    const Bytes of_order_eight{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                               0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                               0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
    const Correspondent who = correspondent("x25519");
    for (const Bytes& end : {zero, one, of_order_eight}) {
        const CertificatePtr bad = with_public_key_end(who, end);
        ASSERT_TRUE(bad);
        const auto agreed = agree_key(*bad, Bytes(32, 0x5a));
        ASSERT_FALSE(agreed);
        EXPECT_EQ(agreed.error().kind, ErrorKind::malformed);
    }
}

TEST(KeyTransport, RefusesKeysThatCannotBeRsaKeys) {
    const Correspondent who = correspondent("rsa2048");
    const ByteSpan public_key = who.certificate->public_key_der();
    // … modulus, INTEGER 65537
    const Bytes even_modulus = [&] {
        Bytes end(public_key.end() - 6, public_key.end());
        end[0] = static_cast<std::uint8_t>(end[0] & 0xfe);
        return end;
    }();
    const Bytes cases[] = {
        even_modulus,
        {0x02, 0x03, 0x01, 0x00, 0x00},  // an even exponent
        {0x02, 0x03, 0x00, 0x00, 0x01},  // 1, which encrypts nothing
    };
    ASSERT_TRUE(with_public_key_end(who, even_modulus)) << "nothing reaches the check";
    for (const Bytes& end : cases) {
        const CertificatePtr bad = with_public_key_end(who, end);
        if (!bad) continue;  // refused where it is read: as good
        for (const RsaTransport transport : {RsaTransport::pkcs1, RsaTransport::oaep})
            EXPECT_FALSE(transport_key(*bad, transport, Bytes(32, 0x5a))) << int{end[2]};
    }
    EXPECT_FALSE(
        transport_key(*correspondent("p256").certificate, RsaTransport::pkcs1, Bytes(32, 0x5a)));
}

TEST(KeyTransport, RefusesMoreThanTheModulusHolds) {
    const Correspondent who = correspondent("rsa2048");
    EXPECT_TRUE(transport_key(*who.certificate, RsaTransport::pkcs1, Bytes(256 - 11, 1)));
    EXPECT_FALSE(transport_key(*who.certificate, RsaTransport::pkcs1, Bytes(256 - 10, 1)));
    EXPECT_TRUE(transport_key(*who.certificate, RsaTransport::oaep, Bytes(256 - 66, 1)));
    EXPECT_FALSE(transport_key(*who.certificate, RsaTransport::oaep, Bytes(256 - 65, 1)));
}

}  // namespace
}  // namespace sealgate

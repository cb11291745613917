// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_unwrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "crypto/ber_writer.h"
#include "crypto/key_agreement.h"
#include "crypto/rsa_engine.h"
#include "tests/crypto/decrypt_fixture.h"
#include "tests/crypto/libcrypto_cipher.h"

namespace sealgate {
namespace {

using test::Correspondent;
using test::correspondent;
using test::identity_of;
using test::rsa_oaep_encrypt;
using test::rsa_raw_encrypt;

constexpr std::size_t modulus_bytes = 256;

Bytes counting(std::size_t bytes, std::uint8_t from = 1) {
    Bytes all(bytes);
    for (std::size_t i = 0; i < bytes; ++i) all[i] = static_cast<std::uint8_t>(from + i);
    return all;
}
Bytes bytes_of(const SecureBytes& secret) {
    return Bytes(secret.bytes().begin(), secret.bytes().end());
}
std::string hex(ByteSpan bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

// 00 02 PS 00 M
Bytes padded(ByteSpan message, std::size_t block_bytes = modulus_bytes) {
    Bytes block(block_bytes, 0x5b);
    block[0] = 0;
    block[1] = 2;
    block[block_bytes - message.size() - 1] = 0;
    std::copy(message.begin(), message.end(),
              block.end() - static_cast<std::ptrdiff_t>(message.size()));
    return block;
}

// Every way to be wrong that an attacker distinguishes if he can.
struct BadBlock {
    std::string name;
    Bytes block;
};
std::vector<BadBlock> bad_blocks(ByteSpan message) {
    const std::size_t separator = modulus_bytes - message.size() - 1;
    std::vector<BadBlock> blocks;
    const auto add = [&](const std::string& name, std::size_t at, std::uint8_t byte) {
        Bytes block = padded(message);
        block[at] = byte;
        blocks.push_back({name, std::move(block)});
    };
    add("another first octet", 0, 1);  // below the modulus, whose first octet is larger
    add("block type 1", 1, 1);
    add("block type 0", 1, 0);
    add("block type 3", 1, 3);
    add("block type 0x82", 1, 0x82);
    add("a zero at the beginning", 2, 0);
    add("a zero in the eighth octet", 9, 0);
    add("a zero in the ninth octet: a longer key", 10, 0);
    add("a zero one before: a key one longer", separator - 1, 0);
    add("no zero where it should be", separator, 1);
    Bytes shorter = padded(message.subspan(1));
    blocks.push_back({"a key one shorter", shorter});
    blocks.push_back({"no key at all", padded({})});
    Bytes without(modulus_bytes, 0x5b);
    without[0] = 0;
    without[1] = 2;
    blocks.push_back({"no zero anywhere", without});
    blocks.push_back({"zeros", [] {
                          Bytes block(modulus_bytes, 0);
                          block[1] = 2;
                          return block;
                      }()});
    return blocks;
}

// --- PKCS#1 v1.5, without keys
// -------------------------------------------------------------------

TEST(UnpadPkcs1, GivesTheMessageOfABlockThatIsRight) {
    for (const std::size_t bytes : {5u, 8u, 16u, 24u, 32u, 245u}) {
        const Bytes message = counting(bytes, 0), instead(bytes, 0xee);
        EXPECT_EQ(bytes_of(unpad_pkcs1(padded(message), instead)), message) << bytes;
    }
    // The shortest padding there is: eight octets.
    EXPECT_EQ(bytes_of(unpad_pkcs1(padded(counting(16), 11 + 16), Bytes(16))), counting(16));
}

TEST(UnpadPkcs1, GivesTheOtherForEveryBlockThatIsWrong) {
    const Bytes message = counting(32), instead(32, 0xee);
    for (const BadBlock& row : bad_blocks(message))
        EXPECT_EQ(bytes_of(unpad_pkcs1(row.block, instead)), instead) << row.name;
    for (std::size_t i = 2; i < modulus_bytes - 33; ++i) {
        Bytes block = padded(message);
        block[i] = 0;
        EXPECT_EQ(bytes_of(unpad_pkcs1(block, instead)), instead) << i;
    }
    for (int bit = 0; bit < 8; ++bit) {
        for (const std::size_t at : {std::size_t{0}, std::size_t{1}, modulus_bytes - 33}) {
            Bytes block = padded(message);
            block[at] ^= static_cast<std::uint8_t>(1 << bit);
            EXPECT_EQ(bytes_of(unpad_pkcs1(block, instead)), instead) << at << " " << bit;
        }
    }
}

// --- PKCS#1 v1.5
// ---------------------------------------------------------------------------------

// With either library's bare operation.
class UnwrapPkcs1 : public testing::TestWithParam<GatewayOptions::RsaEngine> {
protected:
    UnwrapPkcs1() { choose_rsa_engine(GetParam()); }
    ~UnwrapPkcs1() override { choose_rsa_engine(GatewayOptions::RsaEngine::wolfcrypt); }
};
INSTANTIATE_TEST_SUITE_P(Engines, UnwrapPkcs1,
                         testing::Values(GatewayOptions::RsaEngine::wolfcrypt,
                                         GatewayOptions::RsaEngine::openssl),
                         [](const auto& engine) {
                             return engine.param == GatewayOptions::RsaEngine::openssl
                                        ? "Openssl"
                                        : "Wolfcrypt";
                         });

TEST_P(UnwrapPkcs1, GivesTheKeyThatWasWrapped) {
    for (const char* name : {"rsa2048", "rsa3072", "rsa4096"}) {
        const Correspondent who = correspondent(name);
        const IdentityPtr identity = identity_of(who);
        for (const std::size_t bytes : {5u, 8u, 16u, 24u, 32u}) {
            const auto wrapped =
                transport_key(*who.certificate, RsaTransport::pkcs1, counting(bytes));
            ASSERT_TRUE(wrapped);
            const auto key = unwrap_pkcs1(identity->key, *wrapped, bytes);
            ASSERT_TRUE(key) << name << ": " << key.error().what;
            EXPECT_EQ(bytes_of(*key), counting(bytes)) << name << " " << bytes;
        }
    }
}

TEST_P(UnwrapPkcs1, GivesAKeyOfTheWantedLengthWhateverIsInTheBlock) {
    const Correspondent who = correspondent("rsa2048");
    const IdentityPtr identity = identity_of(who);
    const Bytes message = counting(32);
    std::set<Bytes> seen;
    for (const BadBlock& row : bad_blocks(message)) {
        const Bytes ciphertext = rsa_raw_encrypt(who, row.block);
        const auto first = unwrap_pkcs1(identity->key, ciphertext, message.size());
        ASSERT_TRUE(first) << row.name << ": " << first.error().what;
        EXPECT_EQ(first->size(), message.size()) << row.name;
        EXPECT_NE(bytes_of(*first), message) << row.name;
        const auto second = unwrap_pkcs1(identity->key, ciphertext, message.size());
        ASSERT_TRUE(second);
        EXPECT_EQ(bytes_of(*second), bytes_of(*first)) << "another time, another key: " << row.name;
        EXPECT_TRUE(seen.insert(bytes_of(*first)).second) << "that of another: " << row.name;
    }
}

TEST_P(UnwrapPkcs1, RejectsWithTheKeyOfTheDraft) {
    // draft-irtf-cfrg-rsa-guidance, computed in Python; the ciphertext is no encryption of
    // anything.
    const IdentityPtr identity = identity_of("rsa2048");
    const Bytes ciphertext(modulus_bytes, 0x42);
    const struct {
        std::size_t bytes;
        const char* want;
    } cases[] = {
        {5, "63f209204a"},
        {16, "b34695d854a2b561329413c185cf00c6"},
        {24, "f249a47f14c063c82aadc799ccf8fb044c9c4d60ce95cf07"},
        {32, "56a1fc3c64d2ea92279d55684fc065cb69ea69a1d2bc22d810cde79acfa19965"},
    };
    for (const auto& row : cases) {
        const auto key = unwrap_pkcs1(identity->key, ciphertext, row.bytes);
        ASSERT_TRUE(key);
        EXPECT_EQ(hex(key->bytes()), row.want);
    }
    // Of another private key it is another one.
    const auto other = unwrap_pkcs1(identity_of("capable")->key, ciphertext, 16);
    ASSERT_TRUE(other);
    EXPECT_NE(hex(other->bytes()), cases[1].want);
}

TEST_P(UnwrapPkcs1, FailsOnlyWhereEverybodySeesWhy) {
    const Correspondent who = correspondent("rsa2048");
    const IdentityPtr identity = identity_of(who);
    const struct {
        const char* name;
        Bytes ciphertext;
    } cases[] = {
        {"longer than the modulus", Bytes(modulus_bytes + 1, 0)},
        {"not below the modulus", Bytes(modulus_bytes, 0xff)},
        {"zero", Bytes(modulus_bytes, 0)},
        {"nothing", {}},
    };
    for (const auto& row : cases) {
        const auto key = unwrap_pkcs1(identity->key, row.ciphertext, 32);
        // libcrypto computes with zero as with any other number.
        EXPECT_TRUE(!key || (key->size() == 32 && row.ciphertext != Bytes(modulus_bytes, 0xff) &&
                             row.ciphertext.size() <= modulus_bytes))
            << row.name;
    }
    EXPECT_FALSE(unwrap_pkcs1(identity_of("p256")->key, Bytes(modulus_bytes, 0x42), 32));
}

TEST_P(UnwrapPkcs1, TakesANumberWithoutItsLeadingZeros) {
    const Correspondent who = correspondent("rsa2048");
    const IdentityPtr identity = identity_of(who);
    // One in 256 begins with a zero.
    for (std::uint8_t salt = 1; salt != 0; ++salt) {
        for (std::uint8_t more = 1; more < 8; ++more) {
            Bytes block = padded(counting(16));
            block[2] = salt;
            block[3] = more;
            Bytes ciphertext = rsa_raw_encrypt(who, block);
            if (ciphertext[0] != 0) continue;
            ciphertext.erase(ciphertext.begin());
            const auto key = unwrap_pkcs1(identity->key, ciphertext, 16);
            ASSERT_TRUE(key);
            EXPECT_EQ(bytes_of(*key), counting(16));
            return;
        }
    }
    FAIL() << "none of 1785 begins with a zero";
}

// --- OAEP
// ----------------------------------------------------------------------------------------

struct Hash {
    ReadDigest digest;
    const char* name;  // libcrypto's
};
constexpr Hash hashes[] = {
    {ReadDigest::sha1, "SHA1"},     {ReadDigest::sha224, "SHA224"}, {ReadDigest::sha256, "SHA256"},
    {ReadDigest::sha384, "SHA384"}, {ReadDigest::sha512, "SHA512"},
};

TEST(UnwrapOaep, ReadsEveryHashMaskAndLabel) {
    const Correspondent who = correspondent("rsa2048");
    const IdentityPtr identity = identity_of(who);
    for (const Hash& hash : hashes) {
        for (const Hash& mask : hashes) {
            for (const Bytes& label : {Bytes{}, Bytes{0}, counting(100)}) {
                const Bytes wrapped =
                    rsa_oaep_encrypt(who, {hash.name, mask.name, label}, counting(32));
                const OaepParameters parameters{hash.digest, mask.digest, label};
                const auto key = unwrap_oaep(identity->key, parameters, wrapped);
                ASSERT_TRUE(key) << hash.name << " " << mask.name << " " << label.size();
                EXPECT_EQ(bytes_of(*key), counting(32));
            }
        }
    }
}

TEST(UnwrapOaep, FailsWhereAnythingIsDifferent) {
    const Correspondent who = correspondent("rsa2048");
    const IdentityPtr identity = identity_of(who);
    const Bytes label = counting(4);
    const Bytes wrapped = rsa_oaep_encrypt(who, {"SHA256", "SHA256", label}, counting(32));
    const OaepParameters right{ReadDigest::sha256, ReadDigest::sha256, label};
    ASSERT_TRUE(unwrap_oaep(identity->key, right, wrapped));
    const OaepParameters cases[] = {
        {ReadDigest::sha1, ReadDigest::sha256, label},
        {ReadDigest::sha384, ReadDigest::sha256, label},
        {ReadDigest::sha256, ReadDigest::sha1, label},
        {ReadDigest::md5, ReadDigest::sha256, label},
        {ReadDigest::sha256, ReadDigest::md5, label},
        {ReadDigest::sha256, ReadDigest::sha256, {}},
        {ReadDigest::sha256, ReadDigest::sha256, counting(5)},
    };
    for (const OaepParameters& parameters : cases)
        EXPECT_FALSE(unwrap_oaep(identity->key, parameters, wrapped));
    for (const std::size_t at : {0u, 1u, 128u, 255u}) {
        Bytes changed = wrapped;
        changed[at] ^= 1;
        EXPECT_FALSE(unwrap_oaep(identity->key, right, changed)) << at;
    }
    EXPECT_FALSE(unwrap_oaep(identity->key, right, ByteSpan(wrapped).first(255)));
    EXPECT_FALSE(unwrap_oaep(identity->key, right, {}));
    EXPECT_FALSE(unwrap_oaep(identity->key, right, rsa_raw_encrypt(who, padded(counting(32)))));
    EXPECT_FALSE(unwrap_oaep(identity_of("capable")->key, right, wrapped));
    EXPECT_FALSE(unwrap_oaep(identity_of("p256")->key, right, wrapped));
}

// --- key agreement
// -------------------------------------------------------------------------------

WrappedKey agreed_for(const std::string& name, std::size_t key_size) {
    const Correspondent who = correspondent(name);
    const auto agreed = agree_key(*who.certificate, counting(key_size));
    EXPECT_TRUE(agreed);
    const KeyKind kind = who.certificate->key_kind();
    WrappedKey wrapped;
    wrapped.kind = WrappedKey::Kind::agreed;
    wrapped.identity = identity_of(who);
    wrapped.encrypted_key = agreed->wrapped_key;
    wrapped.originator_key = agreed->ephemeral_key;
    BerWriter algorithm;
    algorithm.sequence([&] { algorithm.raw(key_wrap_algorithm(key_size)); });
    wrapped.agreement = {
        kind == KeyKind::x25519 ? KeyAgreement::Derivation::hkdf : KeyAgreement::Derivation::x963,
        kind == KeyKind::p384 ? ReadDigest::sha384 : ReadDigest::sha256,
        key_size == 16 ? KeyWrap::aes_128 : KeyWrap::aes_256, algorithm.take()};
    return wrapped;
}

TEST(UnwrapAgreed, ReadsWhatIsAgreedHere) {
    for (const char* name : {"p256", "p384", "x25519"}) {
        for (const std::size_t bytes : {16u, 32u}) {
            const WrappedKey wrapped = agreed_for(name, bytes);
            const auto key = unwrap_agreed(wrapped.identity->key, wrapped);
            ASSERT_TRUE(key) << name << ": " << key.error().what;
            EXPECT_EQ(bytes_of(*key), counting(bytes)) << name;
        }
    }
}

TEST(UnwrapAgreed, FailsWhereAnythingIsDifferent) {
    for (const char* name : {"p256", "p384", "x25519"}) {
        const WrappedKey right = agreed_for(name, 32);
        const auto fails = [&](const WrappedKey& wrapped) {
            return !unwrap_agreed(wrapped.identity->key, wrapped);
        };
        for (std::size_t i = 0; i < right.encrypted_key.size(); ++i) {
            WrappedKey changed = right;
            changed.encrypted_key[i] ^= 1;
            EXPECT_TRUE(fails(changed)) << name << " " << i;
        }
        WrappedKey changed = right;
        changed.ukm = Bytes{};
        EXPECT_TRUE(fails(changed)) << name << ": an empty ukm is not none";
        changed = right;
        changed.ukm = counting(8);
        EXPECT_TRUE(fails(changed)) << name;
        changed = right;
        changed.agreement.hash = ReadDigest::sha512;
        EXPECT_TRUE(fails(changed)) << name;
        changed = right;
        changed.agreement.hash = ReadDigest::md5;
        EXPECT_TRUE(fails(changed)) << name;
        changed = right;
        changed.agreement.wrap = KeyWrap::aes_128;
        EXPECT_TRUE(fails(changed)) << name;
        changed = right;
        changed.agreement.wrap = KeyWrap::des_ede3;
        EXPECT_TRUE(fails(changed)) << name;
        changed = right;
        changed.agreement.wrap_algorithm.push_back(5);
        EXPECT_TRUE(fails(changed)) << name << ": the algorithm is a part of it";
        changed = right;
        changed.agreement.derivation = right.agreement.derivation == KeyAgreement::Derivation::hkdf
                                           ? KeyAgreement::Derivation::x963
                                           : KeyAgreement::Derivation::hkdf;
        EXPECT_TRUE(fails(changed)) << name;
        for (const std::size_t bytes : {0u, 7u, 8u, 9u, 16u, 39u, 41u, 48u}) {
            changed = right;
            changed.encrypted_key.resize(bytes);
            EXPECT_TRUE(fails(changed)) << name << " " << bytes;
        }
        EXPECT_FALSE(unwrap_agreed(identity_of("rsa2048")->key, right));
    }
}

TEST(UnwrapAgreed, RefusesPointsThatAreNotOnTheCurve) {
    for (const char* name : {"p256", "p384"}) {
        const WrappedKey right = agreed_for(name, 32);
        const std::size_t field_bytes = (right.originator_key.size() - 1) / 2;
        Bytes moved = right.originator_key;
        moved.back() ^= 1;
        Bytes zero(1 + 2 * field_bytes, 0);
        zero[0] = 4;
        Bytes large(1 + 2 * field_bytes, 0xff);
        large[0] = 4;
        Bytes hybrid = right.originator_key;
        hybrid[0] = 6;
        Bytes longer = right.originator_key;
        longer.push_back(0);
        const char* other_name = name == std::string("p256") ? "p384" : "p256";
        const struct {
            const char* what;
            Bytes point;
        } cases[] = {
            {"moved", moved},
            {"0, 0", zero},
            {"larger than the field", large},
            {"hybrid form", hybrid},
            {"longer", longer},
            {"infinity", {0}},
            {"nothing", {}},
            {"another curve's", agreed_for(other_name, 32).originator_key},
        };
        for (const auto& row : cases) {
            WrappedKey bad = right;
            bad.originator_key = row.point;
            const auto key = unwrap_agreed(bad.identity->key, bad);
            ASSERT_FALSE(key) << name << " " << row.what;
            EXPECT_EQ(key.error().kind, ErrorKind::malformed) << name << " " << row.what;
        }
    }
}

TEST(UnwrapAgreed, TakesCompressedPoints) {
    for (const char* name : {"p256", "p384"}) {
        const WrappedKey right = agreed_for(name, 32);
        const std::size_t field_bytes = (right.originator_key.size() - 1) / 2;
        WrappedKey compressed = right;
        compressed.originator_key.resize(1 + field_bytes);
        const std::uint8_t parity = right.originator_key.back() & 1;
        // The secret is the x of a product, so the point of the other parity gives the same.
        for (const std::uint8_t form : {parity, static_cast<std::uint8_t>(1 - parity)}) {
            compressed.originator_key[0] = static_cast<std::uint8_t>(2 + form);
            const auto key = unwrap_agreed(compressed.identity->key, compressed);
            ASSERT_TRUE(key) << name << ": " << key.error().what;
            EXPECT_EQ(bytes_of(*key), counting(32)) << name;
        }
        compressed.originator_key[0] = 4;
        EXPECT_FALSE(unwrap_agreed(compressed.identity->key, compressed)) << name;
        compressed.originator_key[0] = 5;
        EXPECT_FALSE(unwrap_agreed(compressed.identity->key, compressed)) << name;
    }
}

TEST(UnwrapAgreed, LooksAtX25519Numbers) {
    const WrappedKey right = agreed_for("x25519", 32);
    WrappedKey marked = right;
    marked.originator_key.back() |= 0x80;  // RFC 7748 §5: masked by the reader
    EXPECT_TRUE(unwrap_agreed(marked.identity->key, marked));

    Bytes zero(32), one(32);
    one[0] = 1;
    const Bytes of_order_eight{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                               0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                               0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
    for (const Bytes& number : {zero, one, of_order_eight, Bytes{}, Bytes(31, 9), Bytes(33, 9)}) {
        WrappedKey bad = right;
        bad.originator_key = number;
        EXPECT_FALSE(unwrap_agreed(bad.identity->key, bad)) << hex(number);
    }
}

// --- several
// -------------------------------------------------------------------------------------

WrappedKey pkcs1_for(const std::string& name, ByteSpan key) {
    const Correspondent who = correspondent(name);
    WrappedKey wrapped;
    wrapped.kind = WrappedKey::Kind::rsa_pkcs1;
    wrapped.identity = identity_of(who);
    wrapped.encrypted_key = *transport_key(*who.certificate, RsaTransport::pkcs1, key);
    return wrapped;
}

WrappedKey oaep_for(const std::string& name, ByteSpan key) {
    const Correspondent who = correspondent(name);
    WrappedKey wrapped;
    wrapped.kind = WrappedKey::Kind::rsa_oaep;
    wrapped.identity = identity_of(who);
    wrapped.oaep = {ReadDigest::sha256, ReadDigest::sha256, {}};
    wrapped.encrypted_key = *transport_key(*who.certificate, RsaTransport::oaep, key);
    return wrapped;
}

WrappedKey broken(WrappedKey wrapped) {
    wrapped.encrypted_key.back() ^= 1;
    return wrapped;
}

WrappedKey unusable() {
    WrappedKey wrapped;
    wrapped.identity = identity_of("rsa2048");
    return wrapped;
}

TEST(UnwrapContentKey, TakesTheFirstThatOpensAndPkcs1Last) {
    const Bytes key = counting(32);
    const WrappedKey pkcs1 = pkcs1_for("rsa2048", key);
    const WrappedKey oaep = oaep_for("rsa3072", key);
    const WrappedKey agreed = agreed_for("p256", 32);
    const struct {
        const char* name;
        std::vector<WrappedKey> wrapped;
        std::size_t want;
    } cases[] = {
        {"one", {pkcs1}, 0},
        {"two that tell", {oaep, agreed}, 0},
        {"the first is broken", {broken(oaep), agreed}, 1},
        {"both are broken", {broken(oaep), broken(agreed), agreed}, 2},
        {"PKCS#1 is first", {pkcs1, agreed}, 1},
        {"PKCS#1 is all that is left", {broken(agreed), pkcs1, broken(oaep)}, 1},
        {"the first cannot be used", {unusable(), oaep}, 1},
        {"a key of another length", {oaep_for("rsa2048", counting(16)), agreed}, 1},
    };
    for (const auto& row : cases) {
        const auto opened = unwrap_content_key(row.wrapped, key.size());
        ASSERT_TRUE(opened) << row.name << ": " << opened.error().what;
        EXPECT_EQ(opened->index, row.want) << row.name;
        EXPECT_EQ(bytes_of(opened->key), key) << row.name;
    }
    // There is no second try behind it: it always opens.
    const auto first = unwrap_content_key({broken(pkcs1), pkcs1}, key.size());
    ASSERT_TRUE(first);
    EXPECT_EQ(first->index, 0u);
    EXPECT_NE(bytes_of(first->key), key);
}

TEST(UnwrapContentKey, SaysTheSameOfEverythingThatDoesNotOpen) {
    const auto unknown = unwrap_content_key({unusable(), unusable()}, 32);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::unsupported);
    EXPECT_FALSE(unwrap_content_key({}, 32));

    WrappedKey too_long = pkcs1_for("rsa2048", counting(32));
    too_long.encrypted_key.push_back(0);
    const std::vector<WrappedKey> cases[] = {
        {broken(oaep_for("rsa2048", counting(32)))},
        {oaep_for("rsa2048", counting(16))},
        {oaep_for("rsa2048", counting(33))},
        {broken(agreed_for("p384", 32))},
        {agreed_for("x25519", 16)},
        {too_long},
        {unusable(), broken(agreed_for("p256", 32))},
    };
    const char* said = nullptr;
    for (const auto& wrapped : cases) {
        const auto opened = unwrap_content_key(wrapped, 32);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().kind, ErrorKind::malformed);
        if (!said) said = opened.error().what;
        EXPECT_STREQ(opened.error().what, said);
    }
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "crypto/digest.h"
#include "crypto/key_unwrap.h"
#include "crypto/wolf.h"
#include "crypto/worker_keys.h"

namespace sealgate {
namespace {

constexpr const char* failed = "the private-key operation failed";
constexpr std::size_t hmac_bytes = WC_SHA256_DIGEST_SIZE;

Result<void> hmac_sha256(ByteSpan key, ByteSpan message, std::uint8_t* out) {
    Hmac hmac;
    if (wc_HmacInit(&hmac, nullptr, INVALID_DEVID) != 0) return internal(failed);
    const bool done =
        wc_HmacSetKey(&hmac, WC_SHA256, key.data(), static_cast<word32>(key.size())) == 0 &&
        wc_HmacUpdate(&hmac, message.data(), static_cast<word32>(message.size())) == 0 &&
        wc_HmacFinal(&hmac, out) == 0;
    wc_HmacFree(&hmac);
    wipe(&hmac, sizeof hmac);
    if (!done) return internal(failed);
    return {};
}

Result<std::size_t> modulus_bytes_of(RsaKey& key) {
    const int bytes = wc_RsaEncryptSize(&key);
    if (bytes <= 0) return internal(failed);
    return static_cast<std::size_t>(bytes);
}

// Some writers leave the leading zeros of the number out, which RFC 8017 §7.2.1 does not permit.
Result<Bytes> as_long_as_modulus(ByteSpan encrypted_key, std::size_t modulus_bytes) {
    if (encrypted_key.size() > modulus_bytes) return malformed("an encrypted key of wrong length");
    Bytes ciphertext(modulus_bytes - encrypted_key.size());
    ciphertext.insert(ciphertext.end(), encrypted_key.begin(), encrypted_key.end());
    return ciphertext;
}

// The block as it was before encryption. Errors depend on what everybody sees: a number that is not
// below the modulus.
Result<SecureBytes> raw_decrypt(const PrivateKey& key, WorkerKey& copy, Bytes ciphertext) {
    if (rsa_uses_openssl(key.bits)) {
        if (!copy.openssl_rsa) copy.openssl_rsa = TRY(OpensslRsaKey::decode(key.pkcs8.bytes()));
        return copy.openssl_rsa->decrypt(ciphertext);
    }
    WC_RNG* rng = TRY(thread_rng());
    SecureBytes block(ciphertext.size());
    auto written = static_cast<word32>(block.size());
    const int done = wc_RsaDirect(ciphertext.data(), static_cast<word32>(ciphertext.size()),
                                  block.data(), &written, copy.rsa.get(), RSA_PRIVATE_DECRYPT, rng);
    if (done != static_cast<int>(block.size())) return malformed(failed);
    return block;
}

// draft-irtf-cfrg-rsa-guidance: the key derivation key is HMAC(SHA-256(d), C), d and C as long as
// the modulus; of what comes of it no more than one HMAC's output is needed here.
Result<SecureBytes> rejection_key(RsaKey& key, ByteSpan ciphertext, std::size_t key_bytes) {
    static constexpr std::array<std::uint8_t, 9> label{0, 0, 'm', 'e', 's', 's', 'a', 'g', 'e'};
    CHECK(key_bytes <= hmac_bytes);
    SecureBytes exponent(ciphertext.size());
    if (mp_to_unsigned_bin_len(&key.d, exponent.data(), static_cast<int>(exponent.size())) != 0)
        return internal(failed);
    DigestValue digest = digest_of(DigestAlgorithm::sha256, exponent.bytes());
    const SecureBytes secret = SecureBytes::copy_of(digest.bytes());
    wipe(&digest, sizeof digest);
    SecureBytes derivation(hmac_bytes), output(hmac_bytes);
    TRY(hmac_sha256(secret.bytes(), ciphertext, derivation.data()));
    Bytes message(label.begin(), label.end());
    message.push_back(static_cast<std::uint8_t>(key_bytes * 8 >> 8));
    message.push_back(static_cast<std::uint8_t>(key_bytes * 8));
    TRY(hmac_sha256(derivation.bytes(), message, output.data()));
    return SecureBytes::copy_of(output.bytes().first(key_bytes));
}

// Keeps the compiler from knowing what is in it, and so from branching on it.
std::uint32_t opaque(std::uint32_t value) {
    __asm__ volatile("" : "+r"(value));
    return value;
}

// All ones for zero, else zero.
std::uint32_t mask_if_zero(std::uint32_t value) {
    value = opaque(value);
    return 0u - ((~value & (value - 1u)) >> 31);
}

struct HashNames {
    wc_HashType hash = WC_HASH_TYPE_NONE;
    int mask = WC_MGF1NONE;
};
HashNames names_of(ReadDigest digest) {
    switch (digest) {
    case ReadDigest::sha1: return {WC_HASH_TYPE_SHA, WC_MGF1SHA1};
    case ReadDigest::sha224: return {WC_HASH_TYPE_SHA224, WC_MGF1SHA224};
    case ReadDigest::sha256: return {WC_HASH_TYPE_SHA256, WC_MGF1SHA256};
    case ReadDigest::sha384: return {WC_HASH_TYPE_SHA384, WC_MGF1SHA384};
    case ReadDigest::sha512: return {WC_HASH_TYPE_SHA512, WC_MGF1SHA512};
    case ReadDigest::md5: break;
    }
    return {};
}

}  // namespace

SecureBytes unpad_pkcs1(ByteSpan block, ByteSpan instead) {
    constexpr std::size_t padding_bytes_min = 8;
    CHECK(block.size() >= 3 + padding_bytes_min + instead.size());
    const std::size_t message_begin = block.size() - instead.size();
    std::uint32_t wrong = block[0] | (block[1] ^ 2u) | block[message_begin - 1];
    for (std::size_t i = 2; i < message_begin - 1; ++i) wrong |= mask_if_zero(block[i]);
    const std::uint32_t good = mask_if_zero(wrong);
    SecureBytes key(instead.size());
    for (std::size_t i = 0; i < key.size(); ++i) {
        key.data()[i] =
            static_cast<std::uint8_t>((block[message_begin + i] & good) | (instead[i] & ~good));
    }
    return key;
}

Result<SecureBytes> unwrap_pkcs1(const PrivateKey& key, ByteSpan encrypted_key,
                                 std::size_t key_bytes) {
    WorkerKey* copy = TRY(worker_key(key));
    if (!copy->rsa) return internal(failed);
    const std::size_t modulus_bytes = TRY(modulus_bytes_of(*copy->rsa));
    if (modulus_bytes < 11 + key_bytes) return malformed(failed);
    Bytes ciphertext = TRY(as_long_as_modulus(encrypted_key, modulus_bytes));
    // Made before anybody has looked into the block, and always.
    const SecureBytes instead = TRY(rejection_key(*copy->rsa, ciphertext, key_bytes));
    const SecureBytes block = TRY(raw_decrypt(key, *copy, std::move(ciphertext)));
    return unpad_pkcs1(block.bytes(), instead.bytes());
}

Result<SecureBytes> unwrap_oaep(const PrivateKey& key, const OaepParameters& parameters,
                                ByteSpan encrypted_key) {
    WorkerKey* copy = TRY(worker_key(key));
    if (!copy->rsa) return internal(failed);
    const std::size_t modulus_bytes = TRY(modulus_bytes_of(*copy->rsa));
    const Bytes ciphertext = TRY(as_long_as_modulus(encrypted_key, modulus_bytes));
    Bytes label = parameters.label;  // wolfCrypt takes it as not const
    SecureBytes message(modulus_bytes);
    const int bytes = wc_RsaPrivateDecrypt_ex(
        ciphertext.data(), static_cast<word32>(ciphertext.size()), message.data(),
        static_cast<word32>(message.size()), copy->rsa.get(), WC_RSA_OAEP_PAD,
        names_of(parameters.hash).hash, names_of(parameters.mask_hash).mask,
        label.empty() ? nullptr : label.data(), static_cast<word32>(label.size()));
    if (bytes <= 0) return malformed(failed);
    return SecureBytes::copy_of(message.bytes().first(static_cast<std::size_t>(bytes)));
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/des3.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/ber_writer.h"
#include "crypto/key_unwrap.h"
#include "crypto/wolf.h"
#include "crypto/worker_keys.h"

namespace sealgate {
namespace {

constexpr const char* failed = "the private-key operation failed";
constexpr const char* bad_originator = "an originator's key that cannot be used";
constexpr const char* not_unwrapped = "a wrapped key that does not unwrap";

template <typename Key, int (*init)(Key*), void (*clear)(Key*)>
struct PublicKey {
    PublicKey() : ready(init(&key) == 0) {}
    ~PublicKey() {
        if (ready) clear(&key);
    }
    PublicKey(const PublicKey&) = delete;
    PublicKey& operator=(const PublicKey&) = delete;
    Key key;
    bool ready;
};
void clear_ecc(ecc_key* key) { wc_ecc_free(key); }

Result<SecureBytes> agree_on_curve(ecc_key& own, KeyKind kind, ByteSpan point) {
    const int curve = kind == KeyKind::p384 ? ECC_SECP384R1 : ECC_SECP256R1;
    const std::size_t field_bytes = kind == KeyKind::p384 ? 48 : 32;
    // RFC 5480 §2.2: uncompressed, or (which readers MAY support) compressed.
    if (point.size() != 1 + 2 * field_bytes && point.size() != 1 + field_bytes)
        return malformed(bad_originator);
    WC_RNG* rng = TRY(thread_rng());
    PublicKey<ecc_key, wc_ecc_init, clear_ecc> other;
    // wolfCrypt takes any two numbers for a point. A point on these curves that is not at infinity
    // is of their order, which is prime.
    if (!other.ready ||
        wc_ecc_import_x963_ex(point.data(), static_cast<word32>(point.size()), &other.key, curve) !=
            0 ||
        wc_ecc_point_is_at_infinity(&other.key.pubkey) != 0 ||
        wc_ecc_point_is_on_curve(&other.key.pubkey, other.key.idx) != 0) {
        return malformed(bad_originator);
    }
    SecureBytes secret(field_bytes);
    auto size = static_cast<word32>(secret.size());
    if (wc_ecc_set_rng(&own, rng) != 0 ||
        wc_ecc_shared_secret(&own, &other.key, secret.data(), &size) != 0 || size != field_bytes)
        return malformed(failed);
    return secret;
}

Result<SecureBytes> agree_on_x25519(curve25519_key& own, ByteSpan number) {
    if (number.size() != CURVE25519_KEYSIZE) return malformed(bad_originator);
    std::array<std::uint8_t, CURVE25519_KEYSIZE> masked;
    std::copy(number.begin(), number.end(), masked.begin());
    // RFC 7748 §5: "implementations … MUST mask the most significant bit"; wolfCrypt refuses it.
    masked.back() &= 0x7f;
    PublicKey<curve25519_key, wc_curve25519_init, wc_curve25519_free> other;
    if (!other.ready || wc_curve25519_import_public_ex(masked.data(), masked.size(), &other.key,
                                                       EC25519_LITTLE_ENDIAN) != 0)
        return malformed(bad_originator);
    SecureBytes secret(CURVE25519_KEYSIZE);
    word32 size = CURVE25519_KEYSIZE;
    if (wc_curve25519_shared_secret_ex(&own, &other.key, secret.data(), &size,
                                       EC25519_LITTLE_ENDIAN) != 0)
        return malformed(failed);
    // RFC 7748 §6.1: a number of small order gives zeros, which everybody can compute.
    std::uint8_t any = 0;
    for (const std::uint8_t byte : secret.bytes()) any = any | byte;
    if (any == 0) return malformed(bad_originator);
    return secret;
}

// ECC-CMS-SharedInfo, RFC 5753 §7.2: the wrapping algorithm exactly as the message has it.
Bytes shared_info(const WrappedKey& wrapped, std::size_t key_bytes) {
    const std::uint8_t key_bits[] = {0, 0, static_cast<std::uint8_t>(key_bytes * 8 >> 8),
                                     static_cast<std::uint8_t>(key_bytes * 8)};
    BerWriter out;
    out.sequence([&] {
        out.raw(wrapped.agreement.wrap_algorithm);
        if (wrapped.ukm) out.element(ber::context(0), [&] { out.octet_string(*wrapped.ukm); });
        out.element(ber::context(2), [&] { out.octet_string(key_bits); });
    });
    return out.take();
}

wc_HashType hash_of(ReadDigest digest) {
    switch (digest) {
    case ReadDigest::sha1: return WC_HASH_TYPE_SHA;
    case ReadDigest::sha224: return WC_HASH_TYPE_SHA224;
    case ReadDigest::sha256: return WC_HASH_TYPE_SHA256;
    case ReadDigest::sha384: return WC_HASH_TYPE_SHA384;
    case ReadDigest::sha512: return WC_HASH_TYPE_SHA512;
    case ReadDigest::md5: break;
    }
    return WC_HASH_TYPE_NONE;
}

Result<SecureBytes> derive_key(const WrappedKey& wrapped, const SecureBytes& secret) {
    SecureBytes key(key_bytes(wrapped.agreement.wrap));
    const Bytes info = shared_info(wrapped, key.size());
    const wc_HashType hash = hash_of(wrapped.agreement.hash);
    const auto secret_size = static_cast<word32>(secret.size());
    const auto info_size = static_cast<word32>(info.size());
    const auto size = static_cast<word32>(key.size());
    int error = -1;
    switch (wrapped.agreement.derivation) {
    case KeyAgreement::Derivation::x963:
        error =
            wc_X963_KDF(hash, secret.data(), secret_size, info.data(), info_size, key.data(), size);
        break;
    case KeyAgreement::Derivation::hkdf: {
        // RFC 8418 §2.2: the ukm, where there is one, is the salt as well.
        const ByteSpan salt = wrapped.ukm ? ByteSpan(*wrapped.ukm) : ByteSpan();
        error = wc_HKDF(hash, secret.data(), secret_size, salt.empty() ? nullptr : salt.data(),
                        static_cast<word32>(salt.size()), info.data(), info_size, key.data(), size);
        break;
    }
    }
    if (error != 0) return internal("wolfCrypt derives no key");
    return key;
}

Result<SecureBytes> unwrap_aes(const SecureBytes& wrapping, ByteSpan wrapped_key) {
    constexpr std::size_t wrap_bytes = 8;
    if (wrapped_key.size() <= wrap_bytes) return malformed(not_unwrapped);
    SecureBytes key(wrapped_key.size() - wrap_bytes);
    const int done = wc_AesKeyUnWrap(wrapping.data(), static_cast<word32>(wrapping.size()),
                                     wrapped_key.data(), static_cast<word32>(wrapped_key.size()),
                                     key.data(), static_cast<word32>(key.size()), nullptr);
    if (done != static_cast<int>(key.size())) return malformed(not_unwrapped);
    return key;
}

Result<void> decrypt_des3(const SecureBytes& key, const std::uint8_t* iv, SecureBytes& data) {
    Des3 des;
    if (wc_Des3Init(&des, nullptr, INVALID_DEVID) != 0) return internal(failed);
    SecureBytes in = SecureBytes::copy_of(data.bytes());
    const bool done =
        wc_Des3_SetKey(&des, key.data(), iv, DES_DECRYPTION) == 0 &&
        wc_Des3_CbcDecrypt(&des, data.data(), in.data(), static_cast<word32>(in.size())) == 0;
    wc_Des3Free(&des);
    wipe(&des, sizeof des);
    if (!done) return internal(failed);
    return {};
}

// RFC 3217 §3.2, which wolfCrypt does not have. The RFC means Triple-DES keys alone; OpenSSL wraps
// any key so, where it is told to.
Result<SecureBytes> unwrap_des3(const SecureBytes& wrapping, ByteSpan wrapped_key) {
    static constexpr std::array<std::uint8_t, 8> first_iv{0x4a, 0xdd, 0xa2, 0x2c,
                                                          0x79, 0xe8, 0x21, 0x05};
    constexpr std::size_t block_bytes = 8, check_bytes = 8;
    constexpr std::size_t added_bytes = first_iv.size() + check_bytes;
    if (wrapped_key.size() <= added_bytes || wrapped_key.size() % block_bytes != 0)
        return malformed(not_unwrapped);
    const std::size_t key_size = wrapped_key.size() - added_bytes;
    SecureBytes data = SecureBytes::copy_of(wrapped_key);
    TRY(decrypt_des3(wrapping, first_iv.data(), data));
    std::reverse(data.data(), data.data() + data.size());
    SecureBytes key_and_check = SecureBytes::copy_of(data.bytes().subspan(first_iv.size()));
    TRY(decrypt_des3(wrapping, data.data(), key_and_check));
    const ByteSpan key = key_and_check.bytes().first(key_size);
    const ReadDigestValue check = digest_of(ReadDigest::sha1, key);
    if (!std::ranges::equal(check.bytes().first(check_bytes),
                            key_and_check.bytes().subspan(key_size)))
        return malformed(not_unwrapped);
    return SecureBytes::copy_of(key);
}

Result<SecureBytes> agree(const PrivateKey& key, ByteSpan originator_key) {
    WorkerKey* copy = TRY(worker_key(key));
    if (copy->ecc) return agree_on_curve(*copy->ecc, key.kind, originator_key);
    if (copy->x25519) return agree_on_x25519(*copy->x25519, originator_key);
    return internal(failed);
}

}  // namespace

Result<SecureBytes> unwrap_agreed(const PrivateKey& key, const WrappedKey& wrapped) {
    const SecureBytes secret = TRY(agree(key, wrapped.originator_key));
    const SecureBytes wrapping = TRY(derive_key(wrapped, secret));
    if (wrapped.agreement.wrap == KeyWrap::des_ede3)
        return unwrap_des3(wrapping, wrapped.encrypted_key);
    return unwrap_aes(wrapping, wrapped.encrypted_key);
}

}  // namespace sealgate

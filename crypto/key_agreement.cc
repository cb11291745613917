// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_agreement.h"

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include <algorithm>
#include <array>

#include "crypto/ber_writer.h"
#include "crypto/oid.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

constexpr const char* unusable = "the EC key of a recipient's certificate cannot be used";
constexpr const char* no_key = "wolfCrypt makes no ephemeral key";
constexpr const char* no_agreement = "wolfCrypt's key agreement failed";

// wolfCrypt's keys end with their thread's work, and leave nothing behind.
template <typename Key, int (*init)(Key*), void (*clear)(Key*)>
class KeyHolder {
public:
    KeyHolder() : ready_(init(&key_) == 0) {}
    ~KeyHolder() {
        if (ready_) clear(&key_);
        wipe(&key_, sizeof key_);
    }
    KeyHolder(const KeyHolder&) = delete;
    KeyHolder& operator=(const KeyHolder&) = delete;
    Result<Key*> get() {
        if (!ready_) return internal("a wolfCrypt key does not begin");
        return &key_;
    }

private:
    Key key_;
    bool ready_;
};
void clear_ecc(ecc_key* key) { wc_ecc_free(key); }
using EccKey = KeyHolder<ecc_key, wc_ecc_init, clear_ecc>;
using X25519Key = KeyHolder<curve25519_key, wc_curve25519_init, wc_curve25519_free>;

struct Shared {
    Bytes ephemeral_key;
    SecureBytes secret;
};

Result<Shared> agree_on_curve(ByteSpan public_key_info, int curve, std::size_t field_bytes) {
    WC_RNG* rng = TRY(thread_rng());
    EccKey recipient_holder;
    ecc_key* recipient = TRY(recipient_holder.get());
    word32 at = 0;
    if (wc_EccPublicKeyDecode(public_key_info.data(), &at, recipient,
                              static_cast<word32>(public_key_info.size())) != 0) {
        return malformed(unusable);
    }
    // wolfCrypt's decoder takes any two numbers for a point. These curves have a prime order, so a
    // point that is on the curve and not at infinity is of that order; wc_ecc_check_key(), which
    // multiplies to see it, costs more than the agreement.
    if (wc_ecc_point_is_at_infinity(&recipient->pubkey) != 0 ||
        wc_ecc_point_is_on_curve(&recipient->pubkey, recipient->idx) != 0) {
        return malformed(unusable);
    }

    EccKey ephemeral_holder;
    ecc_key* ephemeral = TRY(ephemeral_holder.get());
    if (wc_ecc_make_key_ex(rng, static_cast<int>(field_bytes), ephemeral, curve) != 0)
        return internal(no_key);
    Shared shared;
    shared.ephemeral_key.resize(1 + 2 * field_bytes);  // uncompressed: RFC 5480 §2.2
    auto size = static_cast<word32>(shared.ephemeral_key.size());
    if (wc_ecc_export_x963(ephemeral, shared.ephemeral_key.data(), &size) != 0 ||
        size != shared.ephemeral_key.size()) {
        return internal(no_key);
    }
    shared.secret = SecureBytes(field_bytes);
    size = static_cast<word32>(field_bytes);
    if (wc_ecc_set_rng(ephemeral, rng) != 0 ||
        wc_ecc_shared_secret(ephemeral, recipient, shared.secret.data(), &size) != 0 ||
        size != field_bytes) {
        return internal(no_agreement);
    }
    return shared;
}

// SubjectPublicKeyInfo { { id-X25519 }, BIT STRING }: RFC 8410 §3, §4. wolfCrypt's own decoder
// takes the number for big-endian.
Result<ByteSpan> x25519_public_key(ByteSpan public_key_info) {
    static constexpr std::array<std::uint8_t, 12> begin{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                        0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00};
    if (public_key_info.size() != begin.size() + CURVE25519_KEYSIZE ||
        !std::equal(begin.begin(), begin.end(), public_key_info.begin())) {
        return malformed("the X25519 key of a recipient's certificate cannot be used");
    }
    return public_key_info.subspan(begin.size());
}

Result<Shared> agree_on_x25519(ByteSpan public_key_info) {
    WC_RNG* rng = TRY(thread_rng());
    const ByteSpan raw = TRY(x25519_public_key(public_key_info));
    X25519Key recipient_holder;
    curve25519_key* recipient = TRY(recipient_holder.get());
    if (wc_curve25519_import_public_ex(raw.data(), static_cast<word32>(raw.size()), recipient,
                                       EC25519_LITTLE_ENDIAN) != 0) {
        return malformed(unusable);
    }
    X25519Key ephemeral_holder;
    curve25519_key* ephemeral = TRY(ephemeral_holder.get());
    if (wc_curve25519_make_key(rng, CURVE25519_KEYSIZE, ephemeral) != 0) return internal(no_key);
    Shared shared;
    shared.ephemeral_key.resize(CURVE25519_KEYSIZE);
    word32 size = CURVE25519_KEYSIZE;
    if (wc_curve25519_export_public_ex(ephemeral, shared.ephemeral_key.data(), &size,
                                       EC25519_LITTLE_ENDIAN) != 0) {
        return internal(no_key);
    }
    shared.secret = SecureBytes(CURVE25519_KEYSIZE);
    size = CURVE25519_KEYSIZE;
    if (wc_curve25519_shared_secret_ex(ephemeral, recipient, shared.secret.data(), &size,
                                       EC25519_LITTLE_ENDIAN) != 0) {
        return internal(no_agreement);
    }
    // RFC 7748 §6.1: a public key of small order gives zeros, which everybody can compute.
    std::uint8_t any = 0;
    for (const std::uint8_t byte : shared.secret.bytes()) any = any | byte;
    if (any == 0) return malformed("the X25519 key of a recipient's certificate is of small order");
    return shared;
}

// ECC-CMS-SharedInfo, RFC 5753 §7.2: the wrapping algorithm exactly as the message has it, no ukm,
// and the bits of the key-encryption key as four octets.
Bytes shared_info(std::size_t key_bytes) {
    const std::uint8_t key_bits[] = {0, 0, static_cast<std::uint8_t>(key_bytes * 8 >> 8),
                                     static_cast<std::uint8_t>(key_bytes * 8)};
    BerWriter out;
    out.sequence([&] {
        out.sequence([&] { out.raw(key_wrap_algorithm(key_bytes)); });
        out.element(ber::context(2), [&] { out.octet_string(key_bits); });
    });
    return out.take();
}

Result<SecureBytes> derive_key(KeyKind kind, const SecureBytes& secret, std::size_t key_bytes) {
    const Bytes info = shared_info(key_bytes);
    SecureBytes key(key_bytes);
    const auto secret_size = static_cast<word32>(secret.size());
    const auto info_size = static_cast<word32>(info.size());
    const auto size = static_cast<word32>(key_bytes);
    int error = 0;
    if (kind == KeyKind::x25519) {
        error = wc_HKDF(WC_HASH_TYPE_SHA256, secret.data(), secret_size, nullptr, 0, info.data(),
                        info_size, key.data(), size);
    } else {
        error = wc_X963_KDF(kind == KeyKind::p384 ? WC_HASH_TYPE_SHA384 : WC_HASH_TYPE_SHA256,
                            secret.data(), secret_size, info.data(), info_size, key.data(), size);
    }
    if (error != 0) return internal("wolfCrypt derives no key");
    return key;
}

Result<Shared> agree(const Certificate& recipient) {
    const ByteSpan key = recipient.public_key_der();
    switch (recipient.key_kind()) {
    case KeyKind::p256: return agree_on_curve(key, ECC_SECP256R1, 32);
    case KeyKind::p384: return agree_on_curve(key, ECC_SECP384R1, 48);
    case KeyKind::x25519: return agree_on_x25519(key);
    case KeyKind::rsa:
    case KeyKind::ed25519:
    case KeyKind::other: break;
    }
    return unsupported("a recipient's certificate has a key that agrees on none");
}

}  // namespace

Result<AgreedKey> agree_key(const Certificate& recipient, ByteSpan content_key) {
    constexpr std::size_t wrap_bytes = 8;
    Shared shared = TRY(agree(recipient));
    const SecureBytes wrapping =
        TRY(derive_key(recipient.key_kind(), shared.secret, content_key.size()));
    AgreedKey made;
    made.ephemeral_key = std::move(shared.ephemeral_key);
    made.wrapped_key.resize(content_key.size() + wrap_bytes);
    const int done =
        wc_AesKeyWrap(wrapping.data(), static_cast<word32>(wrapping.size()), content_key.data(),
                      static_cast<word32>(content_key.size()), made.wrapped_key.data(),
                      static_cast<word32>(made.wrapped_key.size()), nullptr);
    if (done != static_cast<int>(made.wrapped_key.size()))
        return internal("wolfCrypt wraps no key");
    return made;
}

ByteSpan agreement_scheme(KeyKind kind) {
    switch (kind) {
    case KeyKind::p256: return oid::std_dh_sha256_kdf;
    case KeyKind::p384: return oid::std_dh_sha384_kdf;
    case KeyKind::x25519: return oid::std_dh_hkdf_sha256;
    case KeyKind::rsa:
    case KeyKind::ed25519:
    case KeyKind::other: break;
    }
    return {};
}

ByteSpan public_key_algorithm(KeyKind kind) {
    if (kind == KeyKind::x25519) return oid::x25519;
    return oid::ec_public_key;
}

ByteSpan key_wrap_algorithm(std::size_t key_bytes) {
    CHECK(key_bytes == 16 || key_bytes == 32);
    if (key_bytes == 16) return oid::aes128_wrap;
    return oid::aes256_wrap;
}

}  // namespace sealgate

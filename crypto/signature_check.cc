// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/signature_check.h"

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include <algorithm>
#include <memory>

#include "crypto/ber_writer.h"
#include "crypto/wolf.h"
#include "crypto/worker_keys.h"

namespace sealgate {
namespace {

constexpr unsigned rsa_strong_bits_min = 2048;

constexpr SignatureVerdict good{Reason::ok, ""};
constexpr SignatureVerdict bad{Reason::bad_signature, "the signature is not of this certificate"};
constexpr SignatureVerdict unreadable_key{Reason::unsupported_algorithm,
                                          "the certificate's key cannot be read"};

word32 size_of(ByteSpan bytes) { return static_cast<word32>(bytes.size()); }

template <typename Key, int (*init)(Key*), int (*decode)(const byte*, word32*, Key*, word32)>
std::unique_ptr<Key, WorkerKey::Free> decoded(ByteSpan public_key) {
    auto raw = std::make_unique<Key>();
    if (init(raw.get()) != 0) return nullptr;
    std::unique_ptr<Key, WorkerKey::Free> key(raw.release());
    word32 at = 0;
    if (decode(public_key.data(), &at, key.get(), size_of(public_key)) != 0) return nullptr;
    return key;
}

int init_rsa(RsaKey* key) { return wc_InitRsaKey(key, nullptr); }

struct HashNames {
    wc_HashType hash = WC_HASH_TYPE_NONE;
    int mgf = WC_MGF1NONE;
};

HashNames names_of(ReadDigest digest) {
    switch (digest) {
    case ReadDigest::md5: break;
    case ReadDigest::sha1: return {WC_HASH_TYPE_SHA, WC_MGF1SHA1};
    case ReadDigest::sha224: return {WC_HASH_TYPE_SHA224, WC_MGF1SHA224};
    case ReadDigest::sha256: return {WC_HASH_TYPE_SHA256, WC_MGF1SHA256};
    case ReadDigest::sha384: return {WC_HASH_TYPE_SHA384, WC_MGF1SHA384};
    case ReadDigest::sha512: return {WC_HASH_TYPE_SHA512, WC_MGF1SHA512};
    }
    return {};
}

// DigestInfo, RFC 8017 §9.2. The digest's parameters are NULL there; some programs leave them out,
// as everywhere else (RFC 5754 §2).
Bytes digest_info(const ReadDigestValue& digest, bool with_null) {
    BerWriter out;
    out.sequence([&] {
        out.sequence([&] {
            out.raw(oid_of(digest.algorithm()));
            if (with_null) out.null();
        });
        out.octet_string(digest.bytes());
    });
    return out.take();
}

SignatureVerdict check_pkcs1(RsaKey& key, const ReadDigestValue& digest, ByteSpan signature) {
    Bytes shown(signature.size());
    const int shown_bytes =
        wc_RsaSSL_Verify(signature.data(), size_of(signature), shown.data(), size_of(shown), &key);
    if (shown_bytes <= 0) return bad;
    const ByteSpan info = ByteSpan(shown).first(static_cast<std::size_t>(shown_bytes));
    // Compared, not parsed: what a lenient parser passes over is room for a forger.
    const bool is_right = std::ranges::equal(info, digest_info(digest, true)) ||
                          std::ranges::equal(info, digest_info(digest, false));
    return is_right ? good : bad;
}

SignatureVerdict check_pss(RsaKey& key, const ReadSignatureAlgorithm& algorithm,
                           const ReadDigestValue& digest, ByteSpan signature) {
    const HashNames names = names_of(digest.algorithm());
    if (algorithm.salt_bytes > signature.size()) return bad;
    const int salt_bytes = static_cast<int>(algorithm.salt_bytes);
    Bytes copy(signature.begin(), signature.end());  // wolfCrypt takes it as not const
    Bytes shown(signature.size());
    const int shown_bytes =
        wc_RsaPSS_Verify_ex(copy.data(), size_of(copy), shown.data(), size_of(shown), names.hash,
                            names_of(algorithm.mask_digest).mgf, salt_bytes, &key);
    if (shown_bytes <= 0) return bad;
    const int failed = wc_RsaPSS_CheckPadding_ex(digest.bytes().data(), size_of(digest.bytes()),
                                                 shown.data(), static_cast<word32>(shown_bytes),
                                                 names.hash, salt_bytes, mp_count_bits(&key.n));
    return failed == 0 ? good : bad;
}

SignatureVerdict check_rsa(const Certificate& signer, const ReadSignatureAlgorithm& algorithm,
                           const ReadDigestValue& digest, ByteSpan signature) {
    // Of some 9,000 bits and more wolfCrypt reads nothing.
    if (signer.key_bits() == 0) return unreadable_key;
    if (signer.key_bits() > rsa_verify_bits_max)
        return {Reason::unsupported_algorithm, "the RSA key is too large (rsa_verify_bits_max)"};
    if (signer.key_bits() < rsa_verify_bits_min)
        return {Reason::weak_key, "the RSA key is shorter than 1024 bits"};
    const auto key = decoded<RsaKey, init_rsa, wc_RsaPublicKeyDecode>(signer.public_key_der());
    if (!key) return unreadable_key;
    if (mp_count_bits(&key->e) > static_cast<int>(rsa_exponent_bits_max))
        return {Reason::unsupported_algorithm,
                "the RSA key's exponent is too large (rsa_exponent_bits_max)"};
    // RFC 8017 §8.2.2: "if the length of the signature S is not k octets, […] stop".
    if (wc_RsaEncryptSize(key.get()) != static_cast<int>(signature.size())) return bad;
    return algorithm.scheme == SignatureScheme::rsa_pss
               ? check_pss(*key, algorithm, digest, signature)
               : check_pkcs1(*key, digest, signature);
}

SignatureVerdict check_ecdsa(const Certificate& signer, const ReadDigestValue& digest,
                             ByteSpan signature) {
    const auto key = decoded<ecc_key, wc_ecc_init, wc_EccPublicKeyDecode>(signer.public_key_der());
    if (!key) return unreadable_key;
    // wolfCrypt takes any two numbers for a point when it decodes them (see
    // crypto/key_agreement.cc).
    if (wc_ecc_point_is_at_infinity(&key->pubkey) != 0 ||
        wc_ecc_point_is_on_curve(&key->pubkey, key->idx) != 0)
        return unreadable_key;
    int is_right = 0;
    const int failed =
        wc_ecc_verify_hash(signature.data(), size_of(signature), digest.bytes().data(),
                           size_of(digest.bytes()), &is_right, key.get());
    return failed == 0 && is_right == 1 ? good : bad;
}

SignatureVerdict check_ed25519(const Certificate& signer, ByteSpan octets, ByteSpan signature) {
    const auto key =
        decoded<ed25519_key, wc_ed25519_init, wc_Ed25519PublicKeyDecode>(signer.public_key_der());
    if (!key) return unreadable_key;
    int is_right = 0;
    const int failed = wc_ed25519_verify_msg(signature.data(), size_of(signature), octets.data(),
                                             size_of(octets), &is_right, key.get());
    return failed == 0 && is_right == 1 ? good : bad;
}

}  // namespace

SignatureVerdict check_signature(const Certificate& signer, const ReadSignatureAlgorithm& algorithm,
                                 const SignedOctets& what, ByteSpan signature) {
    constexpr SignatureVerdict unsupported_key{
        Reason::unsupported_algorithm,
        "the certificate's key does not fit the signature algorithm"};
    if (!init_wolfssl()) return {Reason::bad_signature, "wolfCrypt does not start"};
    if (!algorithm.scheme)
        return {Reason::unsupported_algorithm, "a signature algorithm that is not known"};
    const KeyKind kind = signer.key_kind();
    switch (*algorithm.scheme) {
    case SignatureScheme::rsa_pkcs1:
    case SignatureScheme::rsa_pss:
        if (kind != KeyKind::rsa) return unsupported_key;
        return check_rsa(signer, algorithm, what.digest, signature);
    case SignatureScheme::ecdsa:
        if (kind != KeyKind::p256 && kind != KeyKind::p384) return unsupported_key;
        return check_ecdsa(signer, what.digest, signature);
    case SignatureScheme::ed25519:
        if (kind != KeyKind::ed25519) return unsupported_key;
        if (!what.octets)
            return {Reason::unsupported_algorithm, "Ed25519 without signed attributes"};
        return check_ed25519(signer, *what.octets, signature);
    }
    return unsupported_key;
}

Reason weakness_of(const Certificate& signer, Weakness weakness) {
    if (signer.key_kind() != KeyKind::rsa) return Reason::ok;
    const unsigned bits_min =
        weakness == Weakness::allow ? rsa_verify_bits_min : rsa_strong_bits_min;
    return signer.key_bits() < bits_min ? Reason::weak_key : Reason::ok;
}

Reason weakness_of(ReadDigest digest, Weakness weakness) {
    if (weakness == Weakness::allow && is_computed(digest)) return Reason::ok;
    return is_weak(digest) ? Reason::weak_digest : Reason::ok;
}

}  // namespace sealgate

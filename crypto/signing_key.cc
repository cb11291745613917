// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/signing_key.h"

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include <algorithm>
#include <array>

#include "crypto/rsa_engine.h"
#include "crypto/wolf.h"
#include "crypto/worker_keys.h"

namespace sealgate {
namespace {

constexpr const char* failed = "the private-key operation failed";
constexpr const char* faulty = "the signature just made does not verify";

// wolfCrypt's names for a digest, and for PSS's mask generation with it.
struct HashNames {
    wc_HashType hash = WC_HASH_TYPE_NONE;
    int mgf = WC_MGF1NONE;
};

HashNames names_of(DigestAlgorithm digest) {
    switch (digest) {
    case DigestAlgorithm::sha256: return {WC_HASH_TYPE_SHA256, WC_MGF1SHA256};
    case DigestAlgorithm::sha384: return {WC_HASH_TYPE_SHA384, WC_MGF1SHA384};
    case DigestAlgorithm::sha512: return {WC_HASH_TYPE_SHA512, WC_MGF1SHA512};
    }
    return {};
}

word32 size_of(ByteSpan bytes) { return static_cast<word32>(bytes.size()); }

Result<Bytes> sign_pkcs1(RsaKey& key, const DigestValue& digest, Bytes signature) {
    WC_RNG* rng = TRY(thread_rng());
    std::array<std::uint8_t, 128> info;  // DigestInfo: RFC 8017 §9.2
    const word32 info_bytes =
        wc_EncodeSignature(info.data(), digest.bytes().data(), size_of(digest.bytes()),
                           wc_HashGetOID(names_of(digest.algorithm()).hash));
    if (info_bytes == 0 || info_bytes > info.size()) return internal(failed);
    if (wc_RsaSSL_Sign(info.data(), info_bytes, signature.data(), size_of(signature), &key, rng) !=
        static_cast<int>(signature.size()))
        return internal(failed);

    Bytes shown(signature.size());
    const int shown_bytes =
        wc_RsaSSL_Verify(signature.data(), size_of(signature), shown.data(), size_of(shown), &key);
    if (shown_bytes != static_cast<int>(info_bytes) ||
        !std::equal(info.begin(), info.begin() + info_bytes, shown.begin()))
        return internal(faulty);
    return signature;
}

Result<Bytes> sign_pss(RsaKey& key, const DigestValue& digest, Bytes signature) {
    WC_RNG* rng = TRY(thread_rng());
    const HashNames names = names_of(digest.algorithm());
    const ByteSpan in = digest.bytes();
    const int salt_bytes = static_cast<int>(in.size());  // RFC 4056 §3
    if (wc_RsaPSS_Sign_ex(in.data(), size_of(in), signature.data(), size_of(signature), names.hash,
                          names.mgf, salt_bytes, &key, rng) != static_cast<int>(signature.size()))
        return internal(failed);

    Bytes copy = signature;  // wolfCrypt takes it as not const
    Bytes shown(signature.size());
    const int shown_bytes =
        wc_RsaPSS_Verify_ex(copy.data(), size_of(copy), shown.data(), size_of(shown), names.hash,
                            names.mgf, salt_bytes, &key);
    if (shown_bytes <= 0 ||
        wc_RsaPSS_CheckPadding_ex(in.data(), size_of(in), shown.data(),
                                  static_cast<word32>(shown_bytes), names.hash, salt_bytes,
                                  static_cast<int>(signature.size() * 8)) != 0)
        return internal(faulty);
    return signature;
}

Result<Bytes> sign_rsa(const PrivateKey& key, WorkerKey& copy, SignatureAlgorithm algorithm,
                       const DigestValue& digest) {
    if (!rsa_uses_openssl(key.bits)) return sign_rsa_in_wolfcrypt(copy, algorithm.scheme, digest);
    if (!copy.openssl_rsa) copy.openssl_rsa = TRY(OpensslRsaKey::decode(key.pkcs8.bytes()));
    // libcrypto verifies its CRT result itself (rsa_ossl_mod_exp), so it is not done twice.
    return copy.openssl_rsa->sign(algorithm.scheme, digest);
}

Result<Bytes> sign_ecdsa(ecc_key& key, const DigestValue& digest) {
    WC_RNG* rng = TRY(thread_rng());
    Bytes signature(ECC_MAX_SIG_SIZE);
    word32 written = size_of(signature);
    if (wc_ecc_sign_hash(digest.bytes().data(), size_of(digest.bytes()), signature.data(), &written,
                         rng, &key) != 0)
        return internal(failed);
    signature.resize(written);
    return signature;
}

Result<Bytes> sign_ed25519(ed25519_key& key, ByteSpan message) {
    Bytes signature(ED25519_SIG_SIZE);
    word32 written = size_of(signature);
    if (wc_ed25519_sign_msg(message.data(), size_of(message), signature.data(), &written, &key) !=
        0)
        return internal(failed);
    return signature;
}

DigestAlgorithm digest_named(SendingProfileOptions::Digest digest) {
    switch (digest) {
    case SendingProfileOptions::Digest::sha256: return DigestAlgorithm::sha256;
    case SendingProfileOptions::Digest::sha384: return DigestAlgorithm::sha384;
    case SendingProfileOptions::Digest::sha512: return DigestAlgorithm::sha512;
    }
    return DigestAlgorithm::sha256;
}

}  // namespace

Result<SignatureAlgorithm> signature_algorithm_for(KeyKind kind,
                                                   SendingProfileOptions::Scheme scheme,
                                                   SendingProfileOptions::Digest digest) {
    using Scheme = SendingProfileOptions::Scheme;
    const DigestAlgorithm wanted = digest_named(digest);
    if (kind == KeyKind::rsa) {
        return SignatureAlgorithm{
            scheme == Scheme::rsa_pss ? SignatureScheme::rsa_pss : SignatureScheme::rsa_pkcs1,
            wanted};
    }
    if (scheme != Scheme::automatic)
        return unsupported("signature-scheme names RSA, the key is another");
    if (kind == KeyKind::p256 || kind == KeyKind::p384)
        return SignatureAlgorithm{SignatureScheme::ecdsa, wanted};
    if (kind == KeyKind::ed25519)
        return SignatureAlgorithm{SignatureScheme::ed25519, DigestAlgorithm::sha512};
    return unsupported("the certificate's key is of a kind that does not sign");
}

Result<Bytes> sign_rsa_in_wolfcrypt(WorkerKey& key, SignatureScheme scheme,
                                    const DigestValue& digest) {
    const int modulus_bytes = wc_RsaEncryptSize(key.rsa.get());
    if (modulus_bytes <= 0) return internal(failed);
    Bytes signature(static_cast<std::size_t>(modulus_bytes));
    return scheme == SignatureScheme::rsa_pss ? sign_pss(*key.rsa, digest, std::move(signature))
                                              : sign_pkcs1(*key.rsa, digest, std::move(signature));
}

Result<Bytes> sign_with(const PrivateKey& key, SignatureAlgorithm algorithm, ByteSpan message) {
    WorkerKey* copy = TRY(worker_key(key));
    switch (algorithm.scheme) {
    case SignatureScheme::rsa_pkcs1:
    case SignatureScheme::rsa_pss:
        if (!copy->rsa) break;
        return sign_rsa(key, *copy, algorithm, digest_of(algorithm.digest, message));
    case SignatureScheme::ecdsa:
        if (!copy->ecc) break;
        return sign_ecdsa(*copy->ecc, digest_of(algorithm.digest, message));
    case SignatureScheme::ed25519:
        if (!copy->ed25519) break;
        return sign_ed25519(*copy->ed25519, message);
    }
    return internal("the signature scheme does not fit the key");
}

}  // namespace sealgate

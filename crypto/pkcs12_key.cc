// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/pkcs12_key.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "crypto/pkcs12_library.h"

namespace sealgate {
namespace pkcs12 {

const Library& library() {
    static const Library made = [] {
        Library fresh;
        fresh.context = OSSL_LIB_CTX_new();
        CHECK(fresh.context != nullptr);
        CHECK(OSSL_PROVIDER_load(fresh.context, "default") != nullptr);
        fresh.has_legacy = OSSL_PROVIDER_load(fresh.context, "legacy") != nullptr;
        ERR_clear_error();
        return fresh;
    }();
    return made;
}

BioPtr reading(ByteSpan bytes) {
    if (bytes.size() > INT_MAX) return nullptr;
    return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

Result<SecureBytes> to_pkcs8(EVP_PKEY* key) {
    const Pkcs8Ptr info(EVP_PKEY2PKCS8(key));
    if (!info) return unsupported("private key of a kind that has no PKCS#8 form");
    std::uint8_t* der = nullptr;
    const int length = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
    if (length <= 0) return internal("private key could not be written as PKCS#8");
    SecureBytes bytes = SecureBytes::copy_of({der, static_cast<std::size_t>(length)});
    OPENSSL_clear_free(der, static_cast<std::size_t>(length));
    return bytes;
}

KeyPtr key_from_pkcs8(ByteSpan pkcs8) {
    const std::uint8_t* at = pkcs8.data();
    const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
    if (!info) return nullptr;
    return KeyPtr(EVP_PKCS82PKEY_ex(info.get(), library().context, nullptr));
}

}  // namespace pkcs12

namespace {

using namespace pkcs12;

// OpenSSL's iteration count (2048) is of 2000; this costs 20 ms once per key and start.
constexpr int derivation_rounds = 100'000;

struct PassphraseCall {
    const Passphrase& passphrase;
    bool asked = false;
};

int give_passphrase(char* buffer, int size, int /*writing*/, void* data) {
    auto* call = static_cast<PassphraseCall*>(data);
    call->asked = true;
    if (!call->passphrase) return -1;
    const std::string_view& text = *call->passphrase;
    if (text.size() > static_cast<std::size_t>(size)) return -1;
    std::memcpy(buffer, text.data(), text.size());
    return static_cast<int>(text.size());
}

bool begins_pem(ByteSpan bytes) {
    return as_text(bytes).find("-----BEGIN ") != std::string_view::npos;
}

Result<SecureBytes> failed(const PassphraseCall& call) {
    if (!call.asked) return malformed("not a private key that can be read");
    return untrusted(call.passphrase ? "the passphrase is wrong" : "a passphrase is needed");
}

Result<SecureBytes> read_pem_key(ByteSpan pem, const Passphrase& passphrase) {
    const BioPtr bio = reading(pem);
    PassphraseCall call{passphrase};
    const KeyPtr key(PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, give_passphrase, &call,
                                                library().context, nullptr));
    return key ? to_pkcs8(key.get()) : failed(call);
}

Result<SecureBytes> read_der_key(ByteSpan der, const Passphrase& passphrase) {
    const std::uint8_t* at = der.data();
    const auto length = static_cast<long>(der.size());
    if (const KeyPtr key(d2i_AutoPrivateKey_ex(nullptr, &at, length, library().context, nullptr));
        key) {
        return to_pkcs8(key.get());
    }
    // EncryptedPrivateKeyInfo (RFC 5958 §3)
    PassphraseCall call{passphrase};
    const BioPtr bio = reading(der);
    const KeyPtr key(d2i_PKCS8PrivateKey_bio(bio.get(), nullptr, give_passphrase, &call));
    return key ? to_pkcs8(key.get()) : failed(call);
}

KeyKind curve_kind(EVP_PKEY* key) {
    char name[80] = "";
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key, name, sizeof name, &length) != 1) return KeyKind::other;
    const int nid = OBJ_txt2nid(name);
    if (nid == NID_X9_62_prime256v1) return KeyKind::p256;
    return nid == NID_secp384r1 ? KeyKind::p384 : KeyKind::other;
}

// Whether `public_key` verifies what `private_key` signs.
bool signs_for(EVP_PKEY* private_key, EVP_PKEY* public_key) {
    static constexpr std::uint8_t text[] = "sealgate";
    OSSL_LIB_CTX* context = library().context;
    const bool is_pure = EVP_PKEY_get_base_id(private_key) == EVP_PKEY_ED25519;
    const char* digest = is_pure ? nullptr : "SHA256";
    const DigestPtr signing(EVP_MD_CTX_new());
    const DigestPtr verifying(EVP_MD_CTX_new());
    std::uint8_t signature[1024];
    std::size_t length = sizeof signature;
    return EVP_DigestSignInit_ex(signing.get(), nullptr, digest, context, nullptr, private_key,
                                 nullptr) == 1 &&
           EVP_DigestSign(signing.get(), signature, &length, text, sizeof text) == 1 &&
           EVP_DigestVerifyInit_ex(verifying.get(), nullptr, digest, context, nullptr, public_key,
                                   nullptr) == 1 &&
           EVP_DigestVerify(verifying.get(), signature, length, text, sizeof text) == 1;
}

}  // namespace

Result<SecureBytes> read_private_key(ByteSpan pem_or_der, const Passphrase& passphrase) {
    const ErrorsForgotten forgotten;
    if (pem_or_der.size() > 1 << 20) return past_limit("private key of more than 1 MB");
    return begins_pem(pem_or_der) ? read_pem_key(pem_or_der, passphrase)
                                  : read_der_key(pem_or_der, passphrase);
}

Result<SecureBytes> encrypt_private_key(ByteSpan pkcs8, std::string_view passphrase) {
    const ErrorsForgotten forgotten;
    const std::uint8_t* at = pkcs8.data();
    const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
    if (!info) return malformed("not a PKCS#8 private key");
    X509_ALGOR* algorithm = PKCS5_pbe2_set_iv_ex(EVP_aes_256_cbc(), derivation_rounds, nullptr, 0,
                                                 nullptr, NID_hmacWithSHA256, library().context);
    if (algorithm == nullptr) return internal("key encryption could not be set up");
    const SigPtr encrypted(PKCS8_set0_pbe_ex(passphrase.data(), static_cast<int>(passphrase.size()),
                                             info.get(), algorithm, library().context, nullptr));
    if (!encrypted) {
        X509_ALGOR_free(algorithm);
        return internal("private key could not be encrypted");
    }
    const BioPtr bio(BIO_new(BIO_s_mem()));
    char* text = nullptr;
    if (!bio || PEM_write_bio_PKCS8(bio.get(), encrypted.get()) != 1) {
        return internal("private key could not be encrypted");
    }
    const long length = BIO_get_mem_data(bio.get(), &text);
    return SecureBytes::copy_of(as_bytes({text, static_cast<std::size_t>(length)}));
}

Result<PrivateKeyFacts> private_key_facts(ByteSpan pkcs8) {
    const ErrorsForgotten forgotten;
    const KeyPtr key = key_from_pkcs8(pkcs8);
    if (!key) return malformed("not a PKCS#8 private key");
    PrivateKeyFacts facts;
    facts.bits = static_cast<unsigned>(std::max(EVP_PKEY_get_bits(key.get()), 0));
    switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA: facts.kind = KeyKind::rsa; break;
    case EVP_PKEY_EC: facts.kind = curve_kind(key.get()); break;
    case EVP_PKEY_ED25519: facts.kind = KeyKind::ed25519; break;
    case EVP_PKEY_X25519: facts.kind = KeyKind::x25519; break;
    default: break;
    }
    return facts;
}

bool key_matches(ByteSpan pkcs8, ByteSpan public_key_der) {
    const ErrorsForgotten forgotten;
    const KeyPtr key = key_from_pkcs8(pkcs8);
    const std::uint8_t* at = public_key_der.data();
    const KeyPtr other(d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(public_key_der.size()),
                                     library().context, nullptr));
    if (!key || !other || EVP_PKEY_eq(key.get(), other.get()) != 1) return false;
    return EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_X25519 || signs_for(key.get(), other.get());
}

}  // namespace sealgate

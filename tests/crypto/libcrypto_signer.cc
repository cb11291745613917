// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/libcrypto_signer.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <functional>

#include "core/result.h"

namespace sealgate::test {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(BIGNUM* number) const { BN_free(number); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
using ContextPtr = std::unique_ptr<EVP_PKEY_CTX, Free>;

KeyPtr generate(const char* kind, const std::function<bool(EVP_PKEY_CTX*)>& configure) {
    const ContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
    CHECK(context && EVP_PKEY_keygen_init(context.get()) == 1 && configure(context.get()));
    EVP_PKEY* made = nullptr;
    CHECK(EVP_PKEY_generate(context.get(), &made) == 1);
    return KeyPtr(made);
}

}  // namespace

struct LibcryptoKey::State {
    KeyPtr key;

    Bytes sign(ByteSpan value, const std::function<bool(EVP_PKEY_CTX*)>& configure) const {
        const ContextPtr context(EVP_PKEY_CTX_new(key.get(), nullptr));
        CHECK(context && EVP_PKEY_sign_init(context.get()) == 1 && configure(context.get()));
        Bytes signature(2048);
        std::size_t bytes = signature.size();
        EXPECT_EQ(
            EVP_PKEY_sign(context.get(), signature.data(), &bytes, value.data(), value.size()), 1);
        signature.resize(bytes);
        return signature;
    }
};

LibcryptoKey::LibcryptoKey(std::unique_ptr<State> state) : state_(std::move(state)) { certify(); }
LibcryptoKey::LibcryptoKey(LibcryptoKey&&) noexcept = default;
LibcryptoKey::~LibcryptoKey() = default;

LibcryptoKey LibcryptoKey::rsa(unsigned bits, const std::string& exponent) {
    BIGNUM* number = nullptr;
    CHECK(BN_dec2bn(&number, exponent.c_str()) > 0);
    const std::unique_ptr<BIGNUM, Free> held(number);
    auto state = std::make_unique<State>();
    state->key = generate("RSA", [&](EVP_PKEY_CTX* context) {
        return EVP_PKEY_CTX_set_rsa_keygen_bits(context, static_cast<int>(bits)) == 1 &&
               EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, number) == 1;
    });
    return LibcryptoKey(std::move(state));
}

LibcryptoKey LibcryptoKey::ec(const std::string& curve) {
    auto state = std::make_unique<State>();
    state->key = generate("EC", [&](EVP_PKEY_CTX* context) {
        return EVP_PKEY_CTX_set_group_name(context, curve.c_str()) == 1;
    });
    return LibcryptoKey(std::move(state));
}

void LibcryptoKey::certify() {
    const std::unique_ptr<X509, Free> made(X509_new());
    X509* certificate = made.get();
    X509_NAME* name = X509_get_subject_name(certificate);
    CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     reinterpret_cast<const unsigned char*>("Signer"), -1, -1,
                                     0) == 1);
    CHECK(X509_set_issuer_name(certificate, name) == 1 && X509_set_version(certificate, 2) == 1);
    CHECK(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1);
    CHECK(X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != nullptr);
    CHECK(X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400) != nullptr);
    CHECK(X509_set_pubkey(certificate, state_->key.get()) == 1);
    CHECK(X509_sign(certificate, state_->key.get(), EVP_sha256()) > 0);
    unsigned char* der = nullptr;
    const int bytes = i2d_X509(certificate, &der);
    CHECK(bytes > 0);
    auto parsed = Certificate::parse({der, static_cast<std::size_t>(bytes)});
    OPENSSL_free(der);
    CHECK(parsed);
    certificate_ = *std::move(parsed);
}

Bytes LibcryptoKey::sign(const std::string& digest, ByteSpan value) const {
    return state_->sign(value, [&](EVP_PKEY_CTX* context) {
        return EVP_PKEY_CTX_set_signature_md(context, EVP_get_digestbyname(digest.c_str())) == 1;
    });
}

Bytes LibcryptoKey::sign_pss(const std::string& digest, ByteSpan value,
                             const std::string& mask_digest, std::size_t salt_bytes) const {
    return state_->sign(value, [&](EVP_PKEY_CTX* context) {
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_signature_md(context, EVP_get_digestbyname(digest.c_str())) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_get_digestbyname(mask_digest.c_str())) ==
                   1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, static_cast<int>(salt_bytes)) == 1;
    });
}

Bytes LibcryptoKey::sign_block(ByteSpan block) const {
    return state_->sign(block, [](EVP_PKEY_CTX* context) {
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1;
    });
}

}  // namespace sealgate::test

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/libcrypto_cipher.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include <gtest/gtest.h>

#include <memory>

#include "core/c_object.h"

namespace sealgate::test {
namespace {

using BioPtr = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, FreedBy<EVP_PKEY_CTX_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, FreedBy<EVP_CIPHER_free>>;
using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreedBy<EVP_CIPHER_CTX_free>>;

// A library of its own, so that the old ciphers do not become known to everybody. It stays until
// the process ends: freed with its providers loaded it would leak them.
OSSL_LIB_CTX* library() {
    static OSSL_LIB_CTX* const made = [] {
        OSSL_LIB_CTX* fresh = OSSL_LIB_CTX_new();
        EXPECT_TRUE(OSSL_PROVIDER_load(fresh, "default"));
        EXPECT_TRUE(OSSL_PROVIDER_load(fresh, "legacy"));
        return fresh;
    }();
    return made;
}

KeyContextPtr encryption_for(const Correspondent& who, int padding) {
    const BioPtr in(BIO_new_file(who.key_file.c_str(), "rb"));
    const KeyPtr key(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr) : nullptr);
    KeyContextPtr context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
    EXPECT_TRUE(context && EVP_PKEY_encrypt_init(context.get()) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) == 1)
        << who.key_file;
    return context;
}

Bytes encrypt(EVP_PKEY_CTX* context, ByteSpan message) {
    std::size_t size = 0;
    EXPECT_EQ(EVP_PKEY_encrypt(context, nullptr, &size, message.data(), message.size()), 1);
    Bytes out(size);
    EXPECT_EQ(EVP_PKEY_encrypt(context, out.data(), &size, message.data(), message.size()), 1);
    out.resize(size);
    return out;
}

}  // namespace

Enciphered encipher(const std::string& name, ByteSpan key, ByteSpan iv, ByteSpan content,
                    std::size_t tag_bytes, bool padded) {
    const CipherPtr cipher(EVP_CIPHER_fetch(library(), name.c_str(), nullptr));
    const CipherContextPtr context(EVP_CIPHER_CTX_new());
    if (!cipher || EVP_EncryptInit_ex(context.get(), cipher.get(), nullptr, nullptr, nullptr) != 1)
        return {};
    if (tag_bytes != 0 && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN,
                                              static_cast<int>(iv.size()), nullptr) != 1)
        return {};
    Enciphered made;
    made.content.resize(content.size() + 32);
    int size = 0, last = 0;
    if (EVP_EncryptInit_ex(context.get(), nullptr, nullptr, key.data(), iv.data()) != 1 ||
        EVP_CIPHER_CTX_set_padding(context.get(), padded ? 1 : 0) != 1 ||
        EVP_EncryptUpdate(context.get(), made.content.data(), &size, content.data(),
                          static_cast<int>(content.size())) != 1 ||
        EVP_EncryptFinal_ex(context.get(), made.content.data() + size, &last) != 1)
        return {};
    made.content.resize(static_cast<std::size_t>(size + last));
    made.tag.resize(tag_bytes);
    if (tag_bytes != 0 && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG,
                                              static_cast<int>(tag_bytes), made.tag.data()) != 1)
        return {};
    return made;
}

Bytes rsa_raw_encrypt(const Correspondent& who, ByteSpan block) {
    return encrypt(encryption_for(who, RSA_NO_PADDING).get(), block);
}

Bytes rsa_oaep_encrypt(const Correspondent& who, const OaepChoice& choice, ByteSpan message) {
    const KeyContextPtr context = encryption_for(who, RSA_PKCS1_OAEP_PADDING);
    EXPECT_EQ(
        EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_get_digestbyname(choice.hash.c_str())), 1);
    EXPECT_EQ(
        EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_get_digestbyname(choice.mask_hash.c_str())),
        1);
    if (!choice.label.empty()) {
        void* label = OPENSSL_memdup(choice.label.data(), choice.label.size());
        EXPECT_EQ(EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), label,
                                                   static_cast<int>(choice.label.size())),
                  1);
    }
    return encrypt(context.get(), message);
}

}  // namespace sealgate::test

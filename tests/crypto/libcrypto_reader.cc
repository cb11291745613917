// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/libcrypto_reader.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "core/c_object.h"

namespace sealgate::test {
namespace {

using BioPtr = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using CmsPtr = std::unique_ptr<CMS_ContentInfo, FreedBy<CMS_ContentInfo_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, FreedBy<EVP_PKEY_CTX_free>>;
using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreedBy<EVP_CIPHER_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, FreedBy<X509_free>>;

KeyPtr read_key(const std::string& path) {
    const BioPtr in(BIO_new_file(path.c_str(), "rb"));
    return KeyPtr(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr) : nullptr);
}

X509Ptr read_certificate(const std::string& path) {
    const BioPtr in(BIO_new_file(path.c_str(), "rb"));
    return X509Ptr(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr);
}

// 0: not derived. HKDF's extract and expand in one.
bool hkdf_sha256(const Bytes& secret, ByteSpan info, Bytes& key) {
    const KeyContextPtr context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
    std::size_t size = key.size();
    return context && EVP_PKEY_derive_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set1_hkdf_key(context.get(), secret.data(),
                                      static_cast<int>(secret.size())) == 1 &&
           EVP_PKEY_CTX_add1_hkdf_info(context.get(), info.data(), static_cast<int>(info.size())) ==
               1 &&
           EVP_PKEY_derive(context.get(), key.data(), &size) == 1 && size == key.size();
}

}  // namespace

std::optional<std::string> decrypt_with_libcrypto(const std::string& message,
                                                  const Correspondent& who) {
    const KeyPtr key = read_key(who.key_file);
    const X509Ptr certificate = read_certificate(who.certificate_file);
    const BioPtr in(BIO_new_mem_buf(message.data(), static_cast<int>(message.size())));
    const CmsPtr cms(SMIME_read_CMS(in.get(), nullptr));
    const BioPtr out(BIO_new(BIO_s_mem()));
    if (!key || !certificate || !cms ||
        CMS_decrypt(cms.get(), key.get(), certificate.get(), nullptr, out.get(), 0) != 1) {
        ERR_clear_error();
        return std::nullopt;
    }
    const char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

std::optional<CmsParts> parts_with_libcrypto(ByteSpan cms) {
    const unsigned char* at = cms.data();
    const CmsPtr read(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(cms.size())));
    if (!read) {
        ERR_clear_error();
        return std::nullopt;
    }
    const auto count = [](const auto* stack) {
        const int elements = OPENSSL_sk_num(reinterpret_cast<const OPENSSL_STACK*>(stack));
        return static_cast<std::size_t>(std::max(elements, 0));
    };
    CmsParts parts;
    parts.type = OBJ_obj2nid(CMS_get0_type(read.get()));
    parts.recipients = count(CMS_get0_RecipientInfos(read.get()));
    parts.signers = count(CMS_get0_SignerInfos(read.get()));
    STACK_OF(X509)* certificates = CMS_get1_certs(read.get());
    parts.certificates = count(certificates);
    sk_X509_pop_free(certificates, X509_free);
    STACK_OF(X509_CRL)* crls = CMS_get1_crls(read.get());
    parts.crls = count(crls);
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    ERR_clear_error();
    return parts;
}

Bytes unwrap_x25519_key(const Correspondent& who, ByteSpan ephemeral_key, ByteSpan wrapped_key,
                        ByteSpan shared_info) {
    const KeyPtr key = read_key(who.key_file);
    const KeyPtr peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, ephemeral_key.data(),
                                                  ephemeral_key.size()));
    const KeyContextPtr context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
    Bytes secret(32);
    std::size_t secret_size = secret.size();
    if (!peer || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
        EVP_PKEY_derive(context.get(), secret.data(), &secret_size) != 1) {
        return {};
    }
    Bytes wrapping(wrapped_key.size() - 8);
    if (!hkdf_sha256(secret, shared_info, wrapping)) return {};
    const CipherContextPtr unwrapper(EVP_CIPHER_CTX_new());
    EVP_CIPHER_CTX_set_flags(unwrapper.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    Bytes content_key(wrapped_key.size());
    int size = 0;
    if (EVP_DecryptInit_ex(unwrapper.get(),
                           wrapping.size() == 16 ? EVP_aes_128_wrap() : EVP_aes_256_wrap(), nullptr,
                           wrapping.data(), nullptr) != 1 ||
        EVP_DecryptUpdate(unwrapper.get(), content_key.data(), &size, wrapped_key.data(),
                          static_cast<int>(wrapped_key.size())) != 1) {
        ERR_clear_error();
        return {};
    }
    content_key.resize(static_cast<std::size_t>(size));
    return content_key;
}

}  // namespace sealgate::test

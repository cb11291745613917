// SPDX-License-Identifier: GPL-3.0-or-later
// libcrypto for pkcs12*.cc: its objects with owners, and a library context of our own.
//
// Include only from crypto/pkcs12*.cc. The context is apart from the process's default one because
// it may hold the "legacy" provider: RC2-40 is for old PKCS#12 files, not for anything else here.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include <memory>

#include "core/bytes.h"
#include "core/c_object.h"
#include "core/result.h"

namespace sealgate::pkcs12 {

using BioPtr = std::unique_ptr<BIO, FreedBy<BIO_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreedBy<PKCS8_PRIV_KEY_INFO_free>>;
using SigPtr = std::unique_ptr<X509_SIG, FreedBy<X509_SIG_free>>;
using Pkcs12Ptr = std::unique_ptr<PKCS12, FreedBy<PKCS12_free>>;
using CertificateHandle = std::unique_ptr<X509, FreedBy<X509_free>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, FreedBy<EVP_MD_CTX_free>>;

struct Library {
    OSSL_LIB_CTX* context = nullptr;
    bool has_legacy = false;
};
const Library& library();

// What libcrypto's functions left in this thread's error queue goes when this goes.
struct ErrorsForgotten {
    ErrorsForgotten() { ERR_clear_error(); }
    ~ErrorsForgotten() { ERR_clear_error(); }
    ErrorsForgotten(const ErrorsForgotten&) = delete;
    ErrorsForgotten& operator=(const ErrorsForgotten&) = delete;
};

BioPtr reading(ByteSpan bytes);
Result<SecureBytes> to_pkcs8(EVP_PKEY* key);
KeyPtr key_from_pkcs8(ByteSpan pkcs8);

}  // namespace sealgate::pkcs12

// SPDX-License-Identifier: GPL-3.0-or-later
// What crypto/trust_path.cc and crypto/trust_anchors.cc share of libcrypto. Nobody else includes
// this.
#pragma once

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <unordered_map>

#include "core/bytes.h"
#include "crypto/trust_path.h"

namespace sealgate {

struct FreeX509 {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
    void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
    void operator()(STACK_OF(X509) * list) const { sk_X509_free(list); }  // not what is on it
};
using X509Ptr = std::unique_ptr<X509, FreeX509>;
using X509StorePtr = std::unique_ptr<X509_STORE, FreeX509>;

// Null when libcrypto does not read it.
X509Ptr decode_x509(ByteSpan der);

// The store's rule of who issued what.
int trust_is_issued_by(X509_STORE_CTX* context, X509* certificate, X509* issuer);

struct TrustAnchors::State {
    X509StorePtr store;
    // The store's, as values. Held here, too: of two that are equal the store keeps one.
    struct Anchor {
        X509Ptr decoded;
        CertificatePtr value;
    };
    std::unordered_map<const X509*, Anchor> anchors;
    std::size_t count = 0;
};

}  // namespace sealgate

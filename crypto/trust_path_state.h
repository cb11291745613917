// SPDX-License-Identifier: GPL-3.0-or-later
// What crypto/trust_path.cc and crypto/trust_anchors.cc share of libcrypto. Nobody else includes
// this.
#pragma once

#include <memory>
#include <unordered_map>

#include "crypto/trust_library.h"
#include "crypto/trust_path.h"
#include "crypto/trust_path_cache.h"

namespace sealgate {

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
    TrustPathCache found;
};

}  // namespace sealgate

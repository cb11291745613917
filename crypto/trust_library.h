// SPDX-License-Identifier: GPL-3.0-or-later
// libcrypto's objects as owned values, for those parts of trust that are written with it:
// crypto/trust_path*, trust_anchors, trust_crl*, trust_ocsp*. Nobody else includes this. Any
// thread.
#pragma once

#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>

#include "core/bytes.h"

namespace sealgate {

struct FreeX509 {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_CRL* list) const { X509_CRL_free(list); }
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
    void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
    void operator()(STACK_OF(X509) * list) const { sk_X509_free(list); }  // not what is on it
    void operator()(STACK_OF(X509_CRL) * list) const { sk_X509_CRL_free(list); }  // nor here
    void operator()(OCSP_REQUEST* request) const { OCSP_REQUEST_free(request); }
    void operator()(OCSP_RESPONSE* response) const { OCSP_RESPONSE_free(response); }
    void operator()(OCSP_BASICRESP* response) const { OCSP_BASICRESP_free(response); }
    void operator()(OCSP_CERTID* id) const { OCSP_CERTID_free(id); }
    void operator()(CRL_DIST_POINTS* points) const { CRL_DIST_POINTS_free(points); }
    void operator()(AUTHORITY_INFO_ACCESS* access) const { AUTHORITY_INFO_ACCESS_free(access); }
    void operator()(ISSUING_DIST_POINT* point) const { ISSUING_DIST_POINT_free(point); }
    void operator()(ASN1_ENUMERATED* number) const { ASN1_ENUMERATED_free(number); }
};
template <typename Object>
using LibraryPtr = std::unique_ptr<Object, FreeX509>;
using X509Ptr = LibraryPtr<X509>;
using X509StorePtr = LibraryPtr<X509_STORE>;

// Null when libcrypto does not read it.
X509Ptr decode_x509(ByteSpan der);

// Since 1970; 0 when it is none, or not readable.
std::int64_t seconds_of(const ASN1_TIME* time);

// MD5 and older: no signature, whoever made it. SHA-1 is one here, for lists and responders: what
// they say is their authority's own word, and nobody else can have it sign what he likes.
bool has_broken_digest(int signature_nid);

// "keyCompromise"
const char* revocation_reason_text(long code);

}  // namespace sealgate

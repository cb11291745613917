// SPDX-License-Identifier: GPL-3.0-or-later
// What only libcrypto finds in a certificate: the extension of RFC 4262. wolfSSL shows unknown
// extensions only in builds with WOLFSSL_CUSTOM_OID, which ours is not.
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <memory>

#include "crypto/certificate.h"
#include "crypto/smime_capabilities.h"

namespace sealgate {
namespace {

struct FreeX509 {
    void operator()(X509* certificate) const { X509_free(certificate); }
};

}  // namespace

SmimeCapabilities capabilities_of(const Certificate& certificate) {
    const ByteSpan der = certificate.der();
    const unsigned char* at = der.data();
    const std::unique_ptr<X509, FreeX509> decoded(
        d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!decoded) return {};
    const int place = X509_get_ext_by_NID(decoded.get(), NID_SMIMECapabilities, -1);
    if (place < 0) return {};
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(decoded.get(), place));
    const auto parsed = parse_smime_capabilities(
        {ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))});
    return parsed ? *parsed : SmimeCapabilities();
}

}  // namespace sealgate

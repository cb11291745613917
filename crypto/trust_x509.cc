// SPDX-License-Identifier: GPL-3.0-or-later
// What only libcrypto finds in a certificate: the extension of RFC 4262. wolfSSL shows unknown
// extensions only in builds with WOLFSSL_CUSTOM_OID, which ours is not.
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "crypto/certificate.h"
#include "crypto/smime_capabilities.h"
#include "crypto/trust_library.h"

namespace sealgate {

SmimeCapabilities capabilities_of(const Certificate& certificate) {
    const X509Ptr decoded = decode_x509(certificate.der());
    if (!decoded) return {};
    const int place = X509_get_ext_by_NID(decoded.get(), NID_SMIMECapabilities, -1);
    if (place < 0) return {};
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(decoded.get(), place));
    const auto parsed = parse_smime_capabilities(
        {ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))});
    return parsed ? *parsed : SmimeCapabilities();
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/trust_library.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include <ctime>

namespace sealgate {

X509Ptr decode_x509(ByteSpan der) {
    const unsigned char* at = der.data();
    X509Ptr decoded(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    return decoded;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (!time || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    return timegm(&parts);
}

bool has_broken_digest(int signature_nid) {
    constexpr int sha1_bytes = 20;
    int digest_nid = NID_undef;
    // RSASSA-PSS and EdDSA name no digest here; they came after SHA-1.
    if (OBJ_find_sigid_algs(signature_nid, &digest_nid, nullptr) != 1) return true;
    const EVP_MD* digest = EVP_get_digestbynid(digest_nid);
    return digest && EVP_MD_get_size(digest) < sha1_bytes;
}

const char* revocation_reason_text(long code) { return OCSP_crl_reason_str(code); }

}  // namespace sealgate

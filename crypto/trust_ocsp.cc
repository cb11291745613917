// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/trust_ocsp.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>

#include "core/limits.h"
#include "core/result.h"
#include "crypto/trust_library.h"

namespace sealgate {
namespace {

using Status = RevocationAnswer::Status;

OcspAnswer unknown(std::string why) { return {{Status::unknown, std::move(why)}, 0}; }

LibraryPtr<OCSP_CERTID> id_of(const X509* certificate, const X509* issuer) {
    return LibraryPtr<OCSP_CERTID>(OCSP_cert_to_id(EVP_sha1(), certificate, issuer));
}

// The issuer alone is believed, and whom it made a responder.
bool is_signed(OCSP_BASICRESP* response, X509* issuer, std::int64_t wall_seconds) {
    const X509_ALGOR* algorithm = OCSP_resp_get0_tbs_sigalg(response);
    if (has_broken_digest(OBJ_obj2nid(algorithm->algorithm))) return false;
    const X509StorePtr store(X509_STORE_new());
    const LibraryPtr<STACK_OF(X509)> signers(sk_X509_new_null());
    CHECK(store && signers && X509_STORE_add_cert(store.get(), issuer) == 1 &&
          sk_X509_push(signers.get(), issuer) > 0);
    X509_VERIFY_PARAM* parameters = X509_STORE_get0_param(store.get());
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(wall_seconds));
    X509_VERIFY_PARAM_set_auth_level(parameters, 0);  // see has_broken_digest()
    return OCSP_basic_verify(response, signers.get(), store.get(), OCSP_NOEXPLICIT) == 1;
}

OcspAnswer status_of(OCSP_BASICRESP* response, OCSP_CERTID* id, std::int64_t wall_seconds) {
    int status = -1, reason = -1;
    ASN1_GENERALIZEDTIME *revoked_at = nullptr, *this_update = nullptr, *next_update = nullptr;
    if (OCSP_resp_find_status(response, id, &status, &reason, &revoked_at, &this_update,
                              &next_update) != 1)
        return unknown("its responder answers for another certificate");
    const std::int64_t since = seconds_of(this_update);
    const std::int64_t until =
        next_update ? seconds_of(next_update) : since + ocsp_kept_seconds_max;
    if (since > wall_seconds + ocsp_skew_seconds)
        return unknown("its responder's answer is of the future");
    if (until < wall_seconds - ocsp_skew_seconds)
        return unknown("its responder's answer is out of date");
    switch (status) {
    case V_OCSP_CERTSTATUS_GOOD: return {{Status::good, ""}, until};
    case V_OCSP_CERTSTATUS_REVOKED: break;
    default: return unknown("its responder does not know it");
    }
    const std::int64_t when = seconds_of(revoked_at);
    if (when > wall_seconds) return {{Status::good, ""}, std::min(until, when)};
    const std::string why =
        reason < 0 ? "" : std::string(" (") + revocation_reason_text(reason) + ")";
    return {{Status::revoked, "revoked" + why + ", says its responder"}, until};
}

}  // namespace

Bytes ocsp_request(const Certificate& certificate, const Certificate& issuer) {
    const X509Ptr subject = decode_x509(certificate.der());
    const X509Ptr authority = decode_x509(issuer.der());
    if (!subject || !authority) return {};
    LibraryPtr<OCSP_CERTID> id = id_of(subject.get(), authority.get());
    const LibraryPtr<OCSP_REQUEST> request(OCSP_REQUEST_new());
    CHECK(request != nullptr);
    if (!id || !OCSP_request_add0_id(request.get(), id.get())) return {};
    static_cast<void>(id.release());  // the request's now
    Bytes der(static_cast<std::size_t>(std::max(0, i2d_OCSP_REQUEST(request.get(), nullptr))));
    unsigned char* at = der.data();
    i2d_OCSP_REQUEST(request.get(), &at);
    return der;
}

OcspAnswer read_ocsp_answer(ByteSpan der, const Certificate& certificate, const Certificate& issuer,
                            std::int64_t wall_seconds) {
    if (der.size() > limits::ocsp_answer_bytes_max) return unknown("its responder says too much");
    const X509Ptr subject = decode_x509(certificate.der());
    const X509Ptr authority = decode_x509(issuer.der());
    if (!subject || !authority) return unknown("libcrypto does not read the certificate");
    const unsigned char* at = der.data();
    const LibraryPtr<OCSP_RESPONSE> response(
        d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
    OcspAnswer answer = unknown("its responder's answer cannot be read");
    if (response) {
        const int status = OCSP_response_status(response.get());
        const LibraryPtr<OCSP_BASICRESP> basic(OCSP_response_get1_basic(response.get()));
        const LibraryPtr<OCSP_CERTID> id = id_of(subject.get(), authority.get());
        if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
            answer = unknown(std::string("its responder says ") + OCSP_response_status_str(status));
        else if (basic && id)
            answer = is_signed(basic.get(), authority.get(), wall_seconds)
                         ? status_of(basic.get(), id.get(), wall_seconds)
                         : unknown("its responder's answer is not its issuer's");
    }
    ERR_clear_error();
    return answer;
}

}  // namespace sealgate

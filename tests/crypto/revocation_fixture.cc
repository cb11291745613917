// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/revocation_fixture.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "core/result.h"
#include "crypto/pem.h"
#include "crypto/trust_library.h"

namespace sealgate::test {
namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using TimePtr = std::unique_ptr<ASN1_TIME, void (*)(ASN1_TIME*)>;

KeyPtr read_key(const std::string& path) {
    const std::unique_ptr<BIO, int (*)(BIO*)> file(BIO_new_file(path.c_str(), "r"), BIO_free);
    KeyPtr key(file ? PEM_read_bio_PrivateKey(file.get(), nullptr, nullptr, nullptr) : nullptr,
               EVP_PKEY_free);
    EXPECT_TRUE(key) << path;
    return key;
}

TimePtr from_now(std::int64_t seconds) {
    return TimePtr(ASN1_TIME_set(nullptr, std::time(nullptr) + seconds), ASN1_TIME_free);
}

void add_entry(X509_CRL* list, const CrlEntry& entry) {
    const X509Ptr certificate = decode_x509(entry.certificate->der());
    X509_REVOKED* revoked = X509_REVOKED_new();
    CHECK(X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(certificate.get())) == 1);
    CHECK(X509_REVOKED_set_revocationDate(revoked, from_now(entry.since).get()) == 1);
    if (entry.reason >= 0) {
        const LibraryPtr<ASN1_ENUMERATED> reason(ASN1_ENUMERATED_new());
        CHECK(ASN1_ENUMERATED_set(reason.get(), entry.reason) == 1);
        CHECK(X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, reason.get(), 0, 0) == 1);
    }
    CHECK(X509_CRL_add0_revoked(list, revoked) == 1);
}

void add_extensions(X509_CRL* list, X509* issuer, const CrlPlan& plan) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, nullptr, nullptr, list, 0);
    auto extensions = plan.extensions;
    // RFC 5280 §5.2.1 asks for it; an issuer without a key identifier has none to give.
    if (X509_get0_subject_key_id(issuer))
        extensions.emplace_back("authorityKeyIdentifier", "keyid");
    for (const auto& [name, value] : extensions) {
        X509_EXTENSION* extension =
            X509V3_EXT_nconf(nullptr, &context, name.c_str(), value.c_str());
        ASSERT_TRUE(extension) << name << " = " << value;
        CHECK(X509_CRL_add_ext(list, extension, -1) == 1);
        X509_EXTENSION_free(extension);
    }
    const auto add_number = [&](int nid, std::int64_t value, int critical) {
        const std::unique_ptr<ASN1_INTEGER, void (*)(ASN1_INTEGER*)> number(ASN1_INTEGER_new(),
                                                                            ASN1_INTEGER_free);
        CHECK(ASN1_INTEGER_set_int64(number.get(), value) == 1);
        CHECK(X509_CRL_add1_ext_i2d(list, nid, number.get(), critical, 0) == 1);
    };
    if (plan.number > 0) add_number(NID_crl_number, plan.number, 0);
    if (plan.delta_of > 0) add_number(NID_delta_crl, plan.delta_of, 1);
}

template <typename Object>
Bytes to_der(Object* object, int (*encode)(const Object*, unsigned char**)) {
    Bytes der(static_cast<std::size_t>(encode(object, nullptr)));
    unsigned char* at = der.data();
    encode(object, &at);
    return der;
}

}  // namespace

Bytes make_crl(Authority& authority, const CrlPlan& plan) {
    return make_crl(*authority.certificate(plan.issuer),
                    authority.key(plan.signer.empty() ? plan.issuer : plan.signer), plan);
}

Bytes make_crl(const Certificate& issuer_certificate, const std::string& key_file,
               const CrlPlan& plan) {
    const X509Ptr issuer = decode_x509(issuer_certificate.der());
    const KeyPtr key = read_key(key_file);
    const LibraryPtr<X509_CRL> list(X509_CRL_new());
    CHECK(X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) == 1);
    CHECK(X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.get())) == 1);
    CHECK(X509_CRL_set1_lastUpdate(list.get(), from_now(plan.this_update).get()) == 1);
    if (plan.next_update != 0)
        CHECK(X509_CRL_set1_nextUpdate(list.get(), from_now(plan.next_update).get()) == 1);
    for (const CrlEntry& entry : plan.entries) add_entry(list.get(), entry);
    X509_CRL_sort(list.get());
    add_extensions(list.get(), issuer.get(), plan);
    EXPECT_GT(X509_CRL_sign(list.get(), key.get(), EVP_get_digestbyname(plan.digest)), 0);
    return to_der<X509_CRL>(list.get(), i2d_X509_CRL);
}

RevocationListPtr make_list(Authority& authority, const CrlPlan& plan) {
    auto list = RevocationList::parse(make_crl(authority, plan));
    EXPECT_TRUE(list) << list.error().what;
    return list ? *list : nullptr;
}

std::string to_pem(const char* label, ByteSpan der) {
    return std::string(as_text(write_pem(label, der).bytes()));
}

Bytes make_ocsp_answer(Authority& authority, const OcspPlan& plan) {
    const X509Ptr certificate = decode_x509(plan.certificate->der());
    const X509Ptr issuer = decode_x509(plan.issuer->der());
    const X509Ptr signer = decode_x509(authority.certificate(plan.signer)->der());
    const KeyPtr key = read_key(authority.key(plan.signer));
    const LibraryPtr<OCSP_CERTID> id(OCSP_cert_to_id(EVP_sha1(), certificate.get(), issuer.get()));
    const LibraryPtr<OCSP_BASICRESP> basic(OCSP_BASICRESP_new());
    const TimePtr since = from_now(plan.since), this_update = from_now(plan.this_update),
                  next_update = from_now(plan.next_update);
    EXPECT_TRUE(OCSP_basic_add1_status(
        basic.get(), id.get(), static_cast<int>(plan.status), plan.reason,
        plan.status == OcspPlan::Status::revoked ? since.get() : nullptr, this_update.get(),
        plan.next_update != 0 ? next_update.get() : nullptr));
    EXPECT_EQ(
        OCSP_basic_sign(basic.get(), signer.get(), key.get(), EVP_get_digestbyname(plan.digest),
                        nullptr, plan.with_certificate ? 0 : OCSP_NOCERTS),
        1);
    const LibraryPtr<OCSP_RESPONSE> response(
        OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
    return to_der<OCSP_RESPONSE>(response.get(), i2d_OCSP_RESPONSE);
}

}  // namespace sealgate::test

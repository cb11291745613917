// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/trust_cms.h"

#include <openssl/err.h>

#include <climits>

#include "crypto/trust_cms_internal.h"

namespace sealgate {
namespace cms_judge {
namespace {

CmsVerdict not_ok(std::string why) {
    CmsVerdict verdict;
    verdict.why = std::move(why);
    return verdict;
}

void describe_signers(CMS_ContentInfo* cms, CmsVerdict& verdict) {
    STACK_OF(CMS_SignerInfo)* infos = CMS_get0_SignerInfos(cms);
    for (int i = 0; i < sk_CMS_SignerInfo_num(infos); ++i) {
        EVP_PKEY* key = nullptr;
        X509* certificate = nullptr;
        X509_ALGOR* digest = nullptr;
        X509_ALGOR* signature = nullptr;
        CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(infos, i), &key, &certificate, &digest,
                                 &signature);
        verdict.signers.push_back(subject_of(certificate));
        if (i > 0) continue;
        verdict.digest = algorithm_name(digest);
        verdict.signature = algorithm_name(signature);
    }
}

}  // namespace

// The oldest error, which is nearest to the cause, and the newest.
std::string library_errors(const char* otherwise) {
    std::string text = otherwise;
    char line[256];
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
        ERR_error_string_n(code, line, sizeof line);
        text += std::string("; ") + line;
    }
    return text;
}

BioPtr reading(std::string_view text) {
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO* memory) {
    char* text = nullptr;
    const long length = BIO_get_mem_data(memory, &text);
    return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

std::string algorithm_name(const X509_ALGOR* algorithm) {
    const ASN1_OBJECT* object = nullptr;
    X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
    const char* name = OBJ_nid2sn(OBJ_obj2nid(object));
    return name != nullptr ? name : "";
}

std::string subject_of(X509* certificate) {
    if (certificate == nullptr) return "(certificate missing)";
    const BioPtr out(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0,
                       XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
    return text_of(out.get());
}

StorePtr open_store(const std::string& ca_file) {
    StorePtr store(X509_STORE_new());
    if (store && X509_STORE_load_file(store.get(), ca_file.c_str()) != 1) return nullptr;
    return store;
}

CmsVerdict verify_cms(CMS_ContentInfo* cms, std::string_view content, X509_STORE* trusted) {
    CmsVerdict verdict;
    verdict.detached = CMS_is_detached(cms) == 1;
    const BioPtr detached = verdict.detached ? reading(content) : nullptr;
    const BioPtr out(BIO_new(BIO_s_mem()));
    const StorePtr empty(trusted ? nullptr : X509_STORE_new());
    // CMS_BINARY: the bytes are as they are, no line end is touched.
    const unsigned flags = CMS_BINARY | (trusted ? 0U : CMS_NO_SIGNER_CERT_VERIFY);
    verdict.ok = CMS_verify(cms, nullptr, trusted ? trusted : empty.get(), detached.get(),
                            out.get(), flags) == 1;
    if (!verdict.ok) verdict.why = library_errors("the signature does not verify");
    describe_signers(cms, verdict);
    if (verdict.ok) verdict.content = text_of(out.get());
    ERR_clear_error();
    return verdict;
}

}  // namespace cms_judge

using namespace cms_judge;

CmsVerdict verify_signed_data(std::string_view der, std::string_view content,
                              const std::string& ca_file) {
    ERR_clear_error();
    if (der.size() > INT_MAX || content.size() > INT_MAX) return not_ok("larger than 2 GB");
    const BioPtr in = reading(der);
    const CmsPtr cms(d2i_CMS_bio(in.get(), nullptr));
    if (!cms) return not_ok(library_errors("not a CMS structure"));
    if (OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed)
        return not_ok("a CMS structure, but not SignedData");
    StorePtr store;
    if (!ca_file.empty()) {
        store = open_store(ca_file);
        if (!store) return not_ok(library_errors("the CA file cannot be read"));
    }
    return verify_cms(cms.get(), content, store.get());
}

CmsVerdict verify_signed_mail(std::string_view message, const std::string& ca_file) {
    const Entity root = split_entity(message);
    if (is_multipart_signed(root)) {
        std::string why;
        const auto parts = split_signed(root, why);
        if (!parts) return not_ok(why);
        return verify_signed_data(parts->cms, parts->content, ca_file);
    }
    if (!is_pkcs7_mime(root)) {
        return not_ok(
            "not an S/MIME message: the root is neither multipart/signed nor "
            "application/pkcs7-mime");
    }
    const auto cms = carried_cms(root);
    if (!cms) return not_ok("the body is not base64");
    return verify_signed_data(*cms, "", ca_file);
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/trust_cms.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include <climits>
#include <memory>
#include <optional>

#include "core/text.h"

namespace sealgate {
namespace {

template <auto Free>
struct Deleter {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using CmsPtr = std::unique_ptr<CMS_ContentInfo, Deleter<CMS_ContentInfo_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;

CmsVerdict not_ok(std::string why) {
    CmsVerdict verdict;
    verdict.why = std::move(why);
    return verdict;
}

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

bool starts_without_case(std::string_view text, std::string_view with) {
    return equal_ignoring_case(text.substr(0, with.size()), with);
}

std::size_t find_without_case(std::string_view text, std::string_view what) {
    for (std::size_t at = 0; at + what.size() <= text.size(); ++at) {
        if (starts_without_case(text.substr(at), what)) return at;
    }
    return std::string_view::npos;
}

struct Entity {
    std::string content_type;  // unfolded
    std::string_view body;
};

// The header up to the blank line, with CRLF or LF; only Content-Type is looked for.
Entity split_entity(std::string_view text) {
    Entity entity;
    std::string* field = nullptr;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        std::string_view line = text.substr(at, end - at);
        at = end == std::string_view::npos ? text.size() : end + 1;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty()) {
            entity.body = text.substr(at);
            break;
        }
        if (line.front() == ' ' || line.front() == '\t') {
            if (field != nullptr) *field += line;
            continue;
        }
        field = nullptr;
        constexpr std::string_view name = "Content-Type:";
        if (starts_without_case(line, name)) {
            entity.content_type = line.substr(name.size());
            field = &entity.content_type;
        }
    }
    return entity;
}

std::optional<std::string> boundary_of(const std::string& content_type) {
    constexpr std::string_view name = "boundary=";
    const std::size_t at = find_without_case(content_type, name);
    if (at == std::string::npos) return std::nullopt;
    const std::string_view value = std::string_view(content_type).substr(at + name.size());
    if (!value.empty() && value.front() == '"') {
        return std::string(value.substr(1, value.find('"', 1) - 1));
    }
    return std::string(value.substr(0, value.find_first_of("; \t")));
}

struct DelimiterLine {
    std::size_t content_end = 0;  // the line end before the delimiter is the delimiter's
    std::size_t next = 0;         // after the delimiter's own line end
};

// RFC 2046 §5.1.1: CRLF "--" boundary, then blanks to the end of the line.
std::optional<DelimiterLine> find_delimiter(std::string_view body, std::size_t from,
                                            const std::string& boundary) {
    const std::string wanted = "--" + boundary;
    for (std::size_t at = from; (at = body.find(wanted, at)) != std::string_view::npos; ++at) {
        if (at != 0 && body[at - 1] != '\n') continue;
        const std::size_t end = body.find('\n', at);
        std::string_view rest = body.substr(at + wanted.size(), end - at - wanted.size());
        if (rest.substr(0, 2) == "--") rest.remove_prefix(2);
        if (rest.find_first_not_of(" \t\r") != std::string_view::npos) continue;
        DelimiterLine line;
        line.next = end == std::string_view::npos ? body.size() : end + 1;
        line.content_end = at;
        if (line.content_end > 0) --line.content_end;
        if (line.content_end > 0 && body[line.content_end - 1] == '\r') --line.content_end;
        return line;
    }
    return std::nullopt;
}

std::optional<std::string> decode_base64(std::string_view text) {
    std::string packed;
    packed.reserve(text.size());
    for (const char c : text) {
        if (c != '\r' && c != '\n' && c != ' ' && c != '\t') packed += c;
    }
    if (packed.empty() || packed.size() % 4 != 0 || packed.size() > INT_MAX) return std::nullopt;
    std::string decoded(packed.size() / 4 * 3, '\0');
    const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                       reinterpret_cast<const unsigned char*>(packed.data()),
                                       static_cast<int>(packed.size()));
    if (length < 0) return std::nullopt;
    const std::size_t padding = packed.ends_with("==") ? 2 : packed.ends_with("=") ? 1 : 0;
    decoded.resize(static_cast<std::size_t>(length) - padding);
    return decoded;
}

BioPtr reading(std::string_view text) {
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
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
    char* text = nullptr;
    const long length = BIO_get_mem_data(out.get(), &text);
    return std::string(text, static_cast<std::size_t>(length));
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

StorePtr open_store(const std::string& ca_file) {
    StorePtr store(X509_STORE_new());
    if (store && !ca_file.empty() && X509_STORE_load_file(store.get(), ca_file.c_str()) != 1) {
        return nullptr;
    }
    return store;
}

CmsVerdict verify_detached(const Entity& root, const std::string& ca_file) {
    const auto boundary = boundary_of(root.content_type);
    if (!boundary || boundary->empty()) return not_ok("multipart/signed without a boundary");
    const auto first = find_delimiter(root.body, 0, *boundary);
    if (!first) return not_ok("multipart/signed without a part");
    const auto second = find_delimiter(root.body, first->next, *boundary);
    if (!second) return not_ok("multipart/signed without a second part");
    const auto last = find_delimiter(root.body, second->next, *boundary);
    if (!last) return not_ok("multipart/signed that does not end");
    const std::string_view content =
        root.body.substr(first->next, second->content_end - first->next);
    const Entity part =
        split_entity(root.body.substr(second->next, last->content_end - second->next));
    if (find_without_case(part.content_type, "pkcs7-signature") == std::string::npos) {
        return not_ok("the second part is no application/pkcs7-signature");
    }
    const auto cms = decode_base64(part.body);
    if (!cms) return not_ok("the signature is not base64");
    return verify_signed_data(*cms, content, ca_file);
}

}  // namespace

CmsVerdict verify_signed_data(std::string_view der, std::string_view content,
                              const std::string& ca_file) {
    ERR_clear_error();
    if (der.size() > INT_MAX || content.size() > INT_MAX) return not_ok("larger than 2 GB");
    const BioPtr in = reading(der);
    const CmsPtr cms(d2i_CMS_bio(in.get(), nullptr));
    if (!cms) return not_ok(library_errors("not a CMS structure"));
    if (OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed) {
        return not_ok("a CMS structure, but not SignedData");
    }
    CmsVerdict verdict;
    verdict.detached = CMS_is_detached(cms.get()) == 1;
    const StorePtr store = open_store(ca_file);
    if (!store) return not_ok(library_errors("the CA file cannot be read"));
    const BioPtr detached = verdict.detached ? reading(content) : nullptr;
    const BioPtr out(BIO_new(BIO_s_mem()));
    // CMS_BINARY: the bytes are as they are, no line end is touched.
    const unsigned flags = CMS_BINARY | (ca_file.empty() ? CMS_NO_SIGNER_CERT_VERIFY : 0U);
    verdict.ok = CMS_verify(cms.get(), nullptr, store.get(), detached.get(), out.get(), flags) == 1;
    if (!verdict.ok) verdict.why = library_errors("the signature does not verify");
    describe_signers(cms.get(), verdict);
    if (verdict.ok) {
        char* text = nullptr;
        const long length = BIO_get_mem_data(out.get(), &text);
        if (length > 0) verdict.content.assign(text, static_cast<std::size_t>(length));
    }
    ERR_clear_error();
    return verdict;
}

CmsVerdict verify_signed_mail(std::string_view message, const std::string& ca_file) {
    const Entity root = split_entity(message);
    std::string_view type = root.content_type;
    type.remove_prefix(std::min(type.find_first_not_of(" \t"), type.size()));
    if (starts_without_case(type, "multipart/signed")) return verify_detached(root, ca_file);
    if (!starts_without_case(type, "application/pkcs7-mime") &&
        !starts_without_case(type, "application/x-pkcs7-mime")) {
        return not_ok(
            "not an S/MIME message: the root is neither multipart/signed nor "
            "application/pkcs7-mime");
    }
    const auto cms = decode_base64(root.body);
    if (!cms) return not_ok("the body is not base64");
    return verify_signed_data(*cms, "", ca_file);
}

}  // namespace sealgate

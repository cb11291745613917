// SPDX-License-Identifier: GPL-3.0-or-later
// What crypto/trust_cms* and crypto/trust_judge* share of libcrypto and of MIME. Nobody else
// includes this.
#pragma once

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/c_object.h"
#include "crypto/trust_cms.h"

namespace sealgate::cms_judge {

using BioPtr = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using CmsPtr = std::unique_ptr<CMS_ContentInfo, FreedBy<CMS_ContentInfo_free>>;
using StorePtr = std::unique_ptr<X509_STORE, FreedBy<X509_STORE_free>>;
using X509Ptr = std::unique_ptr<X509, FreedBy<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;

// The oldest error, which is nearest to the cause, up to the newest; empties libcrypto's queue.
std::string library_errors(const char* otherwise);
BioPtr reading(std::string_view text);
std::string text_of(BIO* memory);
std::string algorithm_name(const X509_ALGOR* algorithm);  // "SHA256"
std::string subject_of(X509* certificate);

struct Entity {
    std::string content_type;       // unfolded
    std::string transfer_encoding;  // unfolded
    std::string_view body;
};
// The header up to the blank line, with CRLF or LF.
Entity split_entity(std::string_view text);
bool is_multipart_signed(const Entity& entity);
bool is_pkcs7_mime(const Entity& entity);

// The two parts of a multipart/signed; `why` says what is wrong when there are none.
struct SignedDataParts {
    std::string_view content;  // as it was signed
    std::string cms;
};
std::optional<SignedDataParts> split_signed(const Entity& root, std::string& why);
// The CMS that an application/pkcs7-mime carries.
std::optional<std::string> carried_cms(const Entity& entity);

// `trusted`: null: the chain is not looked at. `content`: what was signed, when it is detached.
CmsVerdict verify_cms(CMS_ContentInfo* cms, std::string_view content, X509_STORE* trusted);
// Null when the file cannot be read.
StorePtr open_store(const std::string& ca_file);

}  // namespace sealgate::cms_judge

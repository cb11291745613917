// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/trust_judge.h"

#include <openssl/err.h>

#include <climits>

#include "core/text.h"
#include "crypto/trust_judge_state.h"

namespace sealgate {
namespace {

using namespace cms_judge;

constexpr std::size_t layers_max = 5;  // as the gateway itself reads them

std::string hex_of(const ASN1_STRING* bytes) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string hex;
    for (int i = 0; i < ASN1_STRING_length(bytes); ++i) {
        const unsigned char byte = ASN1_STRING_get0_data(bytes)[i];
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
    }
    return hex;
}

std::string id_text(const X509_NAME* issuer, const ASN1_INTEGER* serial,
                    const ASN1_OCTET_STRING* key_id) {
    if (key_id) return "key identifier " + hex_of(key_id);
    if (!issuer || !serial) return "somebody";
    const BioPtr out(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(out.get(), issuer, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
    return "issuer " + text_of(out.get()) + ", serial " + hex_of(serial);
}

// One RecipientInfo, or one key of a KeyAgreeRecipientInfo, which may hold several.
struct Slot {
    CMS_RecipientInfo* info = nullptr;
    CMS_RecipientEncryptedKey* key = nullptr;  // of key agreement
};

std::vector<Slot> slots_of(CMS_ContentInfo* cms) {
    std::vector<Slot> slots;
    STACK_OF(CMS_RecipientInfo)* infos = CMS_get0_RecipientInfos(cms);
    for (int i = 0; i < sk_CMS_RecipientInfo_num(infos); ++i) {
        CMS_RecipientInfo* info = sk_CMS_RecipientInfo_value(infos, i);
        if (CMS_RecipientInfo_type(info) != CMS_RECIPINFO_AGREE) {
            slots.push_back({info, nullptr});
            continue;
        }
        STACK_OF(CMS_RecipientEncryptedKey)* keys = CMS_RecipientInfo_kari_get0_reks(info);
        for (int j = 0; j < sk_CMS_RecipientEncryptedKey_num(keys); ++j)
            slots.push_back({info, sk_CMS_RecipientEncryptedKey_value(keys, j)});
    }
    return slots;
}

bool is_for(const Slot& slot, X509* certificate) {
    if (slot.key) return CMS_RecipientEncryptedKey_cert_cmp(slot.key, certificate) == 0;
    return CMS_RecipientInfo_type(slot.info) == CMS_RECIPINFO_TRANS &&
           CMS_RecipientInfo_ktri_cert_cmp(slot.info, certificate) == 0;
}

std::string id_of(const Slot& slot) {
    ASN1_OCTET_STRING* key_id = nullptr;
    X509_NAME* issuer = nullptr;
    ASN1_INTEGER* serial = nullptr;
    if (slot.key) {
        CMS_RecipientEncryptedKey_get0_id(slot.key, &key_id, nullptr, nullptr, &issuer, &serial);
    } else if (CMS_RecipientInfo_type(slot.info) == CMS_RECIPINFO_TRANS) {
        CMS_RecipientInfo_ktri_get0_signer_id(slot.info, &key_id, &issuer, &serial);
    } else {
        return "whoever has a shared secret";  // KEKRecipientInfo, PasswordRecipientInfo
    }
    return id_text(issuer, serial, key_id);
}

// libcrypto says which cipher it is only once it stands ready to decrypt.
std::string cipher_of(BIO* content) {
    BIO* filter = BIO_find_type(content, BIO_TYPE_CIPHER);
    EVP_CIPHER_CTX* context = nullptr;
    if (!filter || BIO_get_cipher_ctx(filter, &context) != 1 || !context) return "";
    const char* name = EVP_CIPHER_get0_name(EVP_CIPHER_CTX_get0_cipher(context));
    return name ? lower_case(std::string_view(name)) : "";
}

// As CMS_decrypt() does it: padding or tag is known only when all has been read.
bool read_all(BIO* content, std::string& out) {
    std::string block(64 * 1024, '\0');
    for (;;) {
        const int bytes = BIO_read(content, block.data(), static_cast<int>(block.size()));
        if (bytes > 0) {
            out.append(block, 0, static_cast<std::size_t>(bytes));
            continue;
        }
        BIO* filter = BIO_find_type(content, BIO_TYPE_CIPHER);
        return bytes == 0 && filter && BIO_get_cipher_status(filter) > 0;
    }
}

// `why` empty: it is open.
std::string open_with(CMS_ContentInfo* cms, const KnownCertificate& opener, CmsLayer& layer) {
    // Without CMS_DEBUG_DECRYPT, a wrong key would be answered with another key, made up, and no
    // error.
    CMS_decrypt(cms, nullptr, nullptr, nullptr, nullptr, CMS_DEBUG_DECRYPT);
    if (CMS_decrypt_set1_pkey(cms, opener.key, opener.certificate.get()) != 1)
        return library_errors("its content key does not open");
    const BioPtr content(CMS_dataInit(cms, nullptr));
    if (!content) return library_errors("it cannot be decrypted");
    layer.cipher = cipher_of(content.get());
    std::string text;
    if (!read_all(content.get(), text)) return library_errors("it does not decrypt");
    layer.content = std::move(text);
    layer.opened_by = opener.names;
    return "";
}

std::string open_encrypted(CMS_ContentInfo* cms, const std::vector<KnownCertificate>& known,
                           CmsLayer& layer) {
    const KnownCertificate* opener = nullptr;
    for (const Slot& slot : slots_of(cms)) {
        CmsRecipient recipient;
        recipient.id = id_of(slot);
        for (const KnownCertificate& one : known) {
            if (!is_for(slot, one.certificate.get())) continue;
            recipient.names = one.names;
            if (one.key && !opener) opener = &one;
            break;
        }
        layer.recipients.push_back(std::move(recipient));
    }
    if (!opener) return "encrypted, and for none of the keys here";
    return open_with(cms, *opener, layer);
}

std::string verify_layer(CMS_ContentInfo* cms, std::string_view content, X509_STORE* trusted,
                         CmsLayer& layer) {
    CmsVerdict verdict = verify_cms(cms, content, trusted);
    layer.detached = verdict.detached;
    layer.signers = std::move(verdict.signers);
    layer.digest = std::move(verdict.digest);
    layer.signature = std::move(verdict.signature);
    layer.content = std::move(verdict.content);
    return verdict.why;
}

}  // namespace

CmsJudge::CmsJudge() : state_(std::make_unique<State>()) {}

CmsJudge::~CmsJudge() = default;

Result<void> CmsJudge::trust(const std::string& file) {
    state_->trusted = open_store(file);
    ERR_clear_error();
    if (!state_->trusted) return malformed("no certificates in PEM");
    return {};
}

// `why` empty: the layer is open, and what is in it is its content.
std::string CmsJudge::State::open_layer(const cms_judge::Entity& root, CmsLayer& layer) const {
    std::string why;
    std::string_view content;
    std::optional<std::string> der;
    layer.detached = is_multipart_signed(root);
    if (layer.detached) {
        auto parts = split_signed(root, why);
        if (!parts) return why;
        content = parts->content;
        der = std::move(parts->cms);
    } else {
        der = carried_cms(root);
        if (!der) return "the body is not base64";
    }
    const BioPtr in = reading(*der);
    const CmsPtr cms(d2i_CMS_bio(in.get(), nullptr));
    if (!cms) return library_errors("not a CMS structure");
    switch (OBJ_obj2nid(CMS_get0_type(cms.get()))) {
    case NID_pkcs7_signed: return verify_layer(cms.get(), content, trusted.get(), layer);
    case NID_pkcs7_enveloped:
    case NID_id_smime_ct_authEnvelopedData:
        if (layer.detached) return "the signature is no SignedData";
        layer.kind = CmsLayer::Kind::encrypted;
        return open_encrypted(cms.get(), known, layer);
    default: return "a CMS structure, but neither signed nor encrypted";
    }
}

OpenedMail CmsJudge::open(std::string_view message) const {
    OpenedMail mail;
    if (message.size() > INT_MAX) {
        mail.why = "larger than 2 GB";
        return mail;
    }
    mail.layers.reserve(layers_max);  // each looks at the content of the one before
    std::string_view entity = message;
    while (mail.why.empty()) {
        const Entity root = split_entity(entity);
        if (!is_multipart_signed(root) && !is_pkcs7_mime(root)) break;
        if (mail.layers.size() == layers_max) {
            mail.why = "more layers than anybody makes";
            break;
        }
        ERR_clear_error();
        CmsLayer& layer = mail.layers.emplace_back();
        mail.why = state_->open_layer(root, layer);
        entity = layer.content;
    }
    ERR_clear_error();
    mail.ok = mail.why.empty();
    return mail;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/cms_reader_shapes.h"

#include "crypto/ber_writer.h"

namespace sealgate {
namespace {

using Order = CmsShape::Order;
constexpr auto required = CmsSlot::Presence::required;
constexpr auto optional = CmsSlot::Presence::optional;
constexpr auto pass_over = CmsSlot::Then::pass_over;
constexpr auto enter = CmsSlot::Then::enter;
constexpr auto enter_type = CmsSlot::Then::enter_type;
constexpr auto gather = CmsSlot::Then::gather;
constexpr auto stream = CmsSlot::Then::stream;
constexpr auto malformed_kind = ErrorKind::malformed;

constexpr std::uint8_t primitive_context_0 = 0x80;
constexpr CmsPart none = CmsPart::none;

// clang-format off

// --- parts of several types ----------------------------------------------------------------------

constexpr CmsSlot certificates_slots[] = {  // RFC 5652 §10.2.2, §10.2.3
    {ber::sequence,   optional, gather,    CmsPart::certificate},
    {ber::context(0), optional, pass_over},  // ExtendedCertificate of PKCS#6
    {ber::context(1), optional, pass_over},  // AttributeCertificateV1
    {ber::context(2), optional, pass_over},  // AttributeCertificateV2
    {ber::context(3), optional, pass_over},  // OtherCertificateFormat
};
constexpr CmsShape certificates = {
    "CMS CertificateSet of another shape", malformed_kind, Order::set, certificates_slots};

constexpr CmsSlot crls_slots[] = {  // RFC 5652 §10.2.1
    {ber::sequence,   optional, gather,    CmsPart::crl},
    {ber::context(1), optional, pass_over},  // OtherRevocationInfoFormat
};
constexpr CmsShape crls = {
    "CMS RevocationInfoChoices of another shape", malformed_kind, Order::set, crls_slots};

constexpr CmsSlot originator_info_slots[] = {  // RFC 5652 §6.1
    {ber::context(0), optional, enter, none, &certificates},
    {ber::context(1), optional, enter, none, &crls},
};
constexpr CmsShape originator_info = {
    "CMS OriginatorInfo of another shape", malformed_kind, Order::sequence, originator_info_slots};

constexpr CmsSlot recipient_infos_slots[] = {  // RFC 5652 §6.2
    {ber::sequence,   optional, gather, CmsPart::recipient_info},  // KeyTransRecipientInfo
    {ber::context(1), optional, gather, CmsPart::recipient_info},  // KeyAgreeRecipientInfo
    {ber::context(2), optional, gather, CmsPart::recipient_info},  // KEKRecipientInfo
    {ber::context(3), optional, gather, CmsPart::recipient_info},  // PasswordRecipientInfo
    {ber::context(4), optional, gather, CmsPart::recipient_info},  // OtherRecipientInfo
};
constexpr CmsShape recipient_infos = {
    "CMS RecipientInfos of another shape", malformed_kind, Order::set, recipient_infos_slots};

constexpr CmsSlot encrypted_content_info_slots[] = {  // RFC 5652 §6.1: [0] IMPLICIT OCTET STRING
    {ber::object_identifier,  required, gather, CmsPart::content_type},
    {ber::sequence,           required, gather, CmsPart::content_algorithm},
    {primitive_context_0,     optional, stream, none, nullptr, ber::context(0)},
};
constexpr CmsShape encrypted_content_info = {
    "CMS EncryptedContentInfo of another shape", malformed_kind, Order::sequence, encrypted_content_info_slots,
    CmsPart::content_info_end};

// --- SignedData, RFC 5652 §5.1 -------------------------------------------------------------------

constexpr CmsSlot digest_algorithms_slots[] = {
    {ber::sequence, optional, gather, CmsPart::digest_algorithm},
};
constexpr CmsShape digest_algorithms = {
    "CMS DigestAlgorithmIdentifiers of another shape", malformed_kind, Order::set, digest_algorithms_slots};

constexpr CmsSlot econtent_slots[] = {
    {ber::octet_string, required, stream, none, nullptr, ber::octet_string_constructed},
};
// PKCS#7 1.5 has ANY here. RFC 5652 §5.2.1 tells how it was signed; no mail is.
constexpr CmsShape econtent = {
    "CMS content that is not an OCTET STRING", ErrorKind::unsupported, Order::sequence,
    econtent_slots};

constexpr CmsSlot encapsulated_content_info_slots[] = {  // §5.2
    {ber::object_identifier, required, gather, CmsPart::content_type},
    {ber::context(0),        optional, enter,  none, &econtent},
};
constexpr CmsShape encapsulated_content_info = {
    "CMS EncapsulatedContentInfo of another shape", malformed_kind, Order::sequence,
    encapsulated_content_info_slots, CmsPart::content_info_end};

constexpr CmsSlot signer_infos_slots[] = {
    {ber::sequence, optional, gather, CmsPart::signer_info},
};
constexpr CmsShape signer_infos = {
    "CMS SignerInfos of another shape", malformed_kind, Order::set, signer_infos_slots};

constexpr CmsSlot signed_data_slots[] = {
    {ber::integer,    required, pass_over},
    {ber::set,        required, enter, none, &digest_algorithms},
    {ber::sequence,   required, enter, none, &encapsulated_content_info},
    {ber::context(0), optional, enter, none, &certificates},
    {ber::context(1), optional, enter, none, &crls},
    {ber::set,        required, enter, none, &signer_infos},
};
constexpr CmsShape signed_data = {
    "CMS SignedData of another shape", malformed_kind, Order::sequence, signed_data_slots};

// --- EnvelopedData, RFC 5652 §6.1 ----------------------------------------------------------------

constexpr CmsSlot enveloped_data_slots[] = {
    {ber::integer,    required, pass_over},
    {ber::context(0), optional, enter, none, &originator_info},
    {ber::set,        required, enter, none, &recipient_infos},
    {ber::sequence,   required, enter, none, &encrypted_content_info},
    {ber::context(1), optional, pass_over},  // unprotectedAttrs
};
constexpr CmsShape enveloped_data = {
    "CMS EnvelopedData of another shape", malformed_kind, Order::sequence, enveloped_data_slots};

// --- AuthEnvelopedData, RFC 5083 §2.1 ------------------------------------------------------------

constexpr CmsSlot auth_enveloped_data_slots[] = {
    {ber::integer,      required, pass_over},
    {ber::context(0),   optional, enter, none, &originator_info},
    {ber::set,          required, enter, none, &recipient_infos},
    {ber::sequence,     required, enter, none, &encrypted_content_info},
    {ber::context(1),   optional, gather, CmsPart::authenticated_attributes},
    {ber::octet_string, required, gather, CmsPart::mac, nullptr, ber::octet_string_constructed},
    {ber::context(2),   optional, pass_over},  // unauthAttrs
};
constexpr CmsShape auth_enveloped_data = {
    "CMS AuthEnvelopedData of another shape", malformed_kind, Order::sequence, auth_enveloped_data_slots};

// --- ContentInfo, RFC 5652 §3 --------------------------------------------------------------------

constexpr CmsSlot explicit_signed_data_slots[] = {
    {ber::sequence, required, enter, none, &signed_data},
};
constexpr CmsSlot explicit_enveloped_data_slots[] = {
    {ber::sequence, required, enter, none, &enveloped_data},
};
constexpr CmsSlot explicit_auth_enveloped_data_slots[] = {
    {ber::sequence, required, enter, none, &auth_enveloped_data},
};
constexpr CmsShape explicit_signed_data = {
    "CMS SignedData of another shape", malformed_kind, Order::sequence, explicit_signed_data_slots};
constexpr CmsShape explicit_enveloped_data = {
    "CMS EnvelopedData of another shape", malformed_kind, Order::sequence, explicit_enveloped_data_slots};
constexpr CmsShape explicit_auth_enveloped_data = {
    "CMS AuthEnvelopedData of another shape", malformed_kind, Order::sequence, explicit_auth_enveloped_data_slots};

constexpr CmsSlot content_info_slots[] = {
    {ber::object_identifier, required, gather, CmsPart::type},
    {ber::context(0),        required, enter_type},
};
constexpr CmsShape content_info = {
    "CMS ContentInfo of another shape", malformed_kind, Order::sequence, content_info_slots, CmsPart::end};

constexpr CmsSlot root_slots[] = {
    {ber::sequence, required, enter, none, &content_info},
};
constexpr CmsShape root = {"CMS ContentInfo of another shape", malformed_kind, Order::sequence, root_slots};

// clang-format on

}  // namespace

const CmsShape& cms_root_shape() { return root; }

const CmsShape* cms_shape_of(CmsType type) {
    switch (type) {
    case CmsType::signed_data: return &explicit_signed_data;
    case CmsType::enveloped_data: return &explicit_enveloped_data;
    case CmsType::auth_enveloped_data: return &explicit_auth_enveloped_data;
    case CmsType::data:
    case CmsType::other: return nullptr;
    }
    return nullptr;
}

}  // namespace sealgate

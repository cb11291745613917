// SPDX-License-Identifier: GPL-3.0-or-later
// What CMS looks like, as tables: which elements stand where, and what is done with each.
//
// RFC 5652 §3, §5.1, §6.1, §10.2; RFC 5083 §2.1. Only as deep as CmsReader goes: what is gathered
// whole is taken apart by others. For crypto/cms_reader.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/cms_reader.h"

namespace sealgate {

// What an element, or the end of one, is to the reader.
enum class CmsPart : std::uint8_t {
    none,
    type,  // of the ContentInfo
    digest_algorithm,
    recipient_info,
    content_type,
    content_algorithm,
    content_info_end,  // of the EncapsulatedContentInfo or EncryptedContentInfo
    certificate,
    crl,
    signer_info,
    authenticated_attributes,
    mac,
    end,
};

struct CmsShape;

struct CmsSlot {
    enum class Then : std::uint8_t {
        pass_over,
        enter,       // `inside` says what is in it
        enter_type,  // the content type of the ContentInfo says
        gather,
        stream,  // an octet string, in any segments
    };
    enum class Presence : std::uint8_t { required, optional };

    std::uint8_t tag;
    Presence presence;
    Then then;
    CmsPart part = CmsPart::none;      // gather
    const CmsShape* inside = nullptr;  // enter
    std::uint8_t or_tag = 0;           // another one: a string in segments
};

// The contents of one constructed element.
struct CmsShape {
    enum class Order : std::uint8_t {
        sequence,  // the slots in their order
        set,       // any number of each, in any order
    };
    const char* otherwise;  // the error of what is not like that
    ErrorKind otherwise_kind;
    Order order;
    std::span<const CmsSlot> slots;
    CmsPart at_end = CmsPart::none;
};

// The one around everything.
const CmsShape& cms_root_shape();
// What is in the [0] of the ContentInfo; null where it is none that we read.
const CmsShape* cms_shape_of(CmsType type);

}  // namespace sealgate

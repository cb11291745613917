// SPDX-License-Identifier: GPL-3.0-or-later
// What S/MIME a header announces: of a message that comes in, or of a part (RFC 8551 §3.9).
//
// Hints only. Clients label CMS in many ways, and what is in it only the CMS itself tells (spec/
// smime.md, Incoming 2); so this asks for little and says where to look. Outgoing mail is asked by
// smime_root() (smtp/outgoing.h), which wants to know what a message is rather than what it may be.
// Values only.
#pragma once

#include <cstdint>

#include "smtp/header.h"

namespace sealgate {

enum class SmimeKind : std::uint8_t {
    none,
    // multipart/signed whose protocol is S/MIME's, or is missing and nothing speaks of OpenPGP.
    detached,
    // One body that should be CMS: application/(x-)pkcs7-mime, or another application/* (or no
    // type) that has an smime-type or whose name ends in .p7m.
    cms,
    // It announces S/MIME, and two readers would find two different messages in it: several
    // Content-Types that differ; a multipart/signed without a boundary, with a doubtful one, or
    // with an encoding, which it may not have. Checking one reading would vouch for the other, so
    // such a message is `malformed`.
    ambiguous,
};

SmimeKind smime_kind(const Header& header);

// application/pkcs7-mime, and application/x-pkcs7-mime of before RFC 2311's final form.
bool is_pkcs7_mime(const ContentType& type);
// The `protocol` of a multipart/signed, in any case: application/(x-)pkcs7-signature.
bool is_pkcs7_signature(std::string_view media_type);

}  // namespace sealgate

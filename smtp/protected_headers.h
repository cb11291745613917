// SPDX-License-Identifier: GPL-3.0-or-later
// Header fields inside the cryptographic layers (RFC 9788): which of them replace the outer ones.
//
// Senders hide the Subject by writing "[...]" outside and the true one into the header of the
// payload, the entity inside all layers, and mark that by the parameter hp="cipher" (encrypted) or
// hp="clear" (signed only) of its Content-Type; before the RFC there was protected-headers="v1".
// When the layers are gone the recipient's client has no way to find these fields, so the gateway
// puts them where they belong:
//
//   - Subject, To, Cc, Reply-To, Followup-To, Mail-Followup-To, Date, Keywords, Comments,
//     In-Reply-To and References replace the outer ones, or are added.
//   - Message-ID is taken when there is none outside: logs, reports and duplicates go by the outer
//     one, and the RFC's confidentiality policies leave it alone.
//   - A Reply-To or Mail-Followup-To that stands only outside goes under `hp`: the RFC has senders
//     copy every field inside, so somebody on the way wants the answer. protected-headers
//     never promised that.
//   - Everything else stays as it is outside. Above all From and Sender, which policies, DMARC and
//     signatures went by (the RFC has clients warn of a difference); and what belongs to the way:
//     Received, Return-Path, Authentication-Results, DKIM-Signature, List-*, Resent-*.
//   - A field that is there twice inside, or that cannot stand in a header as it is (8-bit,
//   controls,
//     lines too long or of white space alone) counts as not being there; the outer one stays.
//
// The Content-Type stays as it is, `hp` included; HP-Outer tells what was outside and is dropped.
// RFC 8551 §3.1's older way, a whole message/rfc822 as payload, is left alone: what is inside is
// delivered as the attached message it says it is. Values only.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/chunk.h"
#include "smtp/header.h"

namespace sealgate {

enum class HeaderProtection : std::uint8_t {
    none,
    clear,   // hp="clear"
    cipher,  // hp="cipher"
    draft,   // protected-headers="v1"
};

HeaderProtection header_protection(const ContentType& payload_type);

struct ProtectedField {
    std::string_view name;  // "Subject"; a literal
    Chunk field;            // whole, with CRLF; empty: the outer one goes and none comes
};

struct ProtectedHeaders {
    HeaderProtection protection = HeaderProtection::none;
    // Who it is from is another inside, or cannot be told to be the same.
    bool from_differs = false;
    std::vector<ProtectedField> fields;
};

// `payload`: the header of the entity inside all layers; its bytes stay shared. Nothing, unless
// that is marked as protected. Only for layers that were read with success.
ProtectedHeaders read_protected_headers(const Header& outer, const Header& payload);

}  // namespace sealgate

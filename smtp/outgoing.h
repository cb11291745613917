// SPDX-License-Identifier: GPL-3.0-or-later
// How one message is made for the way out: relayed as it is, signed by a profile, or bounced.
//
// Decided once, at the end of the header, from the message's header and its sending profile; then
// outlet.h carries it out. spec/smime.md "Outgoing".
#pragma once

#include <memory>
#include <string>

#include "core/chunk.h"
#include "core/reason.h"
#include "crypto/smime_sign.h"
#include "smtp/envelope.h"
#include "smtp/gateway_state.h"
#include "smtp/header.h"

namespace sealgate {

struct OutgoingPlan {
    enum class Kind : std::uint8_t { relay, sign, bounce } kind = Kind::relay;
    std::string profile;         // the sending profile's name; empty: none was asked for
    bool already_smime = false;  // its root is S/MIME: left as it is (spec/smime.md, Outgoing 7)
    SignPlan sign;               // valid for Kind::sign
    Reason reason = Reason::ok;  // why it bounces
};

// `profile` empty: relay.
OutgoingPlan plan_outgoing(const GatewayState& state, const std::string& profile,
                           const Header& header, const Envelope& envelope,
                           std::int64_t wall_seconds);

// Whether the root of the message is S/MIME: multipart/signed with an S/MIME protocol, or
// application/(x-)pkcs7-mime. OpenPGP's multipart/signed is not.
bool is_smime(const ContentType& type);

// RFC 8551 §3.1: the MIME fields (Content-*) go inside, the others stay outside. MIME-Version
// belongs to the outer header, which the signing stage ends; mbox lines belong to nothing.
struct SplitHeader {
    ChunkList outside;
    ChunkList inside;  // with the blank line that ends it
};
SplitHeader split_header(const Header& header);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What travels around a message: sender, recipients and their state, DSN parameters (RFC 3461).
//
// It is what the spool keeps beside the body, in the binary form of encode_envelope(): a leading
// format version, so that a store survives an upgrade. Addresses are as the client wrote them,
// without angle brackets; the null reverse-path is the empty string.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace sealgate {

// moved: it goes on in another message that was made of this one (deferred S/MIME).
enum class RecipientState : std::uint8_t { pending, delivered, bounced, moved };

// RFC 3461 §4.1 NOTIFY, as bits; `none_given` when the parameter was absent.
struct Notify {
    bool given = false;
    bool never = false, success = false, failure = false, delay = false;
};

struct Recipient {
    std::string address;
    std::string original;  // ORCPT, xtext as received ("rfc822;a@b"); empty: none
    Notify notify;
    RecipientState state = RecipientState::pending;
    bool delay_told = false;  // a delay DSN was sent
    std::string last_reply;   // of the last attempt, for DSN and `queue show`
};

enum class BodyType : std::uint8_t { seven_bit, eight_bit };

struct Envelope {
    std::string sender;
    std::vector<Recipient> recipients;
    std::string envelope_id;  // ENVID, xtext as received
    enum class Return : std::uint8_t { not_given, full, headers } return_ = Return::not_given;
    bool smtputf8 = false;
    BodyType body = BodyType::seven_bit;  // what the stored bytes really are
    bool signed_by_gateway = false;       // never re-encoded on the way out: that would break it
    bool has_long_lines = false;          // a line over 998 octets
    std::uint64_t header_bytes = 0;  // length of the stored message's header with its blank line
    std::int64_t arrived = 0;        // wall seconds
    std::int64_t next_attempt = 0;   // wall seconds; 0: at once
    std::uint32_t attempts = 0;
    std::string message_id;  // header field, for logs and DSNs
    std::string subject;     // printable, cut; for `queue list`
    // Not empty: S/MIME is still to be done, by this sending profile; until then the message is
    // delivered to nobody. And the content filter that said so.
    std::string deferred_profile;
    std::string deferred_by;
};

std::string encode_envelope(const Envelope& envelope);
Result<Envelope> decode_envelope(std::string_view stored);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Delivery status notifications: RFC 3464 reports in the multipart/report of RFC 6522.
//
// make_dsn() writes one message: what happened in plain words, the same for programs
// (message/delivery-status), and the original or its header. The output is 7-bit with CRLF line
// ends and short lines, unless the receiver's own address is not ASCII: then its To: field is the
// one place with UTF-8, and the message wants SMTPUTF8. Addresses of recipients that are not ASCII
// are written as `utf-8; j\x{F6}rg@…` (RFC 6533 §3). Who gets a report, and whether there may be
// one at all, is smtp/bounce.h's. No state, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/chunk.h"
#include "core/spool.h"
#include "smtp/envelope.h"

namespace sealgate {

enum class DsnKind : std::uint8_t { failed, expired, delayed, relayed };
const char* to_text(DsnKind kind);  // "failed": the word of logs

// RET=FULL is honoured up to here; a larger message comes back as its header.
inline constexpr std::uint64_t dsn_whole_bytes_max = 50 * 1024;
// Of a header no more than this comes back, cut at a line's end.
inline constexpr std::size_t dsn_header_bytes_max = 64 * 1024;

struct DsnRecipient {
    std::string address;
    std::string original;     // ORCPT as received, xtext: "rfc822;a+2Bb@example.net"; empty: none
    std::string status;       // "5.1.1"
    std::string explanation;  // plain words, one sentence, no full stop
    std::string reply;        // the host's, "550 5.1.1 unknown"; empty: no host said anything
    std::string remote_host;  // its name; empty: not known
    std::string reason;       // the gateway's own stable word, "sender-mismatch"; empty: none
};

struct BounceReport {
    DsnKind kind = DsnKind::failed;
    std::string hostname;
    std::string to;                // the original's sender; never empty
    std::string envelope_id;       // ENVID as received, xtext
    std::string message_id;        // the original's, for people
    std::string subject;           // the original's, decoded, for people
    std::int64_t arrived = 0;      // wall seconds
    std::int64_t now = 0;          // of the last attempt and of this report
    std::int64_t tried_until = 0;  // for `delayed`: when we will give up
    std::string unique;            // makes Message-ID and boundary; letters, digits, '.', '-'
    std::vector<DsnRecipient> recipients;

    // What comes back of the original; `original` begins with its header.
    enum class Return : std::uint8_t { nothing, headers, whole } return_ = Return::nothing;
    ChunkList original;
};

ChunkList make_dsn(const BounceReport& report);

// What to give back, by RET, size and kind (RFC 3461 §4.3 and §6.2: only failures bring it whole).
BounceReport::Return what_to_return(DsnKind kind, Envelope::Return wanted,
                                    std::uint64_t body_bytes);

// "+HH" back to what it stands for (RFC 3461 §4); control characters become '?'.
std::string decode_xtext(std::string_view xtext);

}  // namespace sealgate

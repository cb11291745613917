// SPDX-License-Identifier: GPL-3.0-or-later
// The Received field (RFC 5321 §4.4): this hop's line in the message's trace.
#pragma once

#include <string>

#include "core/spool.h"
#include "smtp/envelope.h"
#include "smtp/session_host.h"

namespace sealgate {

// Folded, with its last CRLF. `for` is given only when there is one recipient, so that no hidden
// one is told to another. `wall_seconds` since 1970, shown in UTC.
std::string make_received(const SessionInfo& session, const Envelope& envelope, MessageId mid,
                          std::int64_t wall_seconds);

// RFC 5322 §3.3, in UTC: "Sat, 21 Nov 2026 19:47:40 +0000".
std::string rfc5322_date(std::int64_t wall_seconds);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Mailboxes and paths of MAIL and RCPT: RFC 5321 §4.1.2, with UTF-8 as RFC 6531 §3.3 adds it.
//
// Strict about what decides where mail goes: brackets, one "@", a domain or a literal, no control
// character, well-formed UTF-8. The local part is the recipient system's business and is kept as
// written; of its length only the path's limit is enforced, not §4.5.3.1.1's 64 octets, since
// bounce addresses that encode a recipient (VERP) are longer and the RFC asks not to refuse them.
// No thread, no state.
#pragma once

#include <cstddef>
#include <string_view>

#include "smtp/reply.h"

namespace sealgate {

enum class PathUse : std::uint8_t { reverse, forward };  // of MAIL; of RCPT

struct Path {
    std::string_view address;  // without brackets and source route; empty: the null reverse-path
    bool non_ascii = false;    // right only with SMTPUTF8
    std::size_t bytes = 0;     // how much of the text the path was, its brackets included
};

// Reads "<[source route:]mailbox>" at the start of `text`. "<>" is a path only in reverse,
// "<postmaster>" without a domain only forward.
Checked<Path> parse_path(std::string_view text, PathUse use);

// True for local-part "@" domain or literal, and nothing else. `non_ascii` may be null.
bool is_mailbox(std::string_view text, bool* non_ascii);

// What stands behind the last "@"; empty without one.
std::string_view address_domain(std::string_view address);

}  // namespace sealgate

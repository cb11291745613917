// SPDX-License-Identifier: GPL-3.0-or-later
// Who a message says it is from: addr-specs of From, Sender and their like (RFC 5322 §3.4, §4.4).
//
// Made for a decision, not for display: what is not exactly an address list is said to be
// malformed, and display names, comments, quoted strings and encoded-words never yield an address.
// `"a@good.example" <b@evil.example>` is b@evil.example. RFC 6532's UTF-8 counts as atom text.
//
// Some lists are right by the RFC and read otherwise by programs people use: what follows a space
// or comment inside an address is lost on one, another takes the first text in angle brackets
// wherever it stands, a third decodes encoded-words inside addresses. Such a list is `ambiguous`;
// nobody writes one in earnest, and no signature shall cover it. SMTP paths are smtp/path.h's.
// Values only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smtp/header.h"

namespace sealgate {

struct AddressList {
    // local-part@domain, comments and white space gone, quotes only where the local part needs
    // them. In order; those inside groups, too.
    std::vector<std::string> addresses;
    bool malformed = false;  // something in the field was no address list
    // Groups, routes, white space or comments inside an address (not beside its '@'), an
    // angle-bracketed other address in a quoted name or comment, a quoted local part with '@' or
    // brackets, encoded-words where none can be, characters that turn the writing round or are not
    // seen.
    bool ambiguous = false;
};

// `value` may still be folded.
AddressList parse_addresses(std::string_view value);

struct SenderFields {
    std::size_t field_count = 0;  // two From fields are a trick: RFC 5322 §3.6 allows one
    AddressList list;             // of all of them together
};

SenderFields addresses_of(const Header& header, std::string_view field_name);

// The address of From when it is exactly one: one field, one address, nothing malformed, nothing
// ambiguous. Sender plays no part: it says who sent, not who wrote.
std::optional<std::string> sole_from_address(const Header& header);

}  // namespace sealgate

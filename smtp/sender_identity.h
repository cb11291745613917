// SPDX-License-Identifier: GPL-3.0-or-later
// Whose address a message's signature must cover (spec/smime.md, Incoming 4): the one in From.
//
// RFC 8550 §3 lets Sender do as well; here it does not, for clients show From. Display names,
// comments, Sender and Resent-* play no part. Where readers of mail could find different senders
// there is none, and nothing covers that: sole_from_address() (smtp/addresses.h) says which forms
// of From these are, and a header that ends at a line that is no field is another, for some readers
// go on behind that line and would find a second From there. Values only.
#pragma once

#include <optional>
#include <string>

#include "smtp/header.h"

namespace sealgate {

// local-part@domain as written; nothing: no signature can be the sender's.
std::optional<std::string> address_to_cover(const Header& header);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Domain names of mail addresses in the one form the gateway compares and looks up.
//
// That form is lower-case A-labels without a final dot: "Bücher.Example." is
// "xn--bcher-kva.example" (RFC 5890, UTS #46 non-transitional, by libidn2). Address literals are
// not domain names.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace sealgate {

// Letters, digits, hyphens and underscores (some mail hosts have them), labels of 1 to 63 octets,
// at most 253 in all. Malformed when it cannot be a domain name.
Result<std::string> to_lookup_form(std::string_view domain);

// A name in DNS wire form (RFC 1035 §3.1, uncompressed, as libunbound gives rdata) as text without
// its final dot; the root is the empty text. Malformed also for names no host can have.
Result<std::string> name_from_wire(std::string_view wire);

}  // namespace sealgate

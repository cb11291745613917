// SPDX-License-Identifier: GPL-3.0-or-later
// Object identifiers for people: "1.2.840.113549.3.2", for what has no name here.
//
// A value in, a value out, any thread.
#pragma once

#include <string>

#include "core/bytes.h"

namespace sealgate {

// `oid`: DER, with its header. "" where it is no identifier, or a number in it is over 64 bits. Of
// more than 256 characters only the beginning, for it comes from a peer.
std::string dotted_oid(ByteSpan oid);

}  // namespace sealgate

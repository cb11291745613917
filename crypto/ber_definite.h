// SPDX-License-Identifier: GPL-3.0-or-later
// An element of BER in memory, brought into definite form, so that DerReader reads it. X.690 §8.1.
//
// Lengths become definite and as short as can be, strings in segments (OCTET STRING, BIT STRING,
// those of characters and times) are joined; everything else is octet for octet as it came. It is
// not DER: sets keep their order, values their form. A string under an IMPLICIT tag cannot be told
// from a constructed element without knowing what it should be; its segments stay. Two walks over
// the input, whatever is in it; no recursion. Pure functions, any thread.
#pragma once

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/ber_stream.h"

namespace sealgate {

// Is the element that begins so already in that form (what lies inside it aside).
bool begins_in_definite_form(const BerEvent& begin);

// `ber` is one element and nothing else.
Result<Bytes> in_definite_form(ByteSpan ber);

}  // namespace sealgate

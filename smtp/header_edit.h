// SPDX-License-Identifier: GPL-3.0-or-later
// Taking a message's header apart and putting it together anew, when S/MIME goes on or comes off.
//
// Fields are passed on whole, as windows on the bytes they came in. RFC 8551 §3.1: the MIME fields
// (Content-*) belong to the entity inside, the others to the message. Values only.
#pragma once

#include "core/chunk.h"
#include "smtp/header.h"
#include "smtp/protected_headers.h"

namespace sealgate {

// On the way out. MIME-Version belongs to the outer header, which the outermost stage writes; mbox
// lines belong to nothing.
struct SplitHeader {
    ChunkList outside;
    ChunkList inside;  // with the blank line that ends it
};
SplitHeader split_header(const Header& header);

// On the way out, relayed as it is: the header as it came, without the mbox lines it may begin with
// (behind the fields that are put before it they would end the header). In one piece.
Chunk relayed_header(const Header& header);

// On the way in, a layer taken off: the header of what is delivered, its blank line included. The
// fields of `outer` in their order, with what `inside` (null: nothing) puts in their places; of
// `entity`, the outermost of what is left, the Content-* fields; and MIME-Version. Left out:
// Authentication-Results that bear our `hostname`, HP-Outer, mbox lines.
ChunkList delivered_header(const Header& outer, const Header& entity, std::string_view hostname,
                           const ProtectedHeaders* inside = nullptr);

// On the way in, nothing taken off: the header as it came, without what was forged in our name, and
// without mbox lines (behind the fields that are put before it they would end the header).
ChunkList original_header(const Header& header, std::string_view hostname);

// A field from inside a layer, where lines may end in a bare LF, or the last one not at all; a bare
// CR becomes a space. What is right already is not copied.
Chunk with_crlf(const Chunk& field);

}  // namespace sealgate

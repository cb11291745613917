// SPDX-License-Identifier: GPL-3.0-or-later
// The 7-bit stages by purpose: for a next hop without 8BITMIME, and before a detached signature.
//
// Both are smtp/mime_seven_bit.h's stage with other trust in what the parts say of themselves. At
// delivery the message is known to have 8-bit bytes or long lines somewhere, so a part too large to
// be looked through is encoded whatever it says (RFC 6152 §3). Before signing, the sender's label
// "7bit" is believed: a needless change of a large part would cost everyone. Loop thread.
#pragma once

#include <memory>

#include "core/stage.h"
#include "smtp/mime_seven_bit.h"

namespace sealgate {

// A whole message, its header included. MIME-Version is added where an encoding is named and it is
// missing. Never for what the gateway signed.
std::unique_ptr<Sink> make_seven_bit_message_stage(Sink& below);

// A MIME entity: Content-* fields, blank line, body. `eight_bit_declared`: the client said
// BODY=8BITMIME. Ask left_eight_bit() after finish().
std::unique_ptr<SevenBitStage> make_seven_bit_entity_stage(Sink& below, bool eight_bit_declared);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What the queue asks of the sealer (smtp/sealer.h), and what it answers.
#pragma once

#include <string>
#include <vector>

#include "core/chunk.h"
#include "core/spool.h"
#include "smtp/envelope.h"

namespace sealgate {

// One message's S/MIME, as the queue asks for it.
struct SealTask {
    MessageId mid = 0;
    Envelope envelope;
    std::vector<std::size_t> recipients;  // RIDs that are pending
    ChunkList body;                       // valid when in_memory; else it is read from the spool
    bool in_memory = false;
};

struct SealOutcome {
    std::vector<std::size_t> moved;  // RIDs that go on in messages made of this one
    // Of the others, why they must be tried again later; empty: there are no others.
    std::string waits;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The chain a message's bytes run through: stages, each with one bounded buffer, and back-pressure.
//
// Bytes go down by write() and finish(). `Flow::full` comes back up as the return value: whoever
// feeds the chain stops until Source::on_drain(). Stages that keep no buffer just return what the
// stage below returned. What fails between two calls (a worker's answer) comes up by
// Source::on_failed(); after it, or after an error from write() or finish(), the chain is dead and
// is only destroyed. Loop thread only.
#pragma once

#include "core/chunk.h"
#include "core/result.h"

namespace sealgate {

enum class Flow : std::uint8_t { open, full };

// Takes chunks. After finish() no more write() may come. finish() may return before all is done
// (a signature is being made): the end of the chain tells its own owner when it is.
class Sink {
public:
    virtual ~Sink() = default;
    virtual Result<Flow> write(Chunk chunk) = 0;
    virtual Result<Flow> finish() = 0;  // there are no more chunks

    Result<Flow> write_all(ChunkList chunks) {
        Flow flow = Flow::open;
        while (!chunks.empty()) flow = TRY(write(chunks.take_front()));
        return flow;
    }
};

// Whoever feeds a chain hears from it by this. Never called from inside write() or finish().
class Source {
public:
    virtual ~Source() = default;
    virtual void on_drain() = 0;              // chunks are wanted again after Flow::full
    virtual void on_failed(Error error) = 0;  // a stage failed between calls; the chain is dead
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// RFC 5321 §4.5.2: a dot at the beginning of a line is doubled; ".CRLF" ends the message.
//
// Bytes are not copied: what lies between two such dots is a slice of the chunk it came in. The
// text has CRLF line ends and no others: the gateway takes in no bare CR or LF.
#pragma once

#include "core/stage.h"

namespace sealgate {

class DotStuffing final : public Sink {
public:
    explicit DotStuffing(ChunkList& output) : output_(output) {}

    Result<Flow> write(Chunk chunk) override;
    Result<Flow> finish() override;  // the final dot, on a line of its own

private:
    void append(const Chunk& chunk, std::size_t begin, std::size_t end);

    ChunkList& output_;
    bool at_line_begin_ = true;
    bool after_cr_ = false;
};

}  // namespace sealgate

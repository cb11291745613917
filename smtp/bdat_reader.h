// SPDX-License-Identifier: GPL-3.0-or-later
// The bytes of BDAT chunks (RFC 3030): counted, not searched for an end; checked for lone CR and
// LF.
//
// A message is one or more chunks; line ends may be cut between chunks. Nothing is unstuffed and
// nothing copied. A lone CR or LF is remembered as in smtp/data_reader.h: the message would be
// relayed by DATA to hosts without CHUNKING, where it is dangerous. No thread, no memory.
#pragma once

#include <cstdint>

#include "core/bytes.h"

namespace sealgate {

class BdatReader {
public:
    // A chunk of so many bytes follows. The one before must be complete.
    void begin_chunk(std::uint64_t bytes, bool last);
    // How many of the input's bytes belong to this chunk; they are content and now read.
    std::size_t next(ByteSpan in);

    bool chunk_complete() const { return left_bytes_ == 0; }
    bool is_last() const { return last_; }
    // After the last chunk: the content does not end with a line end and must be given one.
    bool lacks_final_line_end() const { return any_ && state_ != State::line_begin; }
    // After the last chunk a CR at the very end is a lone one, too.
    bool has_bare_line_end() const {
        return has_bare_line_end_ || (last_ && chunk_complete() && state_ == State::after_cr);
    }

private:
    enum class State : std::uint8_t { line_begin, text, after_cr };

    std::uint64_t left_bytes_ = 0;
    State state_ = State::line_begin;
    bool last_ = false;
    bool any_ = false;
    bool has_bare_line_end_ = false;
};

}  // namespace sealgate

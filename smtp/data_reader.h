// SPDX-License-Identifier: GPL-3.0-or-later
// The bytes between DATA's 354 and the end of data: undoes dot-stuffing, finds the one true end.
//
// Only CR LF is a line end, and only CR LF "." CR LF ends the data (RFC 5321 §4.1.1.4: "MUST NOT be
// treated as the end" for any other sequence). A lone CR or LF is remembered and never ends
// anything: systems behind us might see a line end there and with it a second message (SMTP
// smuggling, 2023), so the session refuses the whole message once its real end has come.
//
// It copies nothing: it names the runs of the input that are content. The line end before the final
// dot belongs to the content. No thread, no memory.
#pragma once

#include <cstdint>

#include "core/bytes.h"

namespace sealgate {

class DataReader {
public:
    // A piece of the input: content is [content_begin, content_end), then go on at `consumed`.
    struct Run {
        std::size_t content_begin = 0;
        std::size_t content_end = 0;
        std::size_t consumed = 0;  // at least 1 unless the input was empty
    };

    // Reads to the next dot that must go, the end of data, or the end of the input. Not after
    // ended().
    Run next(ByteSpan in);

    bool ended() const { return state_ == State::ended; }
    // There was a CR without LF or an LF without CR; from then on the runs' content is of no use.
    bool has_bare_line_end() const { return has_bare_line_end_; }

private:
    enum class State : std::uint8_t {
        line_begin,
        text,
        after_cr,
        after_dot,     // a dot at the beginning of a line: not content in any case
        after_dot_cr,  // and a CR: the end, unless something else than LF follows
        ended,
    };

    void step(std::uint8_t byte);
    std::size_t skip_lines(ByteSpan in, std::size_t at);

    State state_ = State::line_begin;
    bool has_bare_line_end_ = false;
};

}  // namespace sealgate

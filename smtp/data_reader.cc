// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/data_reader.h"

#include <cstring>

namespace sealgate {
namespace {

std::size_t find_byte(ByteSpan in, std::size_t from, std::size_t to, char wanted) {
    const void* found = from < to ? std::memchr(in.data() + from, wanted, to - from) : nullptr;
    if (!found) return to;
    return static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - in.data());
}

}  // namespace

DataReader::Run DataReader::next(ByteSpan in) {
    Run run;
    std::size_t at = 0;
    // A dot at the beginning of a line, or what followed one, stands before the content.
    while (at < in.size() && (state_ == State::after_dot || state_ == State::after_dot_cr ||
                              (state_ == State::line_begin && in[at] == '.'))) {
        const bool content = state_ == State::after_dot && in[at] != '\r';
        if (content) break;
        step(in[at++]);
        if (ended()) return {at, at, at};
    }
    run.content_begin = at;
    while (at < in.size()) {
        if (state_ == State::line_begin && in[at] == '.') break;  // the next run's first dot
        if (state_ == State::text || state_ == State::line_begin) {
            at = skip_lines(in, at);
        } else {
            step(in[at++]);
        }
    }
    run.content_end = run.consumed = at;
    return run;
}

// From inside a line or its beginning: over whole lines at once, to a dot at a line's beginning or
// to the end of the input.
std::size_t DataReader::skip_lines(ByteSpan in, std::size_t at) {
    const std::size_t cr = find_byte(in, at, in.size(), '\r');
    if (!has_bare_line_end_ && find_byte(in, at, cr, '\n') != cr) has_bare_line_end_ = true;
    if (cr == in.size()) {
        state_ = State::text;
        return cr;
    }
    if (cr + 1 == in.size()) {
        state_ = State::after_cr;
        return cr + 1;
    }
    if (in[cr + 1] != '\n') {
        has_bare_line_end_ = true;
        state_ = in[cr + 1] == '\r' ? State::after_cr : State::text;
        return in[cr + 1] == '\r' ? cr + 2 : cr + 1;
    }
    state_ = State::line_begin;
    return cr + 2;
}

void DataReader::step(std::uint8_t byte) {
    switch (state_) {
    case State::line_begin:
        state_ = byte == '.' ? State::after_dot : byte == '\r' ? State::after_cr : State::text;
        break;
    case State::text: state_ = byte == '\r' ? State::after_cr : State::text; break;
    case State::after_cr:
        if (byte == '\n') {
            state_ = State::line_begin;
            return;
        }
        has_bare_line_end_ = true;
        state_ = byte == '\r' ? State::after_cr : State::text;
        return;
    case State::after_dot: state_ = byte == '\r' ? State::after_dot_cr : State::text; break;
    case State::after_dot_cr:
        if (byte == '\n') {
            state_ = State::ended;
            return;
        }
        has_bare_line_end_ = true;
        state_ = byte == '\r' ? State::after_cr : State::text;
        return;
    case State::ended: break;
    }
    if (byte == '\n') has_bare_line_end_ = true;  // all LFs with a CR before them have returned
}

}  // namespace sealgate

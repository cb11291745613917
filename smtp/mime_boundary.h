// SPDX-License-Identifier: GPL-3.0-or-later
// Boundary lines of multiparts (RFC 2046 §5.1.1): "--", the boundary, "--" at the last one, white
// space that a transport may have added, and the line end. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "smtp/mime_content_type.h"

namespace sealgate {

// What a line is to a multipart: nothing, the begin of its next part, or its end.
enum class Delimiter : std::uint8_t { none, next, close };

// `line` without its line end.
Delimiter match_delimiter(std::string_view line, std::string_view boundary);

// The boundary that a Content-Type names, without white space at its end. Empty: none, or longer
// than limits::boundary_bytes_max.
std::string boundary_of(const ContentType& type);

// Recognises one boundary line byte by byte, from its first '-' on, without keeping it. Only CRLF
// ends the line. A line of which the boundary is but a prefix is another multipart's, or text.
class DelimiterScanner {
public:
    explicit DelimiterScanner(std::string boundary) : boundary_(std::move(boundary)) {}

    enum class Answer : std::uint8_t { unknown, no, next, close };
    // The byte of a `no` is not part of what was seen: the line goes on with it as text.
    Answer step(std::uint8_t byte);
    // The input ends here, inside the line: `no`, or what the line would have been.
    Answer at_end() const;
    // False when a line that goes on like this is none; true is no promise.
    bool may_begin(std::string_view line) const;
    void restart() { *this = DelimiterScanner(std::move(boundary_)); }
    const std::string& boundary() const { return boundary_; }

private:
    enum class State : std::uint8_t { dashes, boundary, behind, dash, white, line_feed };

    std::string boundary_;
    State state_ = State::dashes;
    bool close_ = false;
    std::size_t matched_ = 0;  // bytes of "--", then of the boundary
    std::size_t white_ = 0;
};

}  // namespace sealgate

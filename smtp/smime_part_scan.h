// SPDX-License-Identifier: GPL-3.0-or-later
// Learns, while a message's body passes, whether S/MIME lies below its root.
//
// Such parts are not processed and vouch for nothing (spec/smime.md, Incoming 1); that they exist
// is told: coverage `part`. Multiparts and attached messages are walked, to limits::mime_depth_max;
// of each part only the Content-* fields are kept, and only those of a bounded header. A root that
// holds no parts costs nothing, and after the first find nothing more is looked at. Lines may end
// in a bare LF, here nothing depends on it. Loop thread.
#pragma once

#include <string>
#include <vector>

#include "core/bytes.h"
#include "smtp/header.h"

namespace sealgate {

class SmimePartScan {
public:
    // `root`: of the message, whose body will be fed. What it announces of itself is not a find.
    explicit SmimePartScan(const ContentType& root);

    void feed(ByteSpan body);

    bool found() const { return found_; }
    // Nothing more will be found.
    bool done() const { return done_; }

private:
    enum class State : std::uint8_t {
        line_begin,
        header_line,  // gathered whole
        dash_line,    // may be a boundary: gathered whole
        rest,         // of a line that is neither
    };
    struct Level {
        std::string boundary;
        bool digest = false;  // its parts are messages unless they say otherwise
        int depth = 0;
    };

    std::size_t step(std::string_view text);
    std::size_t gather(std::string_view text);
    void on_line(std::string_view line);
    bool on_delimiter(std::string_view line);
    void on_header_line(std::string_view line);
    void begin_header();
    void end_header();
    void enter(const ContentType& type, bool in_digest);
    void begin_body() { in_header_ = false; }
    void end();

    State state_ = State::line_begin;
    bool in_header_ = false;
    bool found_ = false;
    bool done_ = false;
    std::vector<Level> levels_;
    int depth_ = 0;
    bool in_message_ = false;  // the header at hand is an attached message's
    HeaderScanner scanner_;
    std::size_t header_bytes_ = 0;
    bool keeps_field_ = false;  // the header line before was a Content-* field's
    std::string header_;        // the Content-* fields
    std::string line_;          // what came of the line before this input
};

}  // namespace sealgate

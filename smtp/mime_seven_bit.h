// SPDX-License-Identifier: GPL-3.0-or-later
// Makes a MIME entity 7-bit as it streams, so that no relay has a reason to change it.
//
// Multiparts and attached messages are walked. A leaf that calls itself 7bit, 8bit, binary or
// nothing is held back, up to limits::hold_back_bytes_max, to see whether it is 7-bit with lines of
// at most 998 octets; if not, its Content-Transfer-Encoding becomes quoted-printable (text/*,
// message/* and what has no readable type) or base64 (everything else, and text with NUL) and it is
// encoded. What is already encoded is never touched, nor what lies inside multipart/signed and
// multipart/encrypted (it would break their signatures) or deeper than limits::mime_depth_max.
// 8-bit bytes and long lines that could not be removed (there, in headers, in preambles, in large
// parts that say "7bit" wrongly) pass, and left_eight_bit() and left_long_lines() tell.
// A multipart or attached message labelled 8bit or binary is relabelled 7bit before its parts are
// seen. Unchanged bytes go on as slices; what is kept is the hold-back and one line. The output
// does not depend on how the input is cut, and run again it stays the same. Boundaries match whole
// lines, white space behind them aside (RFC 2046 §5.1.1); the innermost wins. RFC 2045, 2046, 6152,
// 8551 §3.1.3. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/stage.h"
#include "smtp/header.h"
#include "smtp/mime_encode.h"
#include "smtp/mime_entity.h"
#include "smtp/mime_scan.h"

namespace sealgate {

struct SevenBitOptions {
    enum class Form : std::uint8_t {
        entity,   // Content-* fields only: MIME-Version stands elsewhere
        message,  // the whole header of a message
    };
    // What is believed of a part of which the whole hold-back was 7-bit and more is to come. Those
    // labelled 8bit or binary are always encoded.
    enum class Trust : std::uint8_t { seven_bit_or_no_label, seven_bit_label, nothing };

    Form form = Form::entity;
    Trust trust = Trust::seven_bit_or_no_label;
};

class SevenBitStage final : public Sink {
public:
    SevenBitStage(Sink& below, SevenBitOptions options);
    ~SevenBitStage() override;

    Result<Flow> write(Chunk chunk) override;
    Result<Flow> finish() override;

    // Of the output so far; final after finish().
    bool left_eight_bit() const { return left_.has_eight_bit(); }
    bool left_long_lines() const { return left_.has_long_lines(); }
    // Some part was encoded.
    bool re_encoded() const { return re_encoded_; }

private:
    enum class State : std::uint8_t {
        header_line_begin,
        header,  // inside a line
        body_line_begin,
        body,       // inside a line
        body_cr,    // behind a CR that may be the line's end
        delimiter,  // inside a line that began with '-': a boundary or not
    };
    enum class Mode : std::uint8_t { pass, hold, encode };  // what happens to body bytes

    struct Level {  // one open multipart
        std::string boundary;
        bool digest;  // its parts are message/rfc822 unless they say otherwise
        int depth;
    };
    enum class Delimiter : std::uint8_t { none, next, close };
    struct Match {
        Delimiter kind = Delimiter::none;
        std::size_t level = 0;
    };

    void process(const Chunk& chunk);
    std::size_t step(const Chunk& chunk, std::size_t at);
    std::size_t step_header(const Chunk& chunk, std::size_t at);
    std::size_t step_body(const Chunk& chunk, std::size_t at);
    std::size_t step_delimiter(const Chunk& chunk, std::size_t at);
    void decide_delimiter();
    Match match_delimiter(std::string_view line) const;

    void begin_header(bool is_message);
    void end_header();
    void header_too_long();
    void begin_body(EntityPlan plan);
    void content(Chunk bytes);
    void flush_line_end();
    void decide_held(bool whole);
    bool must_encode(bool whole) const;
    void begin_encoding();
    void end_body();
    void on_delimiter(Match match);
    void write_header(TransferEncoding encoding);
    void out(Chunk bytes);
    void out(ChunkList bytes);

    Sink& below_;
    SevenBitOptions options_;
    State state_ = State::header_line_begin;
    Mode mode_ = Mode::pass;
    std::vector<Level> levels_;
    int depth_ = 0;

    bool header_is_message_ = false;
    std::size_t header_bytes_max_ = 0;
    HeaderScanner scanner_;
    ChunkList header_;    // of the part at hand, while it is collected
    Header part_header_;  // of the leaf at hand, until it is written
    EntityPlan plan_;

    ChunkList held_;
    MimeScan held_scan_;
    bool held_nul_ = false;
    ChunkList line_end_;  // the CRLF that may belong to a boundary behind it
    bool delimiter_in_header_ = false;
    ChunkList delimiter_;  // the line that may be one
    std::string delimiter_text_;
    std::unique_ptr<BodyEncoder> encoder_;

    ChunkList out_;
    MimeScan left_;
    bool re_encoded_ = false;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// A message's header: its fields in order, as windows on the bytes that came.
//
// HeaderScanner finds where a header ends, HeaderCollector gathers it from a stream, Header reads
// it. Nothing is copied but what is asked for: a field is four offsets, value() builds the unfolded
// text. Nothing here refuses a message; RFC 5322 §2.2 is read the way mail systems really do:
//   - A field is a name of visible ASCII without ':' (white space before the colon is let through),
//     ':' and text to the end of its line and of the lines after it that begin with SP or TAB.
//   - A blank line ends the header and belongs to it.
//   - A line that is none of these ends the header too, as Postfix has it: the body begins with
//     that very line. So does a first line that begins with white space.
//   - "From " and ">From " lines at the very beginning (mbox) are kept as fields without a name, so
//     that no look-up finds them; whoever writes the header anew leaves them out.
//   - Lines end in LF, with or without CR before it; NUL, controls and 8-bit are part of values.
// Values only, no thread of their own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/chunk.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/text.h"
#include "smtp/mime_content_type.h"

namespace sealgate {

// How a header came to its end.
enum class HeaderEnd : std::uint8_t { blank_line, other_line, end_of_message };

// Finds the end of a header byte by byte, so that it does not matter how the input is cut.
class HeaderScanner {
public:
    // Takes bytes until the end is known. Returns how many it took; after `ended()` call no more.
    std::size_t scan(ByteSpan bytes);
    // There are no more bytes.
    void finish();

    bool ended() const { return ended_; }
    HeaderEnd end() const { return end_; }
    // Where the header ends, its blank line included. Bytes after it that scan() took are body.
    std::size_t header_bytes() const { return header_bytes_; }

private:
    enum class State : std::uint8_t {
        line_begin,
        carriage_return,
        name,
        before_colon,
        after_mbox_mark,
        value,
    };
    State step(std::uint8_t byte);
    void end_at(std::size_t bytes, HeaderEnd how);

    State state_ = State::line_begin;
    bool ended_ = false;
    bool only_mbox_lines_ = true;
    std::uint8_t mbox_matched_ = 0;  // characters of "From " at the begin of this line
    HeaderEnd end_ = HeaderEnd::end_of_message;
    std::size_t header_bytes_ = 0;
    std::size_t line_begin_ = 0;
    std::size_t bytes_ = 0;
};

// Offsets into the header's bytes. An mbox line has an empty name: name_end == begin.
struct HeaderField {
    std::uint32_t begin = 0;
    std::uint32_t name_end = 0;
    std::uint32_t value_begin = 0;  // behind the colon
    std::uint32_t end = 0;          // behind the line end of its last line
};

class Header {
public:
    Header() = default;
    // Reads the header at the begin of `bytes`, which may go on with body; they stay shared.
    static Header parse(Chunk bytes);

    const std::vector<HeaderField>& fields() const { return fields_; }
    HeaderEnd ended_by() const { return ended_by_; }
    // Up to and including the blank line, where there is one.
    const Chunk& bytes() const { return bytes_; }
    // Where the last field ends: here new fields go, before the blank line.
    std::size_t fields_end() const { return fields_.empty() ? 0 : fields_.back().end; }
    bool has_eight_bit() const;

    std::string_view name(const HeaderField& field) const;
    std::string_view raw_value(const HeaderField& field) const;  // with folds and line end
    std::string value(const HeaderField& field) const;           // unfolded, trimmed
    Chunk slice(const HeaderField& field) const;                 // the whole field, shared

    // Names are compared without regard to case.
    const HeaderField* first(std::string_view name) const;
    std::vector<const HeaderField*> all(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    std::string value_of(std::string_view name) const;  // of the first one; empty when absent

    std::string message_id() const;  // with its angle brackets, as it stands
    std::string subject() const;     // encoded-words decoded, UTF-8
    ContentType content_type() const;
    TransferEncoding transfer_encoding() const;

private:
    Chunk bytes_;
    std::vector<HeaderField> fields_;
    HeaderEnd ended_by_ = HeaderEnd::end_of_message;
};

// Gathers the header at the begin of a message. While the header lies in one chunk, nothing is
// copied. A header past the limit is an error (552 5.3.4).
class HeaderCollector {
public:
    explicit HeaderCollector(std::size_t bytes_max = limits::header_bytes_max)
        : bytes_max_(bytes_max) {}

    // True when the header is whole; then take_header() and take_rest(), and no more write().
    Result<bool> write(Chunk chunk);
    // The message ended inside its header.
    Result<void> finish();

    bool done() const { return scanner_.ended(); }
    Header take_header();
    // What of the chunks taken lies behind the header: the body's first bytes.
    ChunkList take_rest();

private:
    Result<void> split();

    std::size_t bytes_max_;
    HeaderScanner scanner_;
    ChunkList taken_;
    ChunkList rest_;
};

// One chunk with all bytes of the list; a list of one chunk is not copied.
Chunk flatten(const ChunkList& chunks);
// [begin, end) of the list, shared.
ChunkList slice_of(const ChunkList& chunks, std::size_t begin, std::size_t end);

// RFC 5322 §2.2.3: line ends go, the white space behind them stays; trimmed at both ends.
std::string unfold(std::string_view raw);

}  // namespace sealgate

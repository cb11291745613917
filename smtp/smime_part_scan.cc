// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/smime_part_scan.h"

#include "core/limits.h"
#include "smtp/mime_boundary.h"
#include "smtp/smime_kind.h"

namespace sealgate {

namespace {

std::string_view without_line_end(std::string_view line) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool is_encoded(TransferEncoding encoding) {
    return encoding == TransferEncoding::base64 || encoding == TransferEncoding::quoted_printable ||
           encoding == TransferEncoding::unknown;
}

}  // namespace

SmimePartScan::SmimePartScan(const ContentType& root) {
    enter(root, false);
    if (levels_.empty() && !in_header_) end();
}

void SmimePartScan::feed(ByteSpan body) {
    std::string_view text = as_text(body);
    while (!text.empty() && !done_) text.remove_prefix(step(text));
}

std::size_t SmimePartScan::step(std::string_view text) {
    switch (state_) {
    case State::line_begin:
        if (text[0] == '-' && !levels_.empty()) {
            state_ = State::dash_line;
        } else {
            state_ = in_header_ ? State::header_line : State::rest;
        }
        return 0;
    case State::header_line:
    case State::dash_line: return gather(text);
    case State::rest: break;
    }
    const std::size_t lf = text.find('\n');
    if (lf == std::string_view::npos) return text.size();
    state_ = State::line_begin;
    return lf + 1;
}

std::size_t SmimePartScan::gather(std::string_view text) {
    const std::size_t lf = text.find('\n');
    const bool whole = lf != std::string_view::npos;
    const std::string_view piece = text.substr(0, whole ? lf + 1 : lf);
    const std::size_t bytes_max =
        in_header_ ? limits::part_header_bytes_max : 2 * limits::line_bytes_max;
    if (line_.size() + piece.size() > bytes_max) {  // no boundary, and no header that is read
        begin_body();
        line_.clear();
        state_ = State::rest;
        return 0;
    }
    if (!whole) {
        line_ += piece;
        return piece.size();
    }
    state_ = State::line_begin;
    if (line_.empty()) {
        on_line(piece);
    } else {
        line_ += piece;
        const std::string line = std::move(line_);
        line_.clear();
        on_line(line);
    }
    return piece.size();
}

void SmimePartScan::on_line(std::string_view line) {
    if (line[0] == '-' && on_delimiter(without_line_end(line))) return;
    if (in_header_) on_header_line(line);
}

// The innermost multipart that knows the line is meant.
bool SmimePartScan::on_delimiter(std::string_view line) {
    for (std::size_t level = levels_.size(); level-- > 0;) {
        const Delimiter delimiter = match_delimiter(line, levels_[level].boundary);
        if (delimiter == Delimiter::none) continue;
        const bool close = delimiter == Delimiter::close;
        levels_.resize(level + (close ? 0 : 1));
        if (levels_.empty()) {
            end();
        } else if (close) {
            begin_body();  // an epilogue
        } else {
            depth_ = levels_.back().depth;
            in_message_ = false;
            begin_header();
        }
        return true;
    }
    return false;
}

void SmimePartScan::begin_header() {
    in_header_ = true;
    scanner_ = HeaderScanner();
    header_.clear();
    header_bytes_ = 0;
    keeps_field_ = false;
}

void SmimePartScan::on_header_line(std::string_view line) {
    header_bytes_ += line.size();
    scanner_.scan(as_bytes(line));
    if (scanner_.ended()) return end_header();
    if (header_bytes_ > (in_message_ ? limits::header_bytes_max : limits::part_header_bytes_max))
        return begin_body();
    if (line[0] != ' ' && line[0] != '\t')
        keeps_field_ = equal_ignoring_case(line.substr(0, 8), "Content-");
    if (keeps_field_ && header_.size() + line.size() <= limits::part_header_bytes_max)
        header_ += line;
}

void SmimePartScan::end_header() {
    begin_body();
    const Header header = Header::parse(Chunk::copy_of(header_));
    if (smime_kind(header) != SmimeKind::none) {
        found_ = true;
        return end();
    }
    const bool in_digest = !in_message_ && !levels_.empty() && levels_.back().digest;
    if (!is_encoded(header.transfer_encoding())) enter(header.content_type(), in_digest);
    // An attached message that is the root, and holds no parts.
    if (levels_.empty() && !in_header_) end();
}

// Into what has parts; anything else is passed over as body.
void SmimePartScan::enter(const ContentType& type, bool in_digest) {
    if (depth_ >= limits::mime_depth_max) return;
    const bool is_message = type.is("message", "rfc822") || type.is("message", "global") ||
                            (!type.valid() && in_digest);
    if (is_message) {
        ++depth_;
        in_message_ = true;
        begin_header();
    } else if (type.type == "multipart") {
        std::string boundary = boundary_of(type);
        if (!boundary.empty())
            levels_.push_back({std::move(boundary), type.subtype == "digest", ++depth_});
    }
}

void SmimePartScan::end() {
    done_ = true;
    levels_.clear();
    header_.clear();
    line_.clear();
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_seven_bit.h"

#include <algorithm>
#include <cstring>

#include "core/limits.h"

namespace sealgate {

namespace {

// A boundary line has "--", the boundary, "--", white space and CRLF; a line longer than RFC 5322
// allows is none.
constexpr std::size_t delimiter_bytes_max = limits::line_bytes_max + 2;

// A client that sends byte by byte must not cost a chunk for each of them.
constexpr std::size_t kept_chunks_max = 256;

void keep(ChunkList& list, Chunk chunk) {
    list.append(std::move(chunk));
    if (list.count() < kept_chunks_max) return;
    Chunk one = flatten(list);
    list.clear();
    list.append(std::move(one));
}

// Up to and including the first LF, or everything.
std::size_t line_bytes(ByteSpan bytes) {
    const void* lf = std::memchr(bytes.data(), '\n', bytes.size());
    if (!lf) return bytes.size();
    return static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - bytes.data()) + 1;
}

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view field_text(TransferEncoding encoding) {
    switch (encoding) {
    case TransferEncoding::seven_bit: return "Content-Transfer-Encoding: 7bit\r\n";
    case TransferEncoding::base64: return "Content-Transfer-Encoding: base64\r\n";
    case TransferEncoding::quoted_printable:
    case TransferEncoding::absent:
    case TransferEncoding::eight_bit:
    case TransferEncoding::binary:
    case TransferEncoding::unknown: break;
    }
    return "Content-Transfer-Encoding: quoted-printable\r\n";
}

}  // namespace

SevenBitStage::SevenBitStage(Sink& below, SevenBitOptions options)
    : below_(below), options_(options) {
    begin_header(options.form == SevenBitOptions::Form::message);
    header_bytes_max_ = limits::header_bytes_max;
}

SevenBitStage::~SevenBitStage() = default;

Result<Flow> SevenBitStage::write(Chunk chunk) {
    process(chunk);
    return below_.write_all(std::exchange(out_, ChunkList()));
}

Result<Flow> SevenBitStage::finish() {
    if (state_ == State::delimiter) decide_delimiter();
    switch (state_) {
    case State::header_line_begin:
    case State::header:
        out(std::exchange(header_, ChunkList()));  // it ends without a body
        break;
    case State::body_line_begin:
    case State::body:
    case State::body_cr:
        flush_line_end();
        end_body();
        if (mode_ == Mode::encode && plan_.encode_as == TransferEncoding::base64)
            out(Chunk::literal("\r\n"));
        break;
    case State::delimiter: break;  // a boundary without its line end
    }
    TRY(below_.write_all(std::exchange(out_, ChunkList())));
    return below_.finish();
}

// --- lines -------------------------------------------------------------------------------------

void SevenBitStage::process(const Chunk& chunk) {
    for (std::size_t at = 0; at < chunk.size();) at = step(chunk, at);
}

// Takes some bytes from `at` on, or only changes the state; returns where to go on.
std::size_t SevenBitStage::step(const Chunk& chunk, std::size_t at) {
    const bool dash = chunk.data()[at] == '-' && !levels_.empty();
    switch (state_) {
    case State::header_line_begin:
        delimiter_in_header_ = dash;
        state_ = dash ? State::delimiter : State::header;
        return at;
    case State::header: return step_header(chunk, at);
    case State::body_line_begin:
        if (!dash) flush_line_end();
        state_ = dash ? State::delimiter : State::body;
        return at;
    case State::body: return step_body(chunk, at);
    case State::body_cr:
        if (chunk.data()[at] != '\n') {
            flush_line_end();
            state_ = State::body;
            return at;
        }
        line_end_.append(chunk.slice(at, at + 1));
        state_ = State::body_line_begin;
        return at + 1;
    case State::delimiter: return step_delimiter(chunk, at);
    }
    return chunk.size();
}

std::size_t SevenBitStage::step_header(const Chunk& chunk, std::size_t at) {
    const std::size_t room = header_bytes_max_ - header_.bytes();
    if (room == 0) {
        header_too_long();
        return at;
    }
    const ByteSpan bytes = chunk.bytes().first(at + std::min(room, chunk.size() - at));
    std::size_t end = at;
    do {  // line by line: one that begins with '-' may be a boundary
        end += scanner_.scan(bytes.subspan(end, line_bytes(bytes.subspan(end))));
    } while (!scanner_.ended() && bytes[end - 1] == '\n' && end < bytes.size() &&
             (levels_.empty() || bytes[end] != '-'));
    keep(header_, chunk.slice(at, end));
    if (scanner_.ended()) {
        end_header();
    } else if (bytes[end - 1] == '\n') {
        state_ = State::header_line_begin;
    }
    return end;
}

// Everything up to the next line that may be a boundary is content; the line end before that line
// waits with it.
std::size_t SevenBitStage::step_body(const Chunk& chunk, std::size_t at) {
    const ByteSpan bytes = chunk.bytes();
    std::size_t from = at;
    while (!levels_.empty() && from < bytes.size()) {
        const std::size_t lf = from + line_bytes(bytes.subspan(from)) - 1;
        if (bytes[lf] != '\n') break;
        from = lf + 1;
        if (from < bytes.size() && bytes[from] != '-') continue;
        const std::size_t line_end = lf > at && bytes[lf - 1] == '\r' ? lf - 1 : lf;
        content(chunk.slice(at, line_end));
        line_end_.append(chunk.slice(line_end, from));
        state_ = State::body_line_begin;
        return from;
    }
    std::size_t end = bytes.size();
    if (!levels_.empty() && bytes[end - 1] == '\r') {
        --end;
        line_end_.append(chunk.slice(end, end + 1));
        state_ = State::body_cr;
    }
    content(chunk.slice(at, end));
    return bytes.size();
}

std::size_t SevenBitStage::step_delimiter(const Chunk& chunk, std::size_t at) {
    ByteSpan line = chunk.bytes().subspan(
        at, std::min(chunk.size() - at, delimiter_bytes_max - delimiter_text_.size()));
    line = line.first(line_bytes(line));
    delimiter_text_.append(as_text(line));
    keep(delimiter_, chunk.slice(at, at + line.size()));
    const bool ended = line.back() == '\n';
    const bool hopeless = delimiter_text_.size() >= 2 && delimiter_text_[1] != '-';
    if (ended || hopeless || delimiter_text_.size() == delimiter_bytes_max) decide_delimiter();
    return at + line.size();
}

void SevenBitStage::decide_delimiter() {
    Match match = match_delimiter(delimiter_text_);
    // As long as that and no end: not a line to be taken for a boundary, whatever its begin is.
    if (delimiter_text_.size() == delimiter_bytes_max && delimiter_text_.back() != '\n') match = {};
    delimiter_text_.clear();
    if (match.kind != Delimiter::none) {
        if (delimiter_in_header_) {
            out(std::exchange(header_, ChunkList()));  // a part that ends inside its header
        } else {
            end_body();
        }
        on_delimiter(match);
        return;
    }
    if (delimiter_in_header_) {
        state_ = State::header;
    } else {
        flush_line_end();
        state_ = State::body;
    }
    delimiter_in_header_ = false;
    const ChunkList line = std::exchange(delimiter_, ChunkList());
    for (const Chunk& chunk : line) process(chunk);
}

SevenBitStage::Match SevenBitStage::match_delimiter(std::string_view line) const {
    while (!line.empty() && is_white(line.back())) line.remove_suffix(1);
    if (line.substr(0, 2) != "--") return {};
    line.remove_prefix(2);
    for (std::size_t level = levels_.size(); level-- > 0;) {
        const std::string& boundary = levels_[level].boundary;
        if (line.substr(0, boundary.size()) != boundary) continue;
        const std::string_view rest = line.substr(boundary.size());
        if (rest.empty()) return {Delimiter::next, level};
        if (rest == "--") return {Delimiter::close, level};
    }
    return {};
}

void SevenBitStage::on_delimiter(Match match) {
    out(std::exchange(line_end_, ChunkList()));
    out(std::exchange(delimiter_, ChunkList()));
    delimiter_in_header_ = false;
    levels_.resize(match.level + 1);
    depth_ = levels_.back().depth;
    if (match.kind == Delimiter::next) {
        begin_header(false);
        return;
    }
    levels_.pop_back();  // what follows is epilogue, up to a boundary further out
    mode_ = Mode::pass;
    state_ = State::body_line_begin;
}

// --- headers -----------------------------------------------------------------------------------

void SevenBitStage::begin_header(bool is_message) {
    header_is_message_ = is_message;
    header_bytes_max_ = limits::part_header_bytes_max;
    scanner_ = HeaderScanner();
    encoder_.reset();
    state_ = State::header_line_begin;
}

void SevenBitStage::end_header() {
    const Chunk taken = flatten(std::exchange(header_, ChunkList()));
    part_header_ = Header::parse(taken);
    const bool in_digest = !header_is_message_ && !levels_.empty() && levels_.back().digest;
    begin_body(plan_entity(part_header_, in_digest, depth_));
    // The line that ended the header by not being one of its fields.
    process(taken.slice(part_header_.bytes().size(), taken.size()));
}

void SevenBitStage::header_too_long() {
    mode_ = Mode::pass;
    state_ = State::body_line_begin;
    const ChunkList taken = std::exchange(header_, ChunkList());
    for (const Chunk& chunk : taken) process(chunk);
}

void SevenBitStage::begin_body(EntityPlan plan) {
    plan_ = std::move(plan);
    mode_ = Mode::pass;
    state_ = State::body_line_begin;
    const bool relabel =
        plan_.label == TransferEncoding::eight_bit || plan_.label == TransferEncoding::binary;
    switch (plan_.kind) {
    case EntityPlan::Kind::untouched: out(part_header_.bytes()); break;
    case EntityPlan::Kind::leaf:
        mode_ = Mode::hold;
        held_scan_ = MimeScan();
        held_nul_ = false;
        break;
    case EntityPlan::Kind::multipart:
        write_header(relabel ? TransferEncoding::seven_bit : TransferEncoding::absent);
        levels_.push_back({plan_.boundary, plan_.digest, ++depth_});
        break;
    case EntityPlan::Kind::message:
        write_header(relabel ? TransferEncoding::seven_bit : TransferEncoding::absent);
        ++depth_;
        begin_header(true);
        break;
    }
}

// The header of the part at hand with this encoding; `absent`: as it is.
void SevenBitStage::write_header(TransferEncoding encoding) {
    const Header& header = part_header_;
    if (encoding == TransferEncoding::absent) return out(header.bytes());
    bool written = false;
    std::size_t from = 0;
    for (const HeaderField& field : header.fields()) {
        if (!equal_ignoring_case(header.name(field), "Content-Transfer-Encoding")) continue;
        out(header.bytes().slice(from, field.begin));
        if (!written) out(Chunk::literal(field_text(encoding)));
        written = true;
        from = field.end;
    }
    out(header.bytes().slice(from, header.fields_end()));
    const bool leaf = plan_.kind == EntityPlan::Kind::leaf;
    if (header_is_message_ && leaf && !header.first("MIME-Version"))
        out(Chunk::literal("MIME-Version: 1.0\r\n"));
    if (!written) out(Chunk::literal(field_text(encoding)));
    if (header.ended_by() == HeaderEnd::blank_line) {
        out(header.bytes().slice(header.fields_end(), header.bytes().size()));
    } else {
        out(Chunk::literal("\r\n"));  // the body stood right behind the fields
    }
}

// --- bodies ------------------------------------------------------------------------------------

void SevenBitStage::content(Chunk bytes) {
    if (bytes.empty()) return;
    switch (mode_) {
    case Mode::pass: out(std::move(bytes)); return;
    case Mode::encode:
        encoder_->feed(bytes.bytes());
        out(encoder_->take());
        return;
    case Mode::hold: break;
    }
    const std::size_t part = std::min(bytes.size(), limits::hold_back_bytes_max - held_.bytes());
    held_scan_.feed(bytes.bytes().first(part));
    held_nul_ = held_nul_ || std::memchr(bytes.data(), 0, part) != nullptr;
    keep(held_, bytes.slice(0, part));
    if (held_.bytes() < limits::hold_back_bytes_max) return;
    decide_held(false);
    content(bytes.slice(part, bytes.size()));
}

void SevenBitStage::flush_line_end() {
    const ChunkList line_end = std::exchange(line_end_, ChunkList());
    for (const Chunk& chunk : line_end) content(chunk);
}

bool SevenBitStage::must_encode(bool whole) const {
    if (held_scan_.has_eight_bit() || held_scan_.has_long_lines() || held_nul_) return true;
    if (whole) return false;
    switch (plan_.label) {
    case TransferEncoding::eight_bit:
    case TransferEncoding::binary: return true;
    case TransferEncoding::seven_bit: return options_.trust == SevenBitOptions::Trust::nothing;
    case TransferEncoding::absent:
        return options_.trust != SevenBitOptions::Trust::seven_bit_or_no_label;
    case TransferEncoding::quoted_printable:
    case TransferEncoding::base64:
    case TransferEncoding::unknown: return false;  // never held back
    }
    return false;
}

// `whole`: the part has ended; otherwise as much as may be held back is there.
void SevenBitStage::decide_held(bool whole) {
    const ChunkList held = std::exchange(held_, ChunkList());
    if (must_encode(whole)) {
        begin_encoding();
    } else {
        mode_ = Mode::pass;
        write_header(TransferEncoding::absent);
    }
    part_header_ = Header();
    for (const Chunk& chunk : held) content(chunk);
}

void SevenBitStage::begin_encoding() {
    if (held_nul_) plan_.encode_as = TransferEncoding::base64;
    if (plan_.encode_as == TransferEncoding::base64) {
        encoder_ = std::make_unique<Base64Encoder>();
    } else {
        encoder_ = std::make_unique<QuotedPrintableEncoder>();
    }
    mode_ = Mode::encode;
    re_encoded_ = true;
    write_header(plan_.encode_as);
}

void SevenBitStage::end_body() {
    if (mode_ == Mode::hold) decide_held(true);
    if (mode_ != Mode::encode) return;
    encoder_->finish();
    out(encoder_->take());
}

void SevenBitStage::out(Chunk bytes) {
    left_.feed(bytes.bytes());
    out_.append(std::move(bytes));
}

void SevenBitStage::out(ChunkList bytes) {
    while (!bytes.empty()) out(bytes.take_front());
}

}  // namespace sealgate

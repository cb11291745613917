// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/header.h"

#include <algorithm>
#include <cstring>

#include "smtp/encoded_word.h"

namespace sealgate {

namespace {

constexpr std::string_view mbox_mark = "From ";
// A name without end is no name; RFC 5322 §2.1.1 has no line, so no name, longer than this.
constexpr std::size_t name_bytes_max = limits::line_bytes_max;

bool is_name_byte(std::uint8_t byte) { return byte > 0x20 && byte < 0x7f && byte != ':'; }
bool is_white(char c) { return c == ' ' || c == '\t'; }
bool is_line_end(char c) { return c == '\r' || c == '\n'; }

// Not "From : a@example.org", which is a field (RFC 5322 §4.5.2 lets white space stand there).
bool is_mbox_line(std::string_view line) {
    if (line.substr(0, 1) == ">") line.remove_prefix(1);
    if (line.substr(0, mbox_mark.size()) != mbox_mark) return false;
    const std::size_t next = line.find_first_not_of(" \t", mbox_mark.size());
    return next == std::string_view::npos || line[next] != ':';
}

}  // namespace

// --- HeaderScanner -----------------------------------------------------------------------------

std::size_t HeaderScanner::scan(ByteSpan bytes) {
    std::size_t at = 0;
    while (at < bytes.size() && !ended_) {
        if (state_ == State::value) {  // the bulk of a header: to the end of the line
            const void* lf = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
            const std::size_t next =
                lf ? static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - bytes.data()) +
                         1
                   : bytes.size();
            bytes_ += next - at;
            at = next;
            if (lf) {
                state_ = State::line_begin;
                line_begin_ = bytes_;
                mbox_matched_ = 0;
            }
            continue;
        }
        ++bytes_;
        state_ = step(bytes[at++]);
    }
    return at;
}

HeaderScanner::State HeaderScanner::step(std::uint8_t byte) {
    switch (state_) {
    case State::line_begin:
        if (byte == '\n') {
            end_at(bytes_, HeaderEnd::blank_line);
            return State::line_begin;
        }
        if (byte == '\r') return State::carriage_return;
        if (byte == ' ' || byte == '\t') {
            // A continuation, if there is a field to continue.
            if (line_begin_ > 0 && !only_mbox_lines_) return State::value;
            end_at(line_begin_, HeaderEnd::other_line);
            return State::line_begin;
        }
        if (byte == '>' && only_mbox_lines_) return State::name;
        [[fallthrough]];
    case State::name:
        if (only_mbox_lines_ && mbox_matched_ < mbox_mark.size()) {
            const std::size_t from = bytes_ - line_begin_ - 1;
            const bool in_place = from == mbox_matched_ || from == mbox_matched_ + std::size_t{1};
            if (in_place && byte == static_cast<std::uint8_t>(mbox_mark[mbox_matched_])) {
                if (++mbox_matched_ == mbox_mark.size()) return State::after_mbox_mark;
            } else {
                mbox_matched_ = 0xff;
            }
        }
        if (byte == ':' && bytes_ - line_begin_ > 1) {
            only_mbox_lines_ = false;
            return State::value;
        }
        if ((byte == ' ' || byte == '\t') && bytes_ - line_begin_ > 1) return State::before_colon;
        if (is_name_byte(byte) && bytes_ - line_begin_ <= name_bytes_max) return State::name;
        break;
    case State::before_colon:
        if (byte == ' ' || byte == '\t') {
            if (bytes_ - line_begin_ <= name_bytes_max) return State::before_colon;
        } else if (byte == ':') {
            only_mbox_lines_ = false;
            return State::value;
        }
        break;
    case State::after_mbox_mark:
        if (byte == ' ' || byte == '\t') return State::after_mbox_mark;
        if (byte == '\n') {  // an mbox line with nothing else on it
            line_begin_ = bytes_;
            mbox_matched_ = 0;
            return State::line_begin;
        }
        if (byte == ':') only_mbox_lines_ = false;
        return State::value;
    case State::carriage_return:
        if (byte == '\n') {
            end_at(bytes_, HeaderEnd::blank_line);
            return State::line_begin;
        }
        break;
    case State::value: break;  // scan() deals with it
    }
    end_at(line_begin_, HeaderEnd::other_line);
    return State::line_begin;
}

void HeaderScanner::finish() {
    if (ended_) return;
    const bool in_a_field =
        state_ == State::value || state_ == State::after_mbox_mark || bytes_ == line_begin_;
    end_at(in_a_field ? bytes_ : line_begin_,
           in_a_field ? HeaderEnd::end_of_message : HeaderEnd::other_line);
}

void HeaderScanner::end_at(std::size_t bytes, HeaderEnd how) {
    ended_ = true;
    end_ = how;
    header_bytes_ = bytes;
}

// --- Header ------------------------------------------------------------------------------------

Header Header::parse(Chunk bytes) {
    HeaderScanner scanner;
    scanner.scan(bytes.bytes());
    scanner.finish();
    Header header;
    header.ended_by_ = scanner.end();
    header.bytes_ = bytes.slice(0, scanner.header_bytes());

    const std::string_view text = header.bytes_.text();
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t lf = text.find('\n', at);
        const std::size_t line_end = lf == std::string_view::npos ? text.size() : lf + 1;
        const std::string_view line = text.substr(at, line_end - at);
        if (is_line_end(line[0])) break;  // the blank line
        if (is_white(line[0]) && !header.fields_.empty()) {
            header.fields_.back().end = static_cast<std::uint32_t>(line_end);
        } else {
            const std::size_t colon = is_mbox_line(line) ? std::string_view::npos : line.find(':');
            std::size_t name_end = colon == std::string_view::npos ? 0 : colon;
            while (name_end > 0 && is_white(line[name_end - 1])) --name_end;
            const std::size_t value = colon == std::string_view::npos ? 0 : colon + 1;
            header.fields_.push_back(
                {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + name_end),
                 static_cast<std::uint32_t>(at + value), static_cast<std::uint32_t>(line_end)});
        }
        at = line_end;
    }
    return header;
}

bool Header::has_eight_bit() const {
    return std::any_of(bytes_.data(), bytes_.data() + bytes_.size(),
                       [](std::uint8_t byte) { return byte >= 0x80; });
}

std::string_view Header::name(const HeaderField& field) const {
    return bytes_.text().substr(field.begin, field.name_end - field.begin);
}

std::string_view Header::raw_value(const HeaderField& field) const {
    return bytes_.text().substr(field.value_begin, field.end - field.value_begin);
}

std::string Header::value(const HeaderField& field) const { return unfold(raw_value(field)); }

Chunk Header::slice(const HeaderField& field) const { return bytes_.slice(field.begin, field.end); }

const HeaderField* Header::first(std::string_view wanted) const {
    for (const HeaderField& field : fields_)
        if (equal_ignoring_case(name(field), wanted)) return &field;
    return nullptr;
}

std::vector<const HeaderField*> Header::all(std::string_view wanted) const {
    std::vector<const HeaderField*> found;
    for (const HeaderField& field : fields_)
        if (equal_ignoring_case(name(field), wanted)) found.push_back(&field);
    return found;
}

std::size_t Header::count(std::string_view wanted) const {
    return static_cast<std::size_t>(std::count_if(
        fields_.begin(), fields_.end(),
        [&](const HeaderField& field) { return equal_ignoring_case(name(field), wanted); }));
}

std::string Header::value_of(std::string_view wanted) const {
    const HeaderField* field = first(wanted);
    return field ? value(*field) : std::string();
}

std::string Header::message_id() const { return value_of("Message-ID"); }

std::string Header::subject() const { return decode_encoded_words(value_of("Subject")); }

ContentType Header::content_type() const {
    const HeaderField* field = first("Content-Type");
    return field ? parse_content_type(raw_value(*field)) : ContentType{};
}

TransferEncoding Header::transfer_encoding() const {
    TransferEncoding encoding = TransferEncoding::absent;
    bool seen = false;
    for (const HeaderField& field : fields_) {
        if (!equal_ignoring_case(name(field), "Content-Transfer-Encoding")) continue;
        const TransferEncoding said = parse_transfer_encoding(raw_value(field));
        if (seen && said != encoding) return TransferEncoding::unknown;
        encoding = said;
        seen = true;
    }
    return encoding;
}

// --- HeaderCollector ---------------------------------------------------------------------------

Result<bool> HeaderCollector::write(Chunk chunk) {
    CHECK(!done());
    scanner_.scan(chunk.bytes());
    taken_.append(std::move(chunk));
    if (done()) {
        TRY(split());
        return true;
    }
    // One line more than the limit, for it may turn out to be the body's first.
    if (taken_.bytes() > bytes_max_ + limits::line_bytes_max + 2)
        return past_limit("message header too large", bytes_max_);
    return false;
}

Result<void> HeaderCollector::finish() {
    if (done()) return {};
    scanner_.finish();
    return split();
}

Result<void> HeaderCollector::split() {
    const std::size_t header_bytes = scanner_.header_bytes();
    if (header_bytes > bytes_max_) return past_limit("message header too large", bytes_max_);
    rest_ = slice_of(taken_, header_bytes, taken_.bytes());
    taken_ = slice_of(taken_, 0, header_bytes);
    return {};
}

Header HeaderCollector::take_header() {
    CHECK(done());
    Header header = Header::parse(flatten(taken_));
    taken_.clear();
    return header;
}

ChunkList HeaderCollector::take_rest() { return std::exchange(rest_, ChunkList()); }

// --- bytes and text ----------------------------------------------------------------------------

Chunk flatten(const ChunkList& chunks) {
    if (chunks.empty()) return {};
    if (chunks.count() == 1) return *chunks.begin();
    ChunkBuilder builder(chunks.bytes());
    for (const Chunk& chunk : chunks) builder.append(chunk.bytes());
    return builder.take().take_front();
}

ChunkList slice_of(const ChunkList& chunks, std::size_t begin, std::size_t end) {
    ChunkList part;
    std::size_t at = 0;
    for (const Chunk& chunk : chunks) {
        const std::size_t from = std::max(begin, at);
        const std::size_t to = std::min(end, at + chunk.size());
        if (from < to) part.append(chunk.slice(from - at, to - at));
        at += chunk.size();
        if (at >= end) break;
    }
    return part;
}

std::string unfold(std::string_view raw) {
    std::string text;
    text.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '\n') continue;
        if (raw[i] == '\r' && i + 1 < raw.size() && raw[i + 1] == '\n') continue;
        text.push_back(raw[i]);
    }
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace sealgate

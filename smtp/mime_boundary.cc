// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_boundary.h"

#include "core/limits.h"

namespace sealgate {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

}  // namespace

Delimiter match_delimiter(std::string_view line, std::string_view boundary) {
    if (line.substr(0, 2) != "--" || line.substr(2, boundary.size()) != boundary)
        return Delimiter::none;
    line.remove_prefix(2 + boundary.size());
    while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
    if (line.empty()) return Delimiter::next;
    return line == "--" ? Delimiter::close : Delimiter::none;
}

std::string boundary_of(const ContentType& type) {
    std::string_view boundary = type.parameter("boundary");
    while (!boundary.empty() && is_space(boundary.back())) boundary.remove_suffix(1);
    if (boundary.size() > limits::boundary_bytes_max) return {};
    return std::string(boundary);
}

bool DelimiterScanner::may_begin(std::string_view line) const {
    const std::string_view dashes = line.substr(0, 2);
    if (dashes != std::string_view("--").substr(0, dashes.size())) return false;
    if (line.size() <= 2) return true;
    const std::string_view begin = line.substr(2, boundary_.size());
    return begin == std::string_view(boundary_).substr(0, begin.size());
}

DelimiterScanner::Answer DelimiterScanner::step(std::uint8_t byte) {
    switch (state_) {
    case State::dashes:
        if (byte != '-') return Answer::no;
        if (++matched_ < 2) return Answer::unknown;
        matched_ = 0;
        state_ = boundary_.empty() ? State::behind : State::boundary;
        return Answer::unknown;
    case State::boundary:
        if (byte != static_cast<std::uint8_t>(boundary_[matched_])) return Answer::no;
        if (++matched_ == boundary_.size()) state_ = State::behind;
        return Answer::unknown;
    case State::behind:
        if (byte == '-') {
            state_ = State::dash;
            return Answer::unknown;
        }
        state_ = State::white;
        [[fallthrough]];
    case State::white:
        if (is_space(static_cast<char>(byte)) && ++white_ <= limits::line_bytes_max)
            return Answer::unknown;
        if (byte != '\r') return Answer::no;
        state_ = State::line_feed;
        return Answer::unknown;
    case State::dash:
        if (byte != '-') return Answer::no;
        close_ = true;
        state_ = State::white;
        return Answer::unknown;
    case State::line_feed:
        if (byte != '\n') return Answer::no;
        return close_ ? Answer::close : Answer::next;
    }
    return Answer::no;
}

DelimiterScanner::Answer DelimiterScanner::at_end() const {
    switch (state_) {
    case State::behind:
    case State::white:
    case State::line_feed: return close_ ? Answer::close : Answer::next;
    case State::dashes:
    case State::boundary:
    case State::dash: break;
    }
    return Answer::no;
}

}  // namespace sealgate

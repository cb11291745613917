// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_signed_parts.h"

#include <cstring>

#include "smtp/header.h"

namespace sealgate {

namespace {

// A peer that sends byte by byte must not cost a chunk for each of them.
constexpr std::size_t held_chunks_max = 64;

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

SignedParts::SignedParts(std::string boundary, Sink& content, Sink& signature)
    : scanner_(std::move(boundary)), content_(content), signature_(signature) {}

Result<Flow> SignedParts::write(Chunk chunk) {
    if (scanner_.boundary().empty()) return malformed("multipart/signed names no boundary");
    flow_ = Flow::open;
    for (std::size_t at = 0; at < chunk.size();) at = TRY(step(chunk, at));
    bytes_ += chunk.size();
    return flow_;
}

Result<Flow> SignedParts::finish() {
    if (state_ == State::delimiter && scanner_.at_end() != DelimiterScanner::Answer::no) {
        TRY(on_delimiter(scanner_.at_end()));
    } else {
        TRY(pass_held());
    }
    switch (region_) {
    case Region::preamble: return malformed("multipart/signed without parts", bytes_);
    case Region::content: return malformed("multipart/signed without a second part", bytes_);
    case Region::signature: return signature_.finish();
    case Region::epilogue: break;
    }
    return Flow::open;
}

Result<std::size_t> SignedParts::step(const Chunk& chunk, std::size_t at) {
    if (region_ == Region::epilogue) {  // no boundary counts behind the closing one
        has_epilogue_ = has_epilogue_ || !is_blank(chunk.text().substr(at));
        return chunk.size();
    }
    const std::uint8_t byte = chunk.data()[at];
    switch (state_) {
    case State::line_begin:
        if (byte == '-') {
            scanner_.restart();
            state_ = State::delimiter;
            return at;
        }
        TRY(pass_held());
        state_ = State::text;
        return at;
    case State::text: return step_text(chunk, at);
    case State::after_cr:
        if (byte == '\n') {
            hold(chunk.slice(at, at + 1));
            state_ = State::line_begin;
            return at + 1;
        }
        TRY(pass_held());
        state_ = State::text;
        return at;
    case State::delimiter: return step_delimiter(chunk, at);
    }
    return chunk.size();
}

// Everything up to the next line that may be a boundary; the CRLF before that line is held.
Result<std::size_t> SignedParts::step_text(const Chunk& chunk, std::size_t at) {
    const std::string_view text = chunk.text();
    for (std::size_t from = at;;) {
        const std::size_t lf = text.find('\n', from);
        if (lf == std::string_view::npos) break;
        from = lf + 1;
        if (lf == at || text[lf - 1] != '\r') continue;
        if (!scanner_.may_begin(text.substr(from))) continue;
        TRY(pass(chunk.slice(at, lf - 1)));
        hold(chunk.slice(lf - 1, from));
        state_ = State::line_begin;
        return from;
    }
    const bool after_cr = text.back() == '\r';
    const std::size_t end = text.size() - (after_cr ? 1 : 0);
    TRY(pass(chunk.slice(at, end)));
    if (after_cr) {
        hold(chunk.slice(end, text.size()));
        state_ = State::after_cr;
    }
    return text.size();
}

Result<std::size_t> SignedParts::step_delimiter(const Chunk& chunk, std::size_t at) {
    for (std::size_t i = at; i < chunk.size(); ++i) {
        const DelimiterScanner::Answer answer = scanner_.step(chunk.data()[i]);
        if (answer == DelimiterScanner::Answer::unknown) continue;
        if (answer == DelimiterScanner::Answer::no) {
            hold(chunk.slice(at, i));
            TRY(pass_held());
            state_ = State::text;
            return i;
        }
        TRY(on_delimiter(answer));
        return i + 1;
    }
    hold(chunk.slice(at, chunk.size()));
    return chunk.size();
}

Result<void> SignedParts::on_delimiter(DelimiterScanner::Answer answer) {
    held_.clear();
    state_ = State::line_begin;
    flow_ = Flow::open;
    const bool next = answer == DelimiterScanner::Answer::next;
    switch (region_) {
    case Region::preamble:
        if (!next) return malformed("multipart/signed without parts", bytes_);
        region_ = Region::content;
        return {};
    case Region::content:
        if (!next) return malformed("multipart/signed without a second part", bytes_);
        TRY(content_.finish());
        region_ = Region::signature;
        return {};
    case Region::signature:
        if (next) return malformed("multipart/signed with a third part", bytes_);
        flow_ = TRY(signature_.finish());
        region_ = Region::epilogue;
        return {};
    case Region::epilogue: break;
    }
    return {};
}

Result<void> SignedParts::pass(Chunk bytes) {
    if (bytes.empty()) return {};
    switch (region_) {
    case Region::preamble: has_preamble_ = has_preamble_ || !is_blank(bytes.text()); break;
    case Region::content: flow_ = TRY(content_.write(std::move(bytes))); break;
    case Region::signature: flow_ = TRY(signature_.write(std::move(bytes))); break;
    case Region::epilogue: break;
    }
    return {};
}

Result<void> SignedParts::pass_held() {
    while (!held_.empty()) TRY(pass(held_.take_front()));
    return {};
}

void SignedParts::hold(Chunk bytes) {
    held_.append(std::move(bytes));
    if (held_.count() < held_chunks_max) return;
    Chunk one = flatten(held_);
    held_.clear();
    held_.append(std::move(one));
}

}  // namespace sealgate

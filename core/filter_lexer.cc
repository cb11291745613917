// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/filter_lexer.h"

namespace sealgate {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
}

}  // namespace

void FilterLexer::skip_blanks() {
    while (at_ < source_.size()) {
        const char c = source_[at_];
        if (c == '#') {
            while (at_ < source_.size() && source_[at_] != '\n') ++at_;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            ++at_;
        } else {
            return;
        }
    }
}

Result<FilterToken> FilterLexer::next() {
    skip_blanks();
    FilterToken token;
    token.at = at_;
    if (at_ == source_.size()) return token;
    const char c = source_[at_];
    if (c == '"' || c == '\'') return take_text(c);
    if (is_digit(c)) return take_number();
    if (is_word(c)) {
        while (at_ < source_.size() && is_word(source_[at_])) ++at_;
        token.kind = FilterToken::Kind::word;
    } else {
        const bool two = at_ + 1 < source_.size() && source_[at_ + 1] == '=';
        if ((c == '=' || c == '!') && !two) return malformed("expected == or !=", at_);
        if (c == '=' || c == '!' || ((c == '<' || c == '>') && two)) {
            at_ += 2;
        } else if (std::string_view("(){};:,<>").find(c) != std::string_view::npos) {
            at_ += 1;
        } else {
            return malformed("unexpected character", at_);
        }
        token.kind = FilterToken::Kind::punctuation;
    }
    token.source = source_.substr(token.at, at_ - token.at);
    return token;
}

// `\\` is a backslash and \" a quote; any other backslash stays, so that "\d+" means what it says.
Result<FilterToken> FilterLexer::take_text(char quote) {
    FilterToken token;
    token.kind = FilterToken::Kind::text;
    token.at = at_++;
    for (; at_ < source_.size(); ++at_) {
        const char c = source_[at_];
        if (c == quote) {
            ++at_;
            token.source = source_.substr(token.at, at_ - token.at);
            return token;
        }
        if (c == '\n') break;
        if (c == '\\' && at_ + 1 < source_.size() &&
            (source_[at_ + 1] == '\\' || source_[at_ + 1] == quote))
            ++at_;
        token.text += source_[at_];
    }
    return malformed("a text without its closing quote", token.at);
}

Result<FilterToken> FilterLexer::take_number() {
    FilterToken token;
    token.kind = FilterToken::Kind::number;
    token.at = at_;
    constexpr std::uint64_t most = std::uint64_t{1} << 40;
    while (at_ < source_.size() && is_digit(source_[at_])) {
        token.number = token.number * 10 + static_cast<std::uint64_t>(source_[at_++] - '0');
        if (token.number > most) return past_limit("a number above 2^40", token.at);
    }
    if (at_ < source_.size()) {
        const char unit = source_[at_];
        const unsigned shift = unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0;
        if (shift > 0) ++at_;
        token.number <<= shift;
        if (token.number > most) return past_limit("a number above 2^40", token.at);
    }
    if (at_ < source_.size() && is_word(source_[at_]))
        return malformed("a number goes on with letters", token.at);
    token.source = source_.substr(token.at, at_ - token.at);
    return token;
}

}  // namespace sealgate

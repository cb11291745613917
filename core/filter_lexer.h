// SPDX-License-Identifier: GPL-3.0-or-later
// The filter language's words: names, texts, numbers, punctuation, each with its offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sealgate {

struct FilterToken {
    enum class Kind : std::uint8_t { word, text, number, punctuation, end };

    Kind kind = Kind::end;
    std::size_t at = 0;        // offset in the source
    std::string_view source;   // as written
    std::string text;          // of a text: unquoted
    std::uint64_t number = 0;  // of a number, its unit (K, M, G) applied

    bool is(std::string_view what) const {
        return (kind == Kind::word || kind == Kind::punctuation) && source == what;
    }
};

// An Error's `at` is the offset in the source. `source` must outlive the lexer and its tokens.
class FilterLexer {
public:
    explicit FilterLexer(std::string_view source) : source_(source) {}
    Result<FilterToken> next();

private:
    void skip_blanks();
    Result<FilterToken> take_text(char quote);
    Result<FilterToken> take_number();

    std::string_view source_;
    std::size_t at_ = 0;
};

}  // namespace sealgate

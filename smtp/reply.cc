// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/reply.h"

#include <algorithm>
#include <string_view>

namespace sealgate {
namespace {

// Texts come from operators and next hops: no control character of theirs may make a second line.
void append_printable(std::string& wire, std::string_view text) {
    for (const char c : text) {
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        wire.push_back(control ? '?' : c);
    }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 3463 §2: class "." subject "." detail, of at most three digits each.
bool is_enhanced_code(std::string_view word) {
    if (word.size() < 5 || word.size() > 9 || (word[0] != '4' && word[0] != '5')) return false;
    if (word[1] != '.') return false;
    const std::size_t dot = word.find('.', 2);
    if (dot == std::string_view::npos || dot == 2 || dot > 5) return false;
    const std::size_t detail_digits = word.size() - dot - 1;
    return detail_digits >= 1 && detail_digits <= 3 &&
           std::all_of(word.begin() + 2, word.begin() + static_cast<long>(dot), is_digit) &&
           std::all_of(word.begin() + static_cast<long>(dot) + 1, word.end(), is_digit);
}

}  // namespace

std::string Reply::to_wire() const {
    std::string wire;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        wire += std::to_string(code);
        wire.push_back(i + 1 < lines.size() ? '-' : ' ');
        if (!enhanced.empty()) {
            wire += enhanced;
            wire.push_back(' ');
        }
        append_printable(wire, lines[i]);
        wire += "\r\n";
    }
    return wire;
}

std::string Reply::text() const {
    std::string joined = enhanced;
    for (const std::string& line : lines) {
        if (!joined.empty()) joined.push_back(' ');
        append_printable(joined, line);
    }
    return joined;
}

Reply make_reply(int code, std::string enhanced, std::string text) {
    Reply reply;
    reply.code = code;
    reply.enhanced = std::move(enhanced);
    reply.lines.push_back(std::move(text));
    return reply;
}

Reply reply_for(const Error& error) {
    switch (error.kind) {
    case ErrorKind::malformed: return make_reply(554, "5.6.0", error.what);
    case ErrorKind::limit: return make_reply(552, "5.3.4", error.what);
    case ErrorKind::unsupported: return make_reply(554, "5.6.1", error.what);
    case ErrorKind::untrusted: return make_reply(550, "5.7.1", error.what);
    case ErrorKind::temporary: return make_reply(451, "4.3.0", error.what);
    case ErrorKind::internal: break;  // our fault: nothing about our inside is the peer's business
    }
    return make_reply(451, "4.3.0", "Local error, please try again later");
}

Reply parse_reply_text(const std::string& text) {
    std::string_view rest = text;
    const auto take_word = [&rest] {
        const std::string_view word = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
        return word;
    };
    const std::string_view code = take_word();
    if (code.size() != 3 || !std::all_of(code.begin(), code.end(), is_digit) ||
        (code[0] != '4' && code[0] != '5')) {
        return make_reply(550, "5.7.1", text);  // words without a code of their own
    }
    Reply reply;
    reply.code = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
    std::string_view enhanced = rest;
    if (is_enhanced_code(enhanced.substr(0, enhanced.find(' ')))) reply.enhanced = take_word();
    reply.lines.emplace_back(rest.empty() ? std::string_view("Refused") : rest);
    return reply;
}

}  // namespace sealgate

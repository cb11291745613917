// SPDX-License-Identifier: GPL-3.0-or-later
// printable() of core/mail_log.h: what peers say, made harmless for a line of text.
#include "core/mail_log.h"

namespace sealgate {
namespace {

struct Character {
    std::size_t bytes = 1;
    char32_t code = 0;
    bool valid = false;
};

// RFC 3629 §4: shortest form only, no surrogates, nothing above U+10FFFF.
Character decode(std::string_view text) {
    const auto at = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const unsigned first = at(0);
    if (first < 0x80) return {1, first, true};
    const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4) return {};
    char32_t code = first & (0x7fu >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((at(i) & 0xc0) != 0x80) return {};
        code = code << 6 | (at(i) & 0x3f);
    }
    const bool too_long = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (too_long || surrogate || code > 0x10ffff) return {};
    return {bytes, code, true};
}

// What a terminal or a viewer acts upon: C0, DEL, C1, line separators, writing direction.
bool acts(char32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f;
}

std::string escaped_bytes(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes)
        text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    return text;
}

std::string escaped(const Character& character, std::string_view bytes) {
    switch (character.code) {
    case '\t': return "\\t";
    case '\r': return "\\r";
    case '\n': return "\\n";
    case '"': return "\\\"";
    case '\\': return "\\\\";
    default: return escaped_bytes(bytes);
    }
}

}  // namespace

std::string printable(std::string_view peer_text, std::size_t characters_max) {
    std::string text;
    std::size_t characters = 0;
    while (!peer_text.empty()) {
        const Character character = decode(peer_text);
        const std::string_view bytes = peer_text.substr(0, character.bytes);
        const bool plain = character.valid && !acts(character.code) && character.code != '"' &&
                           character.code != '\\';
        const std::string shown = !character.valid ? escaped_bytes(bytes)
                                  : plain          ? std::string(bytes)
                                                   : escaped(character, bytes);
        characters += plain ? 1 : shown.size();
        if (characters > characters_max) return text + "...";
        text += shown;
        peer_text.remove_prefix(character.bytes);
    }
    return text;
}

}  // namespace sealgate

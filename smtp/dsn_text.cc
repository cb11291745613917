// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/dsn_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "core/limits.h"

namespace sealgate {
namespace {

constexpr std::size_t fold_at = 76;
// A word without spaces that is longer than a line may be is cut here: two of our own names and
// some room under 998.
constexpr std::size_t word_bytes_max = 900;

// One character of UTF-8 at the front of `text`; U+FFFD and one byte for what is none.
struct Decoded {
    std::uint32_t character = 0xfffd;
    std::size_t bytes = 1;
};

Decoded decode_utf8(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return {first, 1};
    std::size_t bytes = 0;
    std::uint32_t value = 0;
    if (first >= 0xc2 && first < 0xe0) {
        bytes = 2;
        value = first & 0x1fU;
    } else if ((first & 0xf0U) == 0xe0) {
        bytes = 3;
        value = first & 0x0fU;
    } else if (first >= 0xf0 && first < 0xf5) {
        bytes = 4;
        value = first & 0x07U;
    }
    if (bytes == 0 || text.size() < bytes) return {};
    for (std::size_t i = 1; i < bytes; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0U) != 0x80) return {};
        value = (value << 6) | (next & 0x3fU);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[bytes] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
    return {value, bytes};
}

void append_quoted(std::string& out, unsigned char byte) { out += fmt::format("={:02X}", byte); }

// One line without its CRLF, with soft breaks.
void append_quoted_line(std::string& out, std::string_view line) {
    std::size_t column = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto byte = static_cast<unsigned char>(line[i]);
        const bool last = i + 1 == line.size();
        // White space at an end would be lost; a lone dot and "From " are changed by mail systems.
        const bool plain = (byte > 0x20 && byte < 0x7f && byte != '=' &&
                            !(column == 0 && (byte == '.' || byte == 'F'))) ||
                           ((byte == ' ' || byte == '\t') && !last);
        const std::size_t width = plain ? 1 : 3;
        if (column + width + (last ? 0 : 1) > fold_at) {
            out += "=\r\n";
            column = 0;
        }
        if (plain) {
            out.push_back(line[i]);
        } else {
            append_quoted(out, byte);
        }
        column += width;
    }
    out += "\r\n";
}

}  // namespace

bool is_ascii_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_clean_mail_text(std::string_view text) {
    std::size_t line_bytes = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte >= 0x80 || byte == 0 || byte == '\n') return false;
        if (byte == '\r') {
            if (i + 1 == text.size() || text[i + 1] != '\n') return false;
            ++i;
            line_bytes = 0;
            continue;
        }
        if (++line_bytes > limits::line_bytes_max) return false;
    }
    return true;
}

std::string ascii_only(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == '\r' || byte == '\n' || byte == '\t') {
            out.push_back(' ');
        } else {
            out.push_back(byte >= 0x20 && byte < 0x7f ? c : '?');
        }
    }
    return out;
}

std::string folded_field(std::string_view name, std::string_view value) {
    std::string out(name);
    out += ":";
    std::size_t column = out.size();
    while (!value.empty()) {
        std::string_view word = value.substr(0, value.find(' '));
        value.remove_prefix(std::min(value.size(), word.size() + 1));
        if (word.empty()) continue;
        word = word.substr(0, word_bytes_max);
        if (column + 1 + word.size() > fold_at && column > name.size() + 1) {
            out += "\r\n";
            column = 0;
        }
        out += " ";
        out += word;
        column += 1 + word.size();
    }
    return out + "\r\n";
}

std::string quoted_printable(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    while (!text.empty()) {
        const std::size_t end = text.find("\r\n");
        append_quoted_line(out, text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 2);
    }
    return out;
}

std::string typed_address(std::string_view address) {
    if (is_ascii_text(address)) return "rfc822; " + ascii_only(address);
    std::string out = "utf-8; ";
    while (!address.empty()) {
        const Decoded next = decode_utf8(address);
        // RFC 6533 §3: besides what is not ASCII, the backslash stands for itself by its code.
        const bool plain = next.character > 0x20 && next.character < 0x7f &&
                           next.character != '\\' && next.character != '+' && next.character != '=';
        if (plain) {
            out.push_back(static_cast<char>(next.character));
        } else {
            out += fmt::format("\\x{{{:02X}}}", next.character);
        }
        address.remove_prefix(next.bytes);
    }
    return out;
}

}  // namespace sealgate

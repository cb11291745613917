// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/encoded_word.h"

#include <iconv.h>

#include <array>
#include <cstdint>
#include <optional>

#include "crypto/base64.h"
#include "smtp/header.h"

namespace sealgate {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// RFC 2047 §2 has 75 characters; clients write whole subjects as one. Bounds keep the work linear.
constexpr std::size_t charset_bytes_max = 80;
constexpr std::size_t payload_bytes_max = 4000;
constexpr int words_max = 500;  // of one text; what follows them stays as it stands

void append_utf8(std::string& text, char32_t point) {
    const auto put = [&text](char32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0 | (point >> 6));
        put(0x80 | (point & 0x3F));
    } else {
        put(0xE0 | (point >> 12));
        put(0x80 | ((point >> 6) & 0x3F));
        put(0x80 | (point & 0x3F));
    }
}

// Windows-1252 at 0x80…0x9F; 0 where nothing is assigned. Mail that says ISO-8859-1 means it too.
constexpr std::array<char16_t, 32> windows_1252 = {
    // clang-format off
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
    0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
    // clang-format on
};

char32_t latin_1(std::uint8_t byte) { return byte; }

char32_t latin_9(std::uint8_t byte) {  // ISO-8859-15
    switch (byte) {
    case 0xA4: return 0x20AC;
    case 0xA6: return 0x0160;
    case 0xA8: return 0x0161;
    case 0xB4: return 0x017D;
    case 0xB8: return 0x017E;
    case 0xBC: return 0x0152;
    case 0xBD: return 0x0153;
    case 0xBE: return 0x0178;
    default: return byte;
    }
}

char32_t western_windows(std::uint8_t byte) {
    if (byte < 0x80 || byte > 0x9F) return byte;
    const char16_t point = windows_1252[byte - 0x80u];
    return point != 0 ? point : 0xFFFD;
}

std::string by_table(std::string_view bytes, char32_t (*point_of)(std::uint8_t)) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char c : bytes) append_utf8(text, point_of(static_cast<std::uint8_t>(c)));
    return text;
}

// Names of charsets are short and plain; anything else is not given to iconv_open().
bool plausible_charset(std::string_view name) {
    if (name.empty() || name.size() > 40) return false;
    for (const char c : name) {
        const bool alphanumeric =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alphanumeric && std::string_view("-_.:+").find(c) == std::string_view::npos)
            return false;
    }
    return true;
}

std::optional<std::string> by_iconv(const std::string& charset, std::string_view bytes) {
    if (!plausible_charset(charset)) return std::nullopt;
    const iconv_t converter = iconv_open("UTF-8", charset.c_str());
    if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
    std::string input(bytes);
    std::string text;
    std::array<char, 1024> buffer;
    char* from = input.data();
    std::size_t from_bytes = input.size();
    bool flushing = false;
    for (;;) {
        char* to = buffer.data();
        std::size_t to_bytes = buffer.size();
        const std::size_t before = from_bytes;
        const std::size_t outcome = flushing ? iconv(converter, nullptr, nullptr, &to, &to_bytes)
                                             : iconv(converter, &from, &from_bytes, &to, &to_bytes);
        text.append(buffer.data(), buffer.size() - to_bytes);
        if (flushing) break;  // what a stateful charset still has fits one buffer
        if (outcome != static_cast<std::size_t>(-1)) {
            flushing = true;
        } else if (to_bytes == buffer.size() && from_bytes == before) {  // a bad byte: step over it
            text.append(replacement);
            ++from;
            if (--from_bytes == 0) flushing = true;
        }
    }
    iconv_close(converter);
    return text;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decode_q(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '_') {
            decoded.push_back(' ');
        } else if (text[i] == '=' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                   hex_value(text[i + 2]) >= 0) {
            decoded.push_back(
                static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
            i += 2;
        } else {
            decoded.push_back(text[i]);
        }
    }
    return decoded;
}

struct EncodedWord {
    std::string charset;
    std::string bytes;
    std::size_t size = 0;  // as written
};

// `=?charset?Q?text?=` at the begin of `text`. RFC 2047 §2 forbids white space inside; clients put
// spaces into Q text all the same.
std::optional<EncodedWord> read_encoded_word(std::string_view text) {
    if (text.substr(0, 2) != "=?") return std::nullopt;
    const std::size_t charset_end = text.substr(0, charset_bytes_max).find('?', 2);
    if (charset_end == std::string_view::npos || charset_end + 2 >= text.size() ||
        text[charset_end + 2] != '?') {
        return std::nullopt;
    }
    const char how = static_cast<char>(text[charset_end + 1] | 0x20);
    const std::size_t begin = charset_end + 3;
    const std::size_t end = text.substr(0, begin + payload_bytes_max).find("?=", begin);
    if (end == std::string_view::npos || (how != 'q' && how != 'b')) return std::nullopt;
    EncodedWord word;
    const std::string_view charset = text.substr(2, charset_end - 2);
    word.charset = lower_case(charset.substr(0, charset.find('*')));  // RFC 2231 §5: language
    if (word.charset.find_first_of(" \t\"<>") != std::string::npos) return std::nullopt;
    const std::string_view payload = text.substr(begin, end - begin);
    word.bytes = how == 'q' ? decode_q(payload) : decode_base64_text(payload);
    word.size = end + 2;
    return word;
}

}  // namespace

std::string decode_encoded_words(std::string_view text) {
    std::string decoded;
    std::string charset;  // of `pending`: neighbours may cut a character in two
    std::string pending;
    const auto flush = [&] {
        if (!pending.empty()) decoded += to_utf8(charset, pending);
        pending.clear();
    };
    bool after_word = false;
    int words = 0;
    for (std::size_t at = 0; at < text.size();) {
        // RFC 2047 §6.2: white space between encoded-words is not shown.
        const std::size_t next = after_word ? text.find_first_not_of(" \t", at) : at;
        const auto word = next == std::string_view::npos || ++words > words_max
                              ? std::nullopt
                              : read_encoded_word(text.substr(next));
        if (word) {
            if (word->charset != charset) flush();
            charset = word->charset;
            pending += word->bytes;
            at = next + word->size;
            after_word = true;
            continue;
        }
        flush();
        after_word = false;
        const std::size_t plain_end = text.find("=?", at + 1);
        const std::size_t end = plain_end == std::string_view::npos ? text.size() : plain_end;
        decoded += repair_utf8(text.substr(at, end - at));
        at = end;
    }
    flush();
    return decoded;
}

std::string to_utf8(std::string_view charset, std::string_view bytes) {
    const std::string name = lower_case(charset);
    if (name.empty() || name == "utf-8" || name == "utf8" || name == "us-ascii")
        return repair_utf8(bytes);
    if (name == "iso-8859-1") return by_table(bytes, latin_1);
    if (name == "iso-8859-15") return by_table(bytes, latin_9);
    if (name == "windows-1252") return by_table(bytes, western_windows);
    if (auto text = by_iconv(name, bytes)) return repair_utf8(*text);
    return repair_utf8(bytes);
}

std::string repair_utf8(std::string_view text) {
    std::string repaired;
    repaired.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = [&](std::size_t at) -> unsigned {
            return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0u;
        };
        const unsigned lead = byte(i);
        const auto follows = [&](std::size_t at) { return (byte(at) & 0xC0) == 0x80; };
        std::size_t size = 0;
        if (lead < 0x80) {
            size = 1;
        } else if (lead >= 0xC2 && lead <= 0xDF && follows(i + 1)) {
            size = 2;
        } else if (lead >= 0xE0 && lead <= 0xEF && follows(i + 1) && follows(i + 2)) {
            const bool overlong = lead == 0xE0 && byte(i + 1) < 0xA0;
            const bool surrogate = lead == 0xED && byte(i + 1) >= 0xA0;
            size = overlong || surrogate ? 0 : 3;
        } else if (lead >= 0xF0 && lead <= 0xF4 && follows(i + 1) && follows(i + 2) &&
                   follows(i + 3)) {
            const bool overlong = lead == 0xF0 && byte(i + 1) < 0x90;
            const bool past_end = lead == 0xF4 && byte(i + 1) >= 0x90;
            size = overlong || past_end ? 0 : 4;
        }
        if (size == 0) {
            repaired.append(replacement);
            ++i;
        } else {
            repaired.append(text.substr(i, size));
            i += size;
        }
    }
    return repaired;
}

}  // namespace sealgate

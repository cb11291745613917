// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/certificate_text.h"

#include <algorithm>

#include "core/text.h"

namespace sealgate {
namespace {

bool is_printable_ascii(char c) { return c > ' ' && c < 0x7f; }

bool is_utf8(ByteSpan bytes) {
    for (std::size_t i = 0; i < bytes.size();) {
        const std::uint8_t lead = bytes[i++];
        if (lead < 0x80) continue;
        const std::size_t more = lead >= 0xf0 && lead < 0xf5   ? 3
                                 : lead >= 0xe0 && lead < 0xf0 ? 2
                                 : lead >= 0xc2 && lead < 0xe0 ? 1
                                                               : 0;
        if (more == 0 || bytes.size() - i < more) return false;
        for (std::size_t k = 0; k < more; ++k) {
            if ((bytes[i++] & 0xc0) != 0x80) return false;
        }
    }
    return true;
}

void append_utf8(std::string& text, unsigned code) {
    const auto put = [&text](unsigned byte) { text += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | code >> 6);
        put(0x80 | (code & 0x3f));
    } else {
        put(0xe0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3f));
        put(0x80 | (code & 0x3f));
    }
}

}  // namespace

std::string to_hexadecimal(ByteSpan bytes) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::optional<std::string> normal_mail_address(std::string_view text) {
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos || at == 0) return std::nullopt;
    if (!std::all_of(text.begin(), text.end(), is_printable_ascii)) return std::nullopt;
    const auto domain = normal_domain(text.substr(at + 1));
    if (!domain || domain->front() == '*') return std::nullopt;
    return std::string(text.substr(0, at + 1)) + *domain;
}

std::optional<std::string> normal_domain(std::string_view text) {
    if (!text.empty() && text.back() == '.') text.remove_suffix(1);
    if (text.empty() || text.size() > 253) return std::nullopt;
    const std::string_view labels = text.substr(0, 2) == "*." ? text.substr(2) : text;
    if (labels.empty() || labels.front() == '.' || labels.find("..") != std::string_view::npos) {
        return std::nullopt;
    }
    std::string domain;
    for (const char c : text) {
        if (!is_printable_ascii(c) || c == '@') return std::nullopt;
        domain += lower_case(c);
    }
    // A star elsewhere matches nothing (RFC 9525 §6.3), so it is no name worth keeping.
    if (labels.find('*') != std::string_view::npos) return std::nullopt;
    return domain;
}

bool domain_covers(std::string_view pattern, std::string_view domain) {
    if (pattern.substr(0, 2) != "*.") return pattern == domain;
    const std::size_t dot = domain.find('.');
    return dot != std::string_view::npos && dot > 0 && domain.substr(dot) == pattern.substr(1);
}

std::string name_value_to_utf8(ByteSpan bytes) {
    const bool has_zero = std::find(bytes.begin(), bytes.end(), 0) != bytes.end();
    if (!has_zero && is_utf8(bytes)) return std::string(as_text(bytes));
    std::string text;
    if (has_zero && bytes.size() % 2 == 0) {
        for (std::size_t i = 0; i < bytes.size(); i += 2) {
            const unsigned code = static_cast<unsigned>(bytes[i]) << 8 | bytes[i + 1];
            append_utf8(text, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
        }
        return text;
    }
    for (const std::uint8_t byte : bytes) append_utf8(text, byte);
    return text;
}

std::string escape_name_value(std::string_view text) {
    static constexpr std::string_view specials = ",+\"\\<>;=";
    std::string escaped;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            const auto byte = static_cast<std::uint8_t>(c);
            escaped += '\\' + to_hexadecimal({&byte, 1});
            continue;
        }
        if (specials.find(c) != std::string_view::npos) escaped += '\\';
        escaped += c;
    }
    return escaped;
}

std::uint16_t rfc5280_key_usage(std::uint16_t wolfssl_bits) {
    unsigned usage = 0;
    for (unsigned bit = 0; bit < 8; ++bit) {
        if ((wolfssl_bits & (0x80U >> bit)) != 0) usage |= 1U << bit;
    }
    if ((wolfssl_bits & 0x8000U) != 0) usage |= 1U << 8;  // decipherOnly
    return static_cast<std::uint16_t>(usage);
}

}  // namespace sealgate

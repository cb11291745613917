// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/path.h"

#include <strings.h>

#include <algorithm>

#include "core/address.h"
#include "core/limits.h"

namespace sealgate {
namespace {

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 5322 §3.2.3 atext.
bool is_atext(char c) {
    return is_letter_or_digit(c) ||
           (c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos);
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// The length of the UTF-8 character at the start of `text`: 0 when it is malformed, overlong, a
// surrogate, past U+10FFFF, or a C1 control (those are no one's name).
std::size_t utf8_character_bytes(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continued = [&](std::size_t i) {
        return i < text.size() && (byte(i) & 0xc0) == 0x80;
    };
    const unsigned lead = byte(0);
    if (lead >= 0xc2 && lead <= 0xdf) {
        return continued(1) && !(lead == 0xc2 && byte(1) < 0xa0) ? 2 : 0;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        if (!continued(1) || !continued(2)) return 0;
        const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
        const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (!continued(1) || !continued(2) || !continued(3)) return 0;
        const bool overlong = lead == 0xf0 && byte(1) < 0x90;
        const bool too_high = lead == 0xf4 && byte(1) >= 0x90;
        return overlong || too_high ? 0 : 4;
    }
    return 0;
}

// Takes pieces off the front of a text.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    std::string_view rest() const { return rest_; }
    bool at(char c) const { return !rest_.empty() && rest_.front() == c; }
    bool take(char c) {
        if (!at(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    // One character that `fits`, or a non-ASCII one.
    template <typename Fits>
    bool take_character(Fits fits) {
        if (rest_.empty()) return false;
        std::size_t bytes = 1;
        if (is_ascii(rest_.front())) {
            if (!fits(rest_.front())) return false;
        } else {
            bytes = utf8_character_bytes(rest_);
            if (bytes == 0) return false;
            non_ascii_ = true;
        }
        rest_.remove_prefix(bytes);
        return true;
    }
    void skip(std::size_t bytes) { rest_.remove_prefix(bytes); }
    bool non_ascii() const { return non_ascii_; }

private:
    std::string_view rest_;
    bool non_ascii_ = false;
};

bool take_dot_string(Scanner& scanner) {
    do {
        if (!scanner.take_character(is_atext)) return false;
        while (scanner.take_character(is_atext)) {
        }
    } while (scanner.take('.'));
    return true;
}

// RFC 5321 §4.1.2: qtextSMTP is printable without the quote and the backslash, space included.
bool take_quoted_string(Scanner& scanner) {
    if (!scanner.take('"')) return false;
    while (!scanner.take('"')) {
        if (scanner.take('\\')) {
            if (scanner.rest().empty() || scanner.rest().front() < ' ' ||
                scanner.rest().front() > '~') {
                return false;
            }
            scanner.skip(1);
            continue;
        }
        if (!scanner.take_character([](char c) { return c >= ' ' && c <= '~'; })) return false;
    }
    return true;
}

// Labels as DNS has them, "_" tolerated: hosts with it do send mail (Windows machine names).
bool take_domain_name(Scanner& scanner) {
    const auto is_label_character = [](char c) {
        return is_letter_or_digit(c) || c == '-' || c == '_';
    };
    do {
        const std::string_view label = scanner.rest();
        if (!scanner.take_character(is_label_character)) return false;
        while (scanner.take_character(is_label_character)) {
        }
        const std::size_t bytes = label.size() - scanner.rest().size();
        if (label.front() == '-' || label[bytes - 1] == '-') return false;
        if (bytes > 63 && !scanner.non_ascii()) return false;  // RFC 1035 §2.3.4
    } while (scanner.take('.'));
    return true;
}

// RFC 5321 §4.1.3, the two forms that exist.
bool take_address_literal(Scanner& scanner) {
    if (!scanner.take('[')) return false;
    const std::size_t end = scanner.rest().find(']');
    if (end == std::string_view::npos) return false;
    std::string_view inside = scanner.rest().substr(0, end);
    scanner.skip(end + 1);
    constexpr std::string_view tag = "IPv6:";
    const bool six =
        inside.size() > tag.size() && strncasecmp(inside.data(), tag.data(), tag.size()) == 0;
    if (six) inside.remove_prefix(tag.size());
    if (inside.find(':') != std::string_view::npos && !six) return false;
    if (six && inside.find(':') == std::string_view::npos) return false;
    return IpAddress::parse(inside).has_value();
}

bool take_domain(Scanner& scanner) {
    return scanner.at('[') ? take_address_literal(scanner) : take_domain_name(scanner);
}

bool take_local_part(Scanner& scanner) {
    return scanner.at('"') ? take_quoted_string(scanner) : take_dot_string(scanner);
}

// "@a,@b:" in front of a mailbox. RFC 5321 §4.1.1.3: "SHOULD simply be ignored".
bool skip_source_route(Scanner& scanner) {
    if (!scanner.at('@')) return true;
    do {
        if (!scanner.take('@') || !take_domain(scanner)) return false;
    } while (scanner.take(','));
    return scanner.take(':');
}

tl::unexpected<SmtpRefusal> bad_path(PathUse use, const char* reverse, const char* forward) {
    // RFC 3463 §3.2: X.1.7 for a sender's address, X.1.3 for a recipient's.
    return use == PathUse::reverse ? refusal(501, "5.1.7", reverse)
                                   : refusal(501, "5.1.3", forward);
}

}  // namespace

Checked<Path> parse_path(std::string_view text, PathUse use) {
    const auto bad_syntax = [use] {
        return bad_path(use, "Bad sender address syntax", "Bad recipient address syntax");
    };
    Scanner scanner(text);
    if (!scanner.take('<')) return bad_syntax();
    Path path;
    if (use == PathUse::reverse && scanner.take('>')) {
        path.bytes = 2;
        return path;
    }
    if (!skip_source_route(scanner)) return bad_syntax();
    const char* begin = scanner.rest().data();
    if (!take_local_part(scanner)) return bad_syntax();
    std::string_view domain;
    if (scanner.take('@')) {
        const std::string_view from = scanner.rest();
        if (!take_domain(scanner)) return bad_syntax();
        domain = from.substr(0, from.size() - scanner.rest().size());
    }
    path.address = {begin, static_cast<std::size_t>(scanner.rest().data() - begin)};
    if (!scanner.take('>')) return bad_syntax();
    path.bytes = text.size() - scanner.rest().size();
    path.non_ascii = scanner.non_ascii();
    // Two octets of the limit are the brackets (RFC 5321 §4.5.3.1.3).
    if (path.address.size() + 2 > limits::address_bytes_max ||
        domain.size() > limits::domain_bytes_max) {
        return bad_path(use, "Sender address too long", "Recipient address too long");
    }
    const bool postmaster =
        path.address.size() == 10 && strncasecmp(path.address.data(), "postmaster", 10) == 0;
    if (domain.empty() && !(postmaster && use == PathUse::forward)) {
        return bad_path(use, "Sender address without a domain",
                        "Recipient address without a domain");
    }
    return path;
}

bool is_mailbox(std::string_view text, bool* non_ascii) {
    Scanner scanner(text);
    const bool good = take_local_part(scanner) && scanner.take('@') && take_domain(scanner) &&
                      scanner.rest().empty();
    if (non_ascii) *non_ascii = scanner.non_ascii();
    return good && text.size() + 2 <= limits::address_bytes_max;
}

std::string_view address_domain(std::string_view address) {
    const std::size_t at = address.rfind('@');
    return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

}  // namespace sealgate

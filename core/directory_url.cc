// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/directory_url.h"

#include <algorithm>

#include "core/address.h"
#include "core/host_pattern.h"
#include "core/text.h"

namespace sealgate {
namespace {

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_upper_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); }
bool is_hex(char c) { return is_upper_hex(c) || (c >= 'a' && c <= 'f'); }

void append_hex(std::string& text, char lead, char byte) {
    constexpr char digits[] = "0123456789ABCDEF";
    const auto octet = static_cast<unsigned char>(byte);
    text += {lead, digits[octet >> 4], digits[octet & 0xf]};
}

// RFC 3986 §2.3: what is never encoded.
bool is_unreserved(char c) {
    return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        if (is_unreserved(c))
            encoded += c;
        else
            append_hex(encoded, '%', c);
    }
    return encoded;
}

std::string ldap_escaped(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (is_letter_or_digit(c) || c == '@' || c == '.' || c == '_' || c == '-')
            escaped += c;
        else
            append_hex(escaped, '\\', c);
    }
    return escaped;
}

// Of the operator's own text: what may stand in a URL stays.
bool may_stand(char c) {
    constexpr std::string_view never = "\"<>\\^`{|}";
    return c > ' ' && c < 0x7f && never.find(c) == never.npos;
}

std::string_view cut(std::string_view& text, std::string_view ends) {
    const std::size_t end = std::min(text.find_first_of(ends), text.size());
    const std::string_view begin = text.substr(0, end);
    text.remove_prefix(end);
    return begin;
}

}  // namespace

// "%e" and "%d", "%" with two hexadecimal digits, in which letters are capitals: "%ec" would be
// both an address before a "c" and an octet.
Result<void> DirectoryUrl::take(Part part, std::string_view text) {
    Piece piece{part, {}, 0};
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c != '%') {
            if (may_stand(c))
                piece.text += c;
            else
                append_hex(piece.text, '%', c);
            continue;
        }
        const char first = i + 1 < text.size() ? text[i + 1] : '\0';
        const char second = i + 2 < text.size() ? text[i + 2] : '\0';
        if (is_upper_hex(first) && is_upper_hex(second)) {
            piece.text.append(text.substr(i, 3));
            i += 2;
            continue;
        }
        if (first != 'e' && first != 'd') {
            return malformed("has a % that is neither %e nor %d nor an octet such as %2C", i);
        }
        if (is_hex(second)) {
            return malformed(
                "can be read in two ways: write octets with capitals (%EC), and "
                "nothing of 0-9 and a-f after %e and %d",
                i);
        }
        const bool bare = part == Part::port || part == Part::attributes || part == Part::scope;
        if (bare || (part == Part::host && first == 'e')) {
            return malformed("has %e or %d where it cannot be filled in", i);
        }
        piece.placeholder = first;
        pieces_.push_back(std::move(piece));
        piece = {part, {}, 0};
        ++i;
    }
    pieces_.push_back(std::move(piece));
    return {};
}

Result<void> DirectoryUrl::take_authority(std::string_view text) {
    if (text.find('@') != text.npos) {
        return malformed("has a login: write bind-dn and password-file instead");
    }
    const bool bracketed = text.starts_with('[');
    const std::size_t bracket = bracketed ? text.find(']') : 0;
    const std::size_t colon = std::min(text.find(':', std::min(bracket, text.size())), text.size());
    const std::string_view host = text.substr(0, colon);
    std::string trial(host);  // with a domain filled in
    for (std::size_t at; (at = trial.find("%d")) != trial.npos;) trial.replace(at, 2, "x.example");
    const bool is_address =
        bracketed ? trial.ends_with(']') && IpAddress::parse(trial.substr(1, trial.size() - 2))
                  : IpAddress::parse(trial).has_value();
    if (!is_address && !is_host_name(trial)) return malformed("has no host name");
    TRY(take(Part::host, host));
    if (colon == text.size()) return {};
    const std::string_view port = text.substr(colon + 1);
    const bool digits =
        !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos;
    if (!digits || std::stoi(std::string(port)) < 1 || std::stoi(std::string(port)) > 65535) {
        return malformed("has no port between 1 and 65535");
    }
    return take(Part::port, text.substr(colon));
}

// RFC 4516 §2: dn ? attributes ? scope ? filter ? extensions
Result<void> DirectoryUrl::take_ldap(std::string_view text) {
    for (const Part part : {Part::base, Part::attributes, Part::scope, Part::filter}) {
        const std::string_view value = cut(text, "?");
        if (!text.empty()) text.remove_prefix(1);
        if (part == Part::attributes) names_attributes_ = !value.empty();
        if (part == Part::scope && !value.empty() && value != "base" && value != "one" &&
            value != "sub") {
            return malformed("has a scope that is none of base, one, sub");
        }
        TRY(take(part, value));
    }
    if (!text.empty()) return malformed("has extensions behind the filter");
    return {};
}

Result<DirectoryUrl> DirectoryUrl::parse(std::string_view text) {
    DirectoryUrl url;
    const std::size_t colon = text.find("://");
    const std::string scheme = lower_case(text.substr(0, std::min(colon, text.size())));
    if (colon == text.npos || (scheme != "ldap" && scheme != "ldaps" && scheme != "https")) {
        return malformed("begins with none of ldap://, ldaps://, https://");
    }
    url.scheme_ = scheme == "ldap"    ? Scheme::ldap
                  : scheme == "ldaps" ? Scheme::ldaps
                                      : Scheme::https;
    text.remove_prefix(colon + 3);
    if (text.find('#') != text.npos) return malformed("has a #fragment: write %23 for a #");
    TRY(url.take_authority(cut(text, "/?")));
    if (url.is_ldap()) {
        if (text.starts_with('?')) return malformed("lacks a / before the first ?");
        if (!text.empty()) text.remove_prefix(1);
        TRY(url.take_ldap(text));
    } else {
        TRY(url.take(Part::path, text.empty() ? "/" : text));
    }
    const auto filled = [](const Piece& piece) { return piece.placeholder != 0; };
    if (std::none_of(url.pieces_.begin(), url.pieces_.end(), filled)) {
        return malformed("has neither %e nor %d, so it asks the same for everybody");
    }
    return url;
}

bool DirectoryUrl::is_filled_in(Part part) const {
    return std::any_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
        return piece.part == part && piece.placeholder != 0;
    });
}

std::string DirectoryUrl::host(std::string_view domain) const {
    std::string host;
    for (const Piece& piece : pieces_) {
        if (piece.part != Part::host) continue;
        host += piece.text;
        if (piece.placeholder) host += domain;
    }
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    return host;
}

std::string DirectoryUrl::fill(std::string_view address, std::string_view domain,
                               const std::vector<std::string>& attributes) const {
    std::string url = scheme_ == Scheme::ldap    ? "ldap://"
                      : scheme_ == Scheme::ldaps ? "ldaps://"
                                                 : "https://";
    Part last = Part::host;
    for (const Piece& piece : pieces_) {
        if (piece.part != last && is_ldap() && piece.part != Part::port) {
            url += piece.part == Part::base ? '/' : '?';
            if (piece.part == Part::attributes && !names_attributes_) {
                std::string list;
                for (const std::string& name : attributes) {
                    if (!list.empty()) list += ',';
                    list += percent_encoded(name);
                }
                url += list;
            }
        }
        last = piece.part;
        url += piece.text;
        if (!piece.placeholder) continue;
        const std::string_view value = piece.placeholder == 'e' ? address : domain;
        const bool escaped = piece.part == Part::base || piece.part == Part::filter;
        url += percent_encoded(escaped ? ldap_escaped(value) : std::string(value));
    }
    return url;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/host_pattern.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/ini.h"

namespace sealgate {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_letter_or_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(),
                       [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

// Digits only, no leading zero (which some readers take as octal), at most `max`.
std::optional<unsigned> number(std::string_view text, unsigned max) {
    unsigned value = 0;
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return {};
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc() || end != text.data() + text.size() || value > max) return {};
    return value;
}

}  // namespace

bool is_host_name(std::string_view text) {
    if (text.empty() || text.size() > 253) return false;
    std::string_view label;
    for (std::size_t begin = 0; begin <= text.size(); begin += label.size() + 1) {
        label = text.substr(begin, text.find('.', begin) - begin);
        if (!is_label(label)) return false;
    }
    return !std::all_of(label.begin(), label.end(), is_digit);
}

Result<HostPattern> HostPattern::parse(std::string_view text) {
    HostPattern pattern;
    pattern.text_ = std::string(text);
    if (text == "ALL") return pattern;
    if (text.find(':') != std::string_view::npos) {
        TRY(pattern.parse_ipv6(text));
        return pattern;
    }
    const bool numeric = !text.empty() && is_digit(text.front()) &&
                         text.find_first_not_of("0123456789.-/") == std::string_view::npos;
    if (numeric) {
        TRY(pattern.parse_ipv4(text));
        return pattern;
    }
    pattern.kind_ = text.substr(0, 1) == "." ? Kind::below : Kind::name;
    pattern.name_ = lower_case(text);
    const std::string_view name =
        std::string_view(pattern.name_).substr(pattern.kind_ == Kind::below ? 1 : 0);
    if (!is_host_name(name))
        return malformed("is neither an address, a network, a range, a host name, .domain nor ALL");
    return pattern;
}

// Up to four octets, of which the last may be a range; behind them "/bits" or a closing dot.
Result<void> HostPattern::parse_ipv4(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view bits = slash == std::string_view::npos ? "" : text.substr(slash + 1);
    std::string_view rest = text.substr(0, slash);
    const bool closing_dot = rest.back() == '.';
    if (closing_dot) rest.remove_suffix(1);

    kind_ = Kind::range;
    family_ = IpAddress::Family::ipv4;
    std::fill(last_.begin(), last_.begin() + 4, std::uint8_t{255});
    std::size_t count = 0;
    bool ranged = false;
    for (bool more = true; more; ++count) {
        const std::size_t dot = rest.find('.');
        const std::string_view part = rest.substr(0, dot);
        more = dot != std::string_view::npos;
        rest.remove_prefix(more ? dot + 1 : rest.size());
        const std::size_t dash = part.find('-');
        ranged = dash != std::string_view::npos;
        const auto low = number(part.substr(0, dash), 255);
        const auto high = ranged ? number(part.substr(dash + 1), 255) : low;
        if (count == 4) return malformed("has more than four octets");
        if (!low || !high) return malformed("has an octet that is no number from 0 to 255");
        if (ranged && more) return malformed("has a range that is not in its last octet");
        if (*low > *high) return malformed("has a range that runs backwards");
        first_[count] = static_cast<std::uint8_t>(*low);
        last_[count] = static_cast<std::uint8_t>(*high);
    }
    if (slash != std::string_view::npos) {
        const auto prefix_bits = number(bits, 32);
        if (!prefix_bits || ranged || closing_dot)
            return malformed("is no network: ADDRESS/0 to ADDRESS/32");
        return set_network(IpAddress::from_ipv4({first_[0], first_[1], first_[2], first_[3]}),
                           *prefix_bits);
    }
    if (closing_dot && count == 4) return malformed("is a whole address with a dot behind it");
    if (count < 4 && !closing_dot && !ranged)
        return malformed("is part of an address: close it with a dot, or write ADDRESS/BITS");
    return {};
}

Result<void> HostPattern::parse_ipv6(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view written = text.substr(0, slash);
    const auto address = IpAddress::parse(written);
    if (!address) return malformed("is no IPv6 address");
    const bool mapped = address->family() == IpAddress::Family::ipv4;
    unsigned prefix_bits = mapped ? 32 : 128;
    if (slash != std::string_view::npos) {
        const auto bits = number(text.substr(slash + 1), 128);
        if (!bits || (mapped && *bits < 96))
            return malformed("is no network: its prefix length is 0 to 128");
        prefix_bits = mapped ? *bits - 96 : *bits;
    }
    return set_network(*address, prefix_bits);
}

Result<void> HostPattern::set_network(const IpAddress& address, unsigned prefix_bits) {
    kind_ = Kind::range;
    family_ = address.family();
    first_ = last_ = address.octets();
    const unsigned bytes = family_ == IpAddress::Family::ipv4 ? 4 : 16;
    for (unsigned i = 0; i < bytes; ++i) {
        const unsigned fixed_bits = std::min(8U, prefix_bits - std::min(prefix_bits, i * 8));
        const unsigned free = 0xffU >> fixed_bits;
        // 10.1.2.3/16 is a slip for 10.1/16 or for 10.1.2.3: nobody can tell which.
        if ((first_[i] & free) != 0) return malformed("has address bits behind its prefix length");
        last_[i] = static_cast<std::uint8_t>(last_[i] | free);
    }
    return {};
}

bool HostPattern::matches(const IpAddress& client, std::string_view confirmed_host_name) const {
    if (confirmed_host_name.ends_with('.')) confirmed_host_name.remove_suffix(1);
    switch (kind_) {
    case Kind::all: return true;
    case Kind::range: {
        if (client.family() != family_) return false;
        const std::size_t bytes = family_ == IpAddress::Family::ipv4 ? 4 : 16;
        // Octet by octet: 10.1-3. is every address whose second octet is 1 to 3.
        for (std::size_t i = 0; i < bytes; ++i) {
            const std::uint8_t octet = client.octets()[i];
            if (octet < first_[i] || octet > last_[i]) return false;
        }
        return true;
    }
    case Kind::name: return lower_case(confirmed_host_name) == name_;
    case Kind::below:
        return confirmed_host_name.size() > name_.size() &&
               lower_case(confirmed_host_name).ends_with(name_);
    }
    return false;
}

}  // namespace sealgate

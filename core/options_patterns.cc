// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/options_patterns.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "core/host_pattern.h"
#include "core/mail_pattern.h"
#include "core/options_values.h"

namespace sealgate {

namespace {

// RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets, with code and CRLF.
constexpr std::size_t reply_bytes_max = 510;

bool all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<unsigned> number(std::string_view text, unsigned max) {
    unsigned value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc() || end != text.data() + text.size() || value > max) return {};
    return value;
}

// RFC 3463 §2: class "." subject "." detail.
bool is_enhanced_code(std::string_view text) {
    const std::size_t first = text.find('.');
    const std::size_t second = text.find('.', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return false;
    const std::string_view subject = text.substr(first + 1, second - first - 1);
    const std::string_view detail = text.substr(second + 1);
    return first == 1 && all_digits(text.substr(0, 1)) && all_digits(subject) &&
           subject.size() <= 3 && all_digits(detail) && detail.size() <= 3;
}

std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    text = trimmed(text);
    return word;
}

// "550 5.1.1 No such user", of which the enhanced code and the text may be left out.
std::string parse_reply(std::string_view text, std::string& reply) {
    const bool ascii = std::all_of(text.begin(), text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (!ascii) return "the text of an SMTP reply is ASCII";
    if (text.size() > reply_bytes_max - 20) return "the reply is longer than an SMTP reply may be";
    const std::string_view code = take_word(text);
    const bool refuses = code.size() == 3 && all_digits(code) && (code[0] == '4' || code[0] == '5');
    if (!refuses) return in_quotes(code) + " is no reply code that refuses: 4xx or 5xx";
    if (code == "421") return "421 would end the session: a refusal is another 4xx or 5xx";
    std::string_view rest = text;
    std::string enhanced(take_word(rest));
    if (is_enhanced_code(enhanced)) {
        if (enhanced[0] != code[0])
            return in_quotes(enhanced) + " is of another class than " + std::string(code);
        text = rest;
    } else {
        enhanced = std::string(1, code[0]) + ".7.1";
    }
    reply = std::string(code) + " " + enhanced + " " +
            std::string(text.empty() ? "Recipient address rejected" : text);
    return "";
}

std::string access_pattern_fault(std::string_view pattern) {
    const std::size_t at = pattern.rfind('@');
    const bool address = at != std::string_view::npos;
    if (pattern == "ALL") return "";
    if (address && is_local_part(pattern.substr(0, at)) && is_host_name(pattern.substr(at + 1)))
        return "";
    if (!address && is_domain_pattern(pattern)) return "";
    return in_quotes(pattern) + " is none of user@domain, domain, .domain, ALL";
}

// HOST, [ADDRESS] or [IPv6:ADDRESS], then :PORT, then /pri=N.
std::string parse_route_host(std::string_view text, RouteHost& host) {
    const std::string whole = in_quotes(text);
    const std::size_t slash = text.find('/');
    if (slash != std::string_view::npos) {
        const std::string_view priority = text.substr(slash + 1);
        const auto value =
            priority.starts_with("pri=") ? number(priority.substr(4), 65535) : std::nullopt;
        if (!value) return whole + ": behind the host goes /pri=0 to /pri=65535";
        host.priority = *value;
        text = text.substr(0, slash);
    }
    const bool bracketed = text.starts_with('[');
    const std::size_t host_end = bracketed ? text.find(']') : text.find(':');
    if (bracketed && host_end == std::string_view::npos) return whole + " lacks its ]";
    std::string_view name = text.substr(bracketed ? 1 : 0, bracketed ? host_end - 1 : host_end);
    const std::string_view behind =
        host_end == std::string_view::npos ? "" : text.substr(bracketed ? host_end + 1 : host_end);
    if (!behind.empty()) {
        const auto port = behind[0] == ':' ? number(behind.substr(1), 65535) : std::nullopt;
        if (!port || *port == 0) return whole + ": a port is :1 to :65535 (IPv6 goes in brackets)";
        host.port = static_cast<std::uint16_t>(*port);
    }
    host.is_address = bracketed;
    if (!bracketed) {
        if (IpAddress::parse(name)) return whole + ": an address goes in brackets";
        if (!is_host_name(name)) return whole + " is no host";
        host.host = lower_case(name);
        return "";
    }
    if (lower_case(name.substr(0, 5)) == "ipv6:") name.remove_prefix(5);
    const auto address = IpAddress::parse(name);
    if (!address) return whole + " has no address in its brackets";
    host.host = address->to_text();
    return "";
}

std::string format_route_host(const RouteHost& host) {
    std::string text = host.is_address ? "[" + host.host + "]" : host.host;
    if (host.port != 25) text += ":" + std::to_string(host.port);
    return text + "/pri=" + std::to_string(host.priority);
}

std::string lower_pattern(const std::string& pattern) {
    return pattern == "ALL" ? pattern : lower_case(pattern);
}

}  // namespace

std::string take_recipient_access(Config& config, const IniEntry& entry) {
    std::string fault = access_pattern_fault(entry.key);
    if (!fault.empty()) return fault;
    RecipientAccessRow row;
    row.pattern = lower_pattern(entry.key);
    row.place = entry.place;
    std::string_view rest = entry.value;
    const std::string_view word = take_word(rest);
    row.accept = word == "accept";
    if (!row.accept && word != "reject") {
        const std::string nearest = nearest_name(std::string(word), {"accept", "reject"});
        return entry.key + " = " + in_quotes(word) + " is none of accept, reject" +
               (nearest.empty() ? "" : " (nearest known: " + nearest + ")");
    }
    if (row.accept && !rest.empty()) return "behind accept goes nothing, not " + in_quotes(rest);
    if (!row.accept && !rest.empty()) fault = parse_reply(rest, row.reply);
    if (fault.empty()) config.recipient_access.push_back(std::move(row));
    return fault;
}

std::string take_smtp_route(Config& config, const IniEntry& entry) {
    if (entry.key != "ALL" && !is_domain_pattern(entry.key))
        return in_quotes(entry.key) + " is none of domain, .domain, ALL";
    RouteRow row;
    row.pattern = lower_pattern(entry.key);
    row.place = entry.place;
    std::string fault;
    if (entry.value == "/dev/null") {
        row.kind = RouteRow::Kind::discard;
    } else if (entry.value == "USEDNS") {
        row.kind = RouteRow::Kind::use_dns;
    } else {
        for (const ListItem& item : split_list(entry.value)) {
            RouteHost host;
            std::string what = item.text.empty() ? "an empty entry in the list"
                               : item.text == "/dev/null" || item.text == "USEDNS"
                                   ? in_quotes(item.text) + " stands alone"
                                   : parse_route_host(item.text, host);
            if (!what.empty()) fault += (fault.empty() ? entry.key + ": " : "; ") + what;
            row.hosts.push_back(std::move(host));
        }
    }
    if (fault.empty()) config.smtp_routes.push_back(std::move(row));
    return fault;
}

std::vector<SectionKind::FreeRow> recipient_access_rows(const Config& config) {
    std::vector<SectionKind::FreeRow> rows;
    for (const RecipientAccessRow& row : config.recipient_access)
        rows.push_back({row.pattern, row.accept ? "accept" : "reject " + row.reply});
    return rows;
}

std::vector<SectionKind::FreeRow> smtp_route_rows(const Config& config) {
    std::vector<SectionKind::FreeRow> rows;
    for (const RouteRow& row : config.smtp_routes) {
        std::string value;
        for (const RouteHost& host : row.hosts)
            value += (value.empty() ? "" : ", ") + format_route_host(host);
        if (row.kind == RouteRow::Kind::discard) value = "/dev/null";
        if (row.kind == RouteRow::Kind::use_dns) value = "USEDNS";
        rows.push_back({row.pattern, std::move(value)});
    }
    return rows;
}

}  // namespace sealgate

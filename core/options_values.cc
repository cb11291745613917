// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/options_values.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/directory_url.h"
#include "core/host_pattern.h"
#include "core/mail_pattern.h"

namespace sealgate {

namespace {

using namespace option_units;

struct Unit {
    char letter;
    std::uint64_t factor;
};
constexpr std::array<Unit, 4> duration_units{
    {{'d', day}, {'h', hour}, {'m', minute}, {'s', second}}};
constexpr std::array<Unit, 3> size_units{{{'G', giga}, {'M', mega}, {'K', kilo}}};

// Digits and at most one unit letter; none when it is neither, or above 2^63.
template <std::size_t count>
std::optional<std::uint64_t> number_with_unit(std::string_view text,
                                              const std::array<Unit, count>& units,
                                              bool unit_needed) {
    std::uint64_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc()) return {};
    const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    if (rest.empty()) {
        if (unit_needed && number != 0) return {};
        return number;
    }
    for (const Unit& unit : units) {
        if (rest.size() != 1 || rest.front() != unit.letter) continue;
        if (number > (std::uint64_t{1} << 63) / unit.factor) return {};
        return number * unit.factor;
    }
    return {};
}

template <std::size_t count>
std::string with_unit(std::uint64_t number, const std::array<Unit, count>& units) {
    for (const Unit& unit : units) {
        if (number == 0 || number % unit.factor != 0) continue;
        return std::to_string(number / unit.factor) + unit.letter;
    }
    return std::to_string(number);
}

std::string format_number(const OptionRow& row, std::uint64_t number) {
    if (row.syntax == Syntax::duration) return format_duration(number);
    if (row.syntax == Syntax::size) return format_size(number);
    return std::to_string(number);
}

std::string said(const OptionRow& row, std::string_view text) {
    return std::string(row.key) + " = " + cut_short(text);
}

std::string no_choice(const OptionRow& row, std::string_view text,
                      const std::vector<std::string>& words) {
    std::string what = said(row, text) + " is none of ";
    for (std::size_t i = 0; i < words.size(); ++i) what += (i == 0 ? "" : ", ") + words[i];
    const std::string nearest = nearest_name(std::string(text), words);
    return nearest.empty() ? what : what + " (nearest known: " + nearest + ")";
}

std::optional<OptionValue> parse_number(const OptionRow& row, const std::string& text,
                                        std::vector<ValueFault>& faults) {
    if (*row.none_word && text == row.none_word) return std::uint64_t{0};
    std::optional<std::uint64_t> number;
    const char* form = "a number";
    if (row.syntax == Syntax::duration) {
        number = number_with_unit(text, duration_units, true);
        form = "a duration such as 30s, 5m, 2h or 3d";
    } else if (row.syntax == Syntax::size) {
        number = number_with_unit(text, size_units, false);
        form = "a size such as 64K, 25M or 2G";
    } else {
        number = number_with_unit(text, std::array<Unit, 0>{}, false);
    }
    if (!number) {
        faults.push_back({0, said(row, text) + " is not " + form +
                                 (*row.none_word ? std::string(" or ") + row.none_word : "")});
        return {};
    }
    if (*number < row.min || *number > row.max) {
        faults.push_back({0, said(row, text) + " is out of range: " + format_number(row, row.min) +
                                 " to " + format_number(row, row.max) +
                                 (*row.unit ? std::string(" ") + row.unit : "")});
        return {};
    }
    return *number;
}

bool is_name(std::string_view text) {
    return !text.empty() &&
           text.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               std::string_view::npos;
}

std::string name_fault(std::string_view text) {
    return is_name(text)
               ? ""
               : in_quotes(text) + " is no name: letters, digits, '.', '_' and '-' make one";
}

std::string network_fault(std::string_view text) {
    const auto pattern = HostPattern::parse(text);
    const bool address =
        text.find_first_not_of("0123456789abcdefABCDEF.:/") == std::string_view::npos;
    if (pattern && address && pattern->text() != "ALL" && !is_host_name(text)) return "";
    return in_quotes(text) + " is neither an address nor a network";
}

std::string dns_server_fault(std::string_view text) {
    const std::size_t at = text.find('@');
    const bool ported = at != std::string_view::npos;
    const auto port =
        number_with_unit(ported ? text.substr(at + 1) : "53", std::array<Unit, 0>{}, false);
    if (IpAddress::parse(text.substr(0, at)) && port && *port > 0 && *port <= 65535) return "";
    return in_quotes(text) + " is neither ADDRESS nor ADDRESS@PORT";
}

std::string key_source_fault(std::string_view text) {
    constexpr std::string_view directory = "directory:";
    if (text == "local" || text == "smimea") return "";
    if (text.starts_with(directory)) return name_fault(text.substr(directory.size()));
    return in_quotes(text) + " is none of local, smimea, directory:NAME";
}

std::string mail_address_fault(std::string_view text) {
    const std::size_t at = text.find('@');
    const bool whole = at != text.npos && at > 0 && at + 1 < text.size() && text[at + 1] != '.';
    if (whole && MailPattern::parse(text)) return "";
    return in_quotes(text) + " is no address, such as postmaster@example.com";
}

// Its text is not told: it often is a secret.
std::string web_url_fault(std::string_view text) {
    const std::size_t host = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
    if (host == 0) return "begins with neither http:// nor https://";
    for (const char c : text)
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) return "has a space in it";
    return text.find_first_of("/?#", host) == host || host == text.size() ? "names no host" : "";
}

std::string item_fault(Syntax syntax, std::string_view item) {
    if (item.empty()) return "an empty entry in the list";
    if (syntax == Syntax::names) return name_fault(item);
    if (syntax == Syntax::networks) return network_fault(item);
    if (syntax == Syntax::dns_servers) return dns_server_fault(item);
    if (syntax == Syntax::key_sources) return key_source_fault(item);
    if (syntax == Syntax::mail_addresses) return mail_address_fault(item);
    if (syntax == Syntax::hosts) {
        const auto pattern = HostPattern::parse(item);
        return pattern ? "" : in_quotes(item) + " " + pattern.error().what;
    }
    if (syntax == Syntax::mail_patterns) {
        const auto pattern = MailPattern::parse(item);
        return pattern ? "" : in_quotes(item) + " " + pattern.error().what;
    }
    if (syntax == Syntax::endpoints && !Endpoint::parse(item))
        return in_quotes(item) + " is no ADDRESS:PORT, such as 127.0.0.1:2525 or [::1]:2525";
    return "";
}

std::optional<OptionValue> parse_list(const OptionRow& row, const std::string& text,
                                      std::vector<ValueFault>& faults) {
    std::vector<std::string> items;
    std::vector<Endpoint> endpoints;
    const bool nothing = text.empty() || (*row.none_word && text == row.none_word);
    const std::size_t faults_before = faults.size();
    for (const ListItem& item : nothing ? std::vector<ListItem>{} : split_list(text)) {
        std::string what = item_fault(row.syntax, item.text);
        if (!what.empty()) {
            faults.push_back({item.offset, std::string(row.key) + ": " + what});
        } else if (row.syntax == Syntax::endpoints) {
            endpoints.push_back(*Endpoint::parse(item.text));
        } else {
            items.emplace_back(item.text);
        }
    }
    if (faults.size() > faults_before) return {};
    if (row.syntax == Syntax::endpoints) return endpoints;
    return items;
}

std::optional<OptionValue> parse_word(const OptionRow& row, const std::string& text,
                                      std::vector<ValueFault>& faults) {
    if (text.empty()) return std::string();  // a choice that may be left open
    const bool boolean = row.syntax == Syntax::boolean;
    const std::vector<std::string> words = split_words(boolean ? "yes no" : row.choices);
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (text != words[i]) continue;
        if (boolean) return i == 0;
        return std::uint64_t{i};
    }
    faults.push_back({0, no_choice(row, text, words)});
    return {};
}

std::optional<OptionValue> parse_text(const OptionRow& row, const std::string& text,
                                      std::vector<ValueFault>& faults) {
    if (*row.none_word && text == row.none_word) return std::string();
    if (text.empty()) return text;
    const std::string key = row.key;
    std::string what;
    if (row.syntax == Syntax::name && !is_name(text)) {
        what = key + ": " + name_fault(text);
    } else if (row.syntax == Syntax::host_name && !is_host_name(text)) {
        what = said(row, text) + " is no host name";
    } else if (row.syntax == Syntax::directory_url) {
        if (const auto url = DirectoryUrl::parse(text); !url) what = key + " " + url.error().what;
    } else if (row.syntax == Syntax::mail_address) {
        what = mail_address_fault(text);
        if (!what.empty()) what = key + ": " + what;
    } else if (row.syntax == Syntax::web_url) {
        what = web_url_fault(text);
        if (!what.empty()) what = key + " " + what;
    }
    if (what.empty()) return text;
    faults.push_back({0, std::move(what)});
    return {};
}

std::string joined(const std::vector<std::string>& items) {
    std::string text;
    for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
    return text;
}

// scheme://user:password@host, RFC 3986 §3.2.1.
std::string without_password(std::string url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string::npos) return url;
    const std::size_t begin = scheme + 3;
    const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
    const std::size_t at = url.rfind('@', end);
    const std::size_t colon = url.find(':', begin);
    if (at == std::string::npos || at < begin || at >= end || colon >= at) return url;
    return url.replace(colon + 1, at - colon - 1, "***");
}

// A chat service's webhook has its secret in the path.
std::string without_path(std::string url) {
    const std::size_t host = url.find("://");
    const std::size_t path = host == url.npos ? url.npos : url.find_first_of("/?#", host + 3);
    if (path == url.npos || path + 1 == url.size()) return url;
    return url.replace(path, url.npos, "/***");
}

}  // namespace

std::vector<ListItem> split_list(std::string_view text) {
    std::vector<ListItem> items;
    for (std::size_t begin = 0;;) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string_view item = trimmed(text.substr(begin, end - begin));
        const std::size_t offset =
            item.empty() ? begin : static_cast<std::size_t>(item.data() - text.data());
        items.push_back({offset, item});
        if (end == text.size()) return items;
        begin = end + 1;
    }
}

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    while (!(text = trimmed(text)).empty()) {
        const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return words;
}

std::string format_duration(std::uint64_t milliseconds) {
    return with_unit(milliseconds, duration_units);
}

std::string format_size(std::uint64_t bytes) { return with_unit(bytes, size_units); }

std::optional<OptionValue> parse_value(const OptionRow& row, const std::string& text,
                                       std::vector<ValueFault>& faults) {
    const bool may_be_empty = !*row.initial && !*row.computed && !row.required;
    if (text.empty() && !may_be_empty) {
        faults.push_back({0, std::string(row.key) + " needs a value"});
        return {};
    }
    switch (row.syntax) {
    case Syntax::text:
    case Syntax::path:
    case Syntax::host_name:
    case Syntax::directory_url:
    case Syntax::mail_address:
    case Syntax::web_url:
    case Syntax::name: return parse_text(row, text, faults);
    case Syntax::choice:
    case Syntax::boolean: return parse_word(row, text, faults);
    case Syntax::duration:
    case Syntax::size:
    case Syntax::count: return parse_number(row, text, faults);
    case Syntax::endpoints:
    case Syntax::list:
    case Syntax::paths:
    case Syntax::names:
    case Syntax::hosts:
    case Syntax::mail_patterns:
    case Syntax::networks:
    case Syntax::dns_servers:
    case Syntax::mail_addresses:
    case Syntax::key_sources: return parse_list(row, text, faults);
    }
    return {};
}

std::string format_value(const OptionRow& row, const OptionValue& value) {
    const bool choice = row.syntax == Syntax::choice;
    const std::string none = row.none_word;
    if (const auto* yes = std::get_if<bool>(&value))
        return choice ? split_words(row.choices).at(*yes ? 0 : 1) : *yes ? "yes" : "no";
    if (const auto* number = std::get_if<std::uint64_t>(&value)) {
        if (choice) return split_words(row.choices).at(*number);
        return *number == 0 && !none.empty() ? none : format_number(row, *number);
    }
    if (const auto* text = std::get_if<std::string>(&value)) return text->empty() ? none : *text;
    if (const auto* items = std::get_if<std::vector<std::string>>(&value))
        return items->empty() ? none : joined(*items);
    std::vector<std::string> texts;
    for (const Endpoint& endpoint : std::get<std::vector<Endpoint>>(value))
        texts.push_back(endpoint.to_text());
    return joined(texts);
}

std::string show_value(const OptionRow& row, const OptionValue& value) {
    std::string text = format_value(row, value);
    if (!row.secret) return text;
    text = without_password(std::move(text));
    return row.syntax == Syntax::web_url ? without_path(std::move(text)) : text;
}

}  // namespace sealgate

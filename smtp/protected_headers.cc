// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/protected_headers.h"

#include <algorithm>

#include "dns/domain_name.h"
#include "smtp/addresses.h"
#include "smtp/header_edit.h"

namespace sealgate {

namespace {

struct Rule {
    std::string_view name;
    enum class Use : std::uint8_t {
        always,
        if_none_outside,
        only_inside,  // and what is only outside goes, if the sender promised to copy all
    } use = Use::always;
};

constexpr Rule rules[] = {
    {"Subject"},     {"To"},
    {"Cc"},          {"Reply-To", Rule::Use::only_inside},
    {"Followup-To"}, {"Mail-Followup-To", Rule::Use::only_inside},
    {"Date"},        {"Keywords"},
    {"Comments"},    {"In-Reply-To"},
    {"References"},  {"Message-ID", Rule::Use::if_none_outside},
};

bool is_plain_line(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line.size() <= limits::line_bytes_max &&
           line.find_first_not_of(" \t") != std::string_view::npos &&
           std::all_of(line.begin(), line.end(),
                       [](char c) { return (c >= ' ' && c < 0x7f) || c == '\t'; });
}

// Whether the field, as written, is a field to every reader.
bool is_plain_field(std::string_view field) {
    if (field.ends_with('\n')) field.remove_suffix(1);
    for (;;) {
        const std::size_t lf = field.find('\n');
        if (!is_plain_line(field.substr(0, lf))) return false;
        if (lf == std::string_view::npos) return true;
        field.remove_prefix(lf + 1);
    }
}

std::string comparable_address(const std::string& address) {
    const std::size_t at = address.rfind('@');
    if (at == std::string::npos) return lower_case(address);
    const Result<std::string> domain = to_lookup_form(std::string_view(address).substr(at + 1));
    return lower_case(address.substr(0, at + 1)) +
           (domain ? *domain : lower_case(address.substr(at + 1)));
}

bool same_from(const Header& outer, const Header& payload) {
    const SenderFields outside = addresses_of(outer, "From");
    const SenderFields inside = addresses_of(payload, "From");
    for (const SenderFields* from : {&outside, &inside}) {
        if (from->field_count != 1 || from->list.malformed || from->list.addresses.empty())
            return false;
    }
    return std::equal(outside.list.addresses.begin(), outside.list.addresses.end(),
                      inside.list.addresses.begin(), inside.list.addresses.end(),
                      [](const std::string& a, const std::string& b) {
                          return comparable_address(a) == comparable_address(b);
                      });
}

}  // namespace

HeaderProtection header_protection(const ContentType& payload_type) {
    const std::string hp = lower_case(payload_type.parameter("hp"));
    if (hp == "clear") return HeaderProtection::clear;
    if (hp == "cipher") return HeaderProtection::cipher;
    return equal_ignoring_case(payload_type.parameter("protected-headers"), "v1")
               ? HeaderProtection::draft
               : HeaderProtection::none;
}

ProtectedHeaders read_protected_headers(const Header& outer, const Header& payload) {
    ProtectedHeaders read;
    read.protection = header_protection(payload.content_type());
    if (read.protection == HeaderProtection::none) return read;
    read.from_differs = payload.first("From") && !same_from(outer, payload);
    const bool all_copied = read.protection != HeaderProtection::draft;
    for (const auto& [name, use] : rules) {
        const std::vector<const HeaderField*> inside = payload.all(name);
        const bool outside = outer.first(name) != nullptr;
        if (inside.empty()) {
            if (outside && all_copied && use == Rule::Use::only_inside)
                read.fields.push_back({name, {}});
            continue;
        }
        if (outside && use == Rule::Use::if_none_outside) continue;
        const Chunk field = payload.slice(*inside.front());
        if (inside.size() == 1 && is_plain_field(field.text()))
            read.fields.push_back({name, with_crlf(field)});
    }
    return read;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/mail_pattern.h"

#include <algorithm>

#include "core/host_pattern.h"
#include "core/ini.h"
#include "core/limits.h"

namespace sealgate {

namespace {

// RFC 5321 §4.1.2: a domain, or an address literal.
bool is_mail_domain(std::string_view text) {
    const bool literal = text.size() > 2 && text.front() == '[' && text.back() == ']';
    return literal ? text.find_first_of(" \t@") == std::string_view::npos : is_host_name(text);
}

}  // namespace

bool is_local_part(std::string_view text) {
    return !text.empty() && text.size() <= limits::local_part_bytes_max &&
           std::none_of(text.begin(), text.end(), [](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return byte <= 0x20 || byte == 0x7f || c == '@' || c == '<' || c == '>';
           });
}

bool is_domain_pattern(std::string_view text) {
    if (text.substr(0, 1) == ".") text.remove_prefix(1);
    return is_host_name(text);
}

Result<MailPattern> MailPattern::parse(std::string_view text) {
    MailPattern pattern;
    pattern.text_ = std::string(text);
    if (text == "ALL") return pattern;
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos)
        return malformed("is none of user@domain, user@, @domain, @.domain, ALL");
    const std::string_view local_part = text.substr(0, at);
    const std::string_view domain = text.substr(at + 1);
    if (local_part.empty() && domain.empty())
        return malformed("is none of user@domain, user@, @domain, @.domain, ALL");
    if (!local_part.empty() && !is_local_part(local_part))
        return malformed("has a local part that is none");
    const bool below = local_part.empty() && domain.substr(0, 1) == ".";
    if (!domain.empty() && !is_mail_domain(below ? domain.substr(1) : domain))
        return malformed("has a domain that is none (beyond ASCII, write xn--...)");
    pattern.kind_ = below                ? Kind::below
                    : local_part.empty() ? Kind::domain
                    : domain.empty()     ? Kind::local_part
                                         : Kind::address;
    pattern.meant_ = lower_case(local_part.empty() ? domain : domain.empty() ? local_part : text);
    return pattern;
}

bool MailPattern::matches(std::string_view address) const {
    const std::size_t at = address.rfind('@');
    const bool whole = at != std::string_view::npos;
    switch (kind_) {
    case Kind::all: return true;
    case Kind::address: return lower_case(address) == meant_;
    case Kind::local_part: return lower_case(address.substr(0, at)) == meant_;
    case Kind::domain: return whole && lower_case(address.substr(at + 1)) == meant_;
    case Kind::below: {
        if (!whole) return false;
        const std::string domain = lower_case(address.substr(at + 1));
        return domain.size() > meant_.size() && std::string_view(domain).ends_with(meant_);
    }
    }
    return false;
}

}  // namespace sealgate

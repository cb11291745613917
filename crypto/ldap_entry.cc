// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/ldap_entry.h"

#include <algorithm>

#include "crypto/base64.h"

namespace sealgate {

std::vector<LdapValue> read_ldap_values(std::string_view text, std::size_t values_max) {
    std::vector<LdapValue> values;
    while (!text.empty() && values.size() < values_max) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t colon = line.find(':');
        if (!line.starts_with('\t') || colon == line.npos) continue;
        LdapValue value{std::string(line.substr(1, colon - 1)), {}};
        line.remove_prefix(colon + 1);
        const bool encoded = line.starts_with(':');
        if (encoded) line.remove_prefix(1);
        if (line.starts_with(' ')) line.remove_prefix(1);
        value.bytes = encoded ? decode_base64_text(line) : std::string(line);
        values.push_back(std::move(value));
    }
    return values;
}

}  // namespace sealgate

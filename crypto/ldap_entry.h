// SPDX-License-Identifier: GPL-3.0-or-later
// Attribute values of LDAP entries, out of the lines libcurl writes for an ldap:// URL.
//
// An entry is a line "DN: name", then a tab, the attribute, and ": text" or ":: base64" for each
// value; entries and attributes are parted by empty lines. Text values are printable ASCII, so a
// line break is never part of one (lib/openldap.c of libcurl). Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sealgate {

struct LdapValue {
    std::string attribute;  // as the server writes it, options included: "userCertificate;binary"
    std::string bytes;
};

// At most `values_max` of all entries; lines of another form are passed over.
std::vector<LdapValue> read_ldap_values(std::string_view text, std::size_t values_max);

}  // namespace sealgate

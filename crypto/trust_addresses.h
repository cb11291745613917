// SPDX-License-Identifier: GPL-3.0-or-later
// Where a certificate says that its revocation can be asked for.
//
// Responders of authorityInfoAccess (RFC 5280 §4.2.2.1) and lists of cRLDistributionPoints
// (§4.2.1.13). Whoever issued the certificate chose these URLs, so they are looked at before
// anything is fetched: schemes we speak, a host, no account, printable ASCII. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate.h"

namespace sealgate {

struct RevocationAddresses {
    std::vector<std::string> responders;  // http, https
    std::vector<std::string> lists;       // http, https, ldap
};

// At most limits::revocation_sources_max in all, and at most half of them responders when there are
// lists, too.
RevocationAddresses revocation_addresses(const Certificate& certificate);

// Letters, digits, '.', '-', '_', and ':', '[', ']' of addresses: fit to be logged. Empty: not a
// URL that is asked.
std::string_view fetchable_host(std::string_view url);

}  // namespace sealgate

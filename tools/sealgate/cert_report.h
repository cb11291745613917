// SPDX-License-Identifier: GPL-3.0-or-later
// A certificate for people and for programs: lines of text, and the JSON of --json.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

#include "tools/sealgate/cert_catalog.h"

namespace sealgate {

std::string time_text(std::int64_t seconds);  // "2027-11-22 10:00:00 UTC"
std::string time_json(std::int64_t seconds);  // "2027-11-22T10:00:00Z"
// Whole days left; below 0 when it has expired.
std::int64_t days_left(const Certificate& certificate);

// {"name", "subject", "issuer", "serial", "emails", "domains", "key", "bits", "not_before",
//  "not_after", "days_left", "validity", "may_sign", "may_encrypt", "sha256", "chain", "used_by",
//  "where", "request_pending"}; or {"name", "error", …} when it cannot be read.
nlohmann::json to_json(const CatalogEntry& entry);
void print_details(const CatalogEntry& entry);
void print_table(const std::vector<CatalogEntry>& entries);

// What an operator should know about a certificate that is stored or used; empty: nothing.
std::vector<std::string> warnings_of(const CertificateBundle& bundle);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Whose key it is, as the key ring files it: "local@domain", "@domain" or "@*.domain", in lower
// case.
//
// The local part loses its (ASCII) case because Certificate::covers compares so. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate.h"

namespace sealgate {

// The owner of a recipient's domain; empty: it has none that a certificate can name.
std::string domain_owner(std::string_view address);
// "@example.net" → none, "@mail.example.net" → "@*.example.net".
std::string wildcard_owner(std::string_view domain_owner);

// All owners that a certificate names.
std::vector<std::string> owners_of_certificate(const Certificate& certificate);

// Whether the certificate may be filed under `owner` (in lower case): it covers that address, or
// names that domain.
bool names_owner(const Certificate& certificate, std::string_view owner);

// With a key of this process, so that nobody can choose addresses that meet in one place.
std::uint64_t owner_hash(std::string_view owner);

struct OwnerHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view owner) const { return owner_hash(owner); }
};

}  // namespace sealgate

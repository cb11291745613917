// SPDX-License-Identifier: GPL-3.0-or-later
// The texts inside certificates, made comparable and readable: names, addresses, numbers.
//
// No certificate is parsed here and no library is used; crypto/certificate.cc hands over values.
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace sealgate {

// "0A12": upper-case, two digits for each byte.
std::string to_hexadecimal(ByteSpan bytes);

// local@domain with the domain in lower case; nothing when it is not one (8-bit bytes, blanks,
// control characters, no or an empty part). RFC 5280 §4.2.1.6.
std::optional<std::string> normal_mail_address(std::string_view text);
// A domain or `*.domain` in lower case, without a final dot; nothing when it is not one.
std::optional<std::string> normal_domain(std::string_view text);

// Whether a dNSName covers a mail domain (both in lower case): equal, or `*.example.net` with one
// label in the place of the star.
bool domain_covers(std::string_view pattern, std::string_view domain);

// wolfSSL hands an attribute's bytes over without its string type: UTF-8 as it is, else UTF-16
// (BMPString: every other byte zero), else Latin-1.
std::string name_value_to_utf8(ByteSpan bytes);
// RFC 4514 §2.4: the special characters behind a backslash; control characters too, as \0A.
std::string escape_name_value(std::string_view text);

// wolfSSL keeps the first byte of the BIT STRING low and the second high, each with its first bit
// highest; here bit 0 is digitalSignature (RFC 5280 §4.2.1.3).
std::uint16_t rfc5280_key_usage(std::uint16_t wolfssl_bits);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// How a report's texts become 7-bit, folded lines. The small writers behind smtp/dsn.h.
#pragma once

#include <string>
#include <string_view>

namespace sealgate {

bool is_ascii_text(std::string_view text);
// Neither 8-bit nor NUL nor a line over 998 octets nor a bare CR or LF.
bool is_clean_mail_text(std::string_view text);

// Printable ASCII only: what is not becomes '?', tabs and line breaks a space.
std::string ascii_only(std::string_view text);
// `Name: value` and CRLF; folded at spaces so that lines stay near 76, cut hard at 900.
std::string folded_field(std::string_view name, std::string_view value);

// Quoted-printable of a text with CRLF line ends (RFC 2045 §6.7); ends with CRLF.
std::string quoted_printable(std::string_view text);

// The address with its type, for Final-Recipient: "rfc822; a@b" or "utf-8; j\x{F6}rg@b".
std::string typed_address(std::string_view address);

}  // namespace sealgate

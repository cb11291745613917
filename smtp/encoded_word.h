// SPDX-License-Identifier: GPL-3.0-or-later
// RFC 2047 encoded-words and charsets, to UTF-8.
//
// For people's eyes and for conditions on header text; never for addresses (an encoded-word cannot
// be part of an addr-spec). Anything that cannot be decoded stays as it stands, bytes that are no
// text of their charset become U+FFFD. Charsets: UTF-8, US-ASCII, ISO-8859-1/-15 and Windows-1252
// by table, all others through iconv(3). Values only.
#pragma once

#include <string>
#include <string_view>

#include "core/bytes.h"

namespace sealgate {

// `text` is an unfolded field value.
std::string decode_encoded_words(std::string_view text);

// Bytes of `charset` (any case) as UTF-8. An unknown charset is read as UTF-8.
std::string to_utf8(std::string_view charset, std::string_view bytes);

// Invalid sequences (overlong, surrogates, past U+10FFFF, truncated) become U+FFFD.
std::string repair_utf8(std::string_view text);

}  // namespace sealgate

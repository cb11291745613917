// SPDX-License-Identifier: GPL-3.0-or-later
// Content-Type and Content-Transfer-Encoding: what a MIME part says of itself.
//
// Read after RFC 2045 §5.1 and RFC 2231 (continuations, charsets), and tolerant of what clients
// write: no semicolon between parameters, unquoted values with specials, missing end quotes,
// comments anywhere. What cannot be read at all is "invalid", and RFC 2045 §5.2's default,
// text/plain, is assumed by whoever needs a type. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sealgate {

struct ContentType {
    std::string type;  // lower case; both are empty when absent or invalid
    std::string subtype;
    // Names in lower case, values decoded (RFC 2231, to UTF-8), in order of first appearance.
    std::vector<std::pair<std::string, std::string>> parameters;
    // The boundary may be another one to other readers: it is there twice (the first counts here),
    // or not written as RFC 2045 §5.1 has it (specials without quotes, a quote without end, RFC
    // 2231).
    bool boundary_doubtful = false;

    bool valid() const { return !type.empty(); }
    bool is(std::string_view type_, std::string_view subtype_) const {
        return type == type_ && subtype == subtype_;
    }
    // Empty when absent.
    std::string_view parameter(std::string_view name) const;
};

// `value` may still be folded.
ContentType parse_content_type(std::string_view value);

enum class TransferEncoding : std::uint8_t {
    absent,
    seven_bit,
    eight_bit,
    binary,
    quoted_printable,
    base64,
    unknown,  // a token nobody defined, or several fields that contradict each other
};

TransferEncoding parse_transfer_encoding(std::string_view value);

}  // namespace sealgate

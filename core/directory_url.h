// SPDX-License-Identifier: GPL-3.0-or-later
// The URL of a [directory:NAME], with `%e` (address) and `%d` (domain) in it, and how they are
// filled in.
//
// What is filled in comes from whoever sends mail, so it is escaped for the place it stands in:
//   - host: `%d` only, which is letters, digits, '-', '_' and '.'
//   - LDAP filter (RFC 4515 §3) and DN (RFC 4514 §2.4): every octet but letters, digits and "@._-"
//     as a backslash and two hexadecimal digits, which both of them read; then percent-encoded
//   - path and query of https: percent-encoded (RFC 3986 §2.1)
// The rest of the template stays as written, but for characters no URL has (blanks, non-ASCII),
// which are percent-encoded. A value, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace sealgate {

class DirectoryUrl {
public:
    enum class Scheme : std::uint8_t { ldap, ldaps, https };

    // The error's text is a sentence about the URL, for the operator.
    static Result<DirectoryUrl> parse(std::string_view text);

    Scheme scheme() const { return scheme_; }
    bool is_ldap() const { return scheme_ != Scheme::https; }
    // Whether the host, or the base of an LDAP search, depends on the recipient: then its absence
    // says that the recipient has no entry, else that the directory is not as it should be.
    bool has_recipient_in_host() const { return is_filled_in(Part::host); }
    bool has_recipient_in_base() const { return is_filled_in(Part::base); }

    // `domain` in lookup form, `address` ends in it. The host without brackets and port.
    std::string host(std::string_view domain) const;
    // `attributes` are asked for when an LDAP URL names none itself.
    std::string fill(std::string_view address, std::string_view domain,
                     const std::vector<std::string>& attributes) const;

private:
    enum class Part : std::uint8_t { host, port, base, attributes, scope, filter, path };
    // Text as it goes into the URL, then what stands for something, if anything ('e', 'd').
    struct Piece {
        Part part;
        std::string text;
        char placeholder = 0;
    };

    Result<void> take(Part part, std::string_view text);
    Result<void> take_authority(std::string_view text);
    Result<void> take_ldap(std::string_view text);
    bool is_filled_in(Part part) const;

    Scheme scheme_ = Scheme::ldap;
    std::vector<Piece> pieces_;
    bool names_attributes_ = false;
};

}  // namespace sealgate

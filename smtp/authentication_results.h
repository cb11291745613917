// SPDX-License-Identifier: GPL-3.0-or-later
// The Authentication-Results field (RFC 8601) that tells what came of a message's S/MIME (RFC
// 7281).
//
// Written for each message that was verified or decrypted; and read only to know which incoming
// ones bear our name, for these are forged and must go (RFC 8601 §5). Values come from strangers'
// certificates: none of their bytes can end the field, a comment or a quoted string. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/reason.h"
#include "smtp/header.h"

namespace sealgate {

// The result words of RFC 7281 §3.
enum class AuthResult : std::uint8_t {
    none,  // not signed
    pass,
    fail,       // signed, and the signature or its signer is not acceptable to anybody
    policy,     // right, and not acceptable here
    neutral,    // something that cannot be read
    temperror,  // may be known later
    permerror,  // can never be known here
};
const char* to_word(AuthResult result);  // "pass"

AuthResult auth_result_of(Reason reason);

struct SmimeAuthResult {
    AuthResult result = AuthResult::none;
    std::string comment;     // for people, most often the reason word
    std::string identifier;  // the signer's address
    // Of the signer's certificate. RFC 7281 §3.2.3: both or none; one alone is left out.
    std::string serial;  // hexadecimal
    std::string issuer;  // a distinguished name, RFC 4514
};

// Folded, with its last CRLF. One result for each signer, or one in all; none at all means that
// nothing was checked ("HOST; none"). ASCII whatever the values are: other characters become RFC
// 4514's \XX. A value too long for a line is left out, never cut: it would be another's.
std::string make_authentication_results(std::string_view hostname,
                                        const std::vector<SmimeAuthResult>& results);

// Whether a field is an Authentication-Results of this authserv-id, to whoever may read it: case,
// comments, quotes, a final dot, a version, U-labels make no difference; in doubt it is.
bool bears_authserv_id(const Header& header, const HeaderField& field, std::string_view hostname);

}  // namespace sealgate

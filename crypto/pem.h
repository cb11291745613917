// SPDX-License-Identifier: GPL-3.0-or-later
// PEM (RFC 7468): the text form of certificates and keys, read and written.
//
// Lax in reading, as the RFC's §2 asks of parsers: text around the blocks (OpenSSL's dumps, "Bag
// Attributes"), any line lengths, CRLF. What is inside is not looked at. Blocks may hold private
// keys, so they are kept in memory that is wiped. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace sealgate {

struct PemBlock {
    std::string label;  // "CERTIFICATE", "PRIVATE KEY"…
    SecureBytes der;    // empty where `has_headers`: what is inside is then encrypted the old way
    SecureBytes text;   // the whole block, from BEGIN to END
    bool has_headers = false;  // "Proc-Type: 4,ENCRYPTED" (RFC 1421), OpenSSL's traditional form

    bool is_certificate() const;
    bool is_private_key() const;
};

// All blocks, in order; none is no error. A block without its end or with broken base64 is.
Result<std::vector<PemBlock>> read_pem(ByteSpan text);

// Lines of 64 characters, LF.
SecureBytes write_pem(std::string_view label, ByteSpan der);

}  // namespace sealgate

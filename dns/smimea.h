// SPDX-License-Identifier: GPL-3.0-or-later
// SMIMEA records, RFC 8162: where a recipient's certificate lies in the DNS, and what a record
// says.
//
// Text and bytes only; asking is dns/resolver.h's. The owner name begins with a digest of the local
// part, which the caller computes (no cipher is seen in this room). Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace sealgate {

// RFC 8162 §3: what of a local part is hashed: without enclosing quotes and quoting backslashes.
// Upper and lower case are kept: §4 leaves variants to whoever publishes the records. Non-ASCII
// text is taken as it came; RFC 6532 §3.1 has it in Normalization Form C already.
std::string smimea_local_part(std::string_view local_part);

// "<56 hexadecimal digits>._smimecert.<domain>"; `digest` is SHA-256 of smimea_local_part(), cut to
// 28 octets here; `domain` in the form of dns/domain_name.h. Malformed when that is too long a
// name.
Result<std::string> smimea_name(ByteSpan digest, std::string_view domain);

// One record, as TLSA (RFC 6698 §2.1). Numbers nobody has assigned are kept: they are not ours to
// refuse, only not to use.
struct SmimeaRecord {
    enum Usage : std::uint8_t { pkix_ta = 0, pkix_ee = 1, dane_ta = 2, dane_ee = 3 };
    std::uint8_t usage = 0;
    std::uint8_t selector = 0;  // 0: the certificate, 1: its public key
    std::uint8_t matching = 0;  // 0: the thing itself, 1 and 2: a digest of it
    Bytes data;

    // Only a whole certificate can be encrypted to; digests and bare keys only confirm one that was
    // found elsewhere, and usages 0 and 2 name an authority, not the recipient.
    bool is_recipient_certificate() const {
        return (usage == pkix_ee || usage == dane_ee) && selector == 0 && matching == 0;
    }
};

Result<SmimeaRecord> parse_smimea(std::string_view rdata);

}  // namespace sealgate

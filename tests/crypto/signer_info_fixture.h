// SPDX-License-Identifier: GPL-3.0-or-later
// SignerInfos and attributes put together by hand, as nobody would write them.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "crypto/ber_writer.h"

namespace sealgate::test {

Bytes from_hexadecimal(std::string_view text);

// An attribute with these values, each with its header.
Bytes attribute(ByteSpan type, const std::vector<Bytes>& values);
// The attributes in this order, with their tag: [0] the signed ones, [1] the others.
Bytes attribute_set(unsigned number, const std::vector<Bytes>& attributes);

// A Name of one common name.
Bytes name_of(std::string_view common_name);
Bytes integer(std::uint64_t value);
Bytes octet_string(ByteSpan contents);
template <typename... Parts>
Bytes sequence(const Parts&... parts) {
    BerWriter out;
    out.sequence([&] { (out.raw(parts), ...); });
    return out.take();
}

struct SignerInfoParts {
    Bytes version = integer(1);
    Bytes signer = sequence(name_of("Example CA"), integer(0x1234));
    Bytes digest;  // an AlgorithmIdentifier; SHA-256 where it is empty
    Bytes attributes;
    Bytes algorithm;  // ecdsa-with-SHA256 where it is empty
    Bytes signature = octet_string(as_bytes("signature"));
    Bytes unsigned_attributes;
    Bytes behind;
};
Bytes signer_info_of(SignerInfoParts parts);

}  // namespace sealgate::test

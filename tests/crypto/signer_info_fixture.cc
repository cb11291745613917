// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/signer_info_fixture.h"

#include <gtest/gtest.h>

#include "crypto/oid.h"

namespace sealgate::test {

Bytes from_hexadecimal(std::string_view text) {
    const auto value_of = [](char digit) {
        const std::size_t value = std::string_view("0123456789abcdef").find(digit);
        EXPECT_NE(value, std::string_view::npos) << digit;
        return static_cast<std::uint8_t>(value);
    };
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(value_of(text[i]) << 4 | value_of(text[i + 1])));
    return bytes;
}

Bytes attribute(ByteSpan type, const std::vector<Bytes>& values) {
    BerWriter out;
    out.sequence([&] {
        out.raw(type);
        out.set([&] {
            for (const Bytes& value : values) out.raw(value);
        });
    });
    return out.take();
}

Bytes attribute_set(unsigned number, const std::vector<Bytes>& attributes) {
    BerWriter out;
    out.element(ber::context(number), [&] {
        for (const Bytes& one : attributes) out.raw(one);
    });
    return out.take();
}

Bytes name_of(std::string_view common_name) {
    static constexpr std::uint8_t type[] = {0x06, 0x03, 0x55, 0x04, 0x03};
    constexpr std::uint8_t utf8_string = 0x0c;
    BerWriter out;
    out.sequence([&] {
        out.set([&] {
            out.sequence([&] {
                out.raw(type);
                out.element(utf8_string, as_bytes(common_name));
            });
        });
    });
    return out.take();
}

Bytes integer(std::uint64_t value) {
    BerWriter out;
    out.integer(value);
    return out.take();
}

Bytes octet_string(ByteSpan contents) {
    BerWriter out;
    out.octet_string(contents);
    return out.take();
}

Bytes signer_info_of(SignerInfoParts parts) {
    if (parts.digest.empty()) parts.digest = sequence(ByteSpan(oid::sha256));
    if (parts.algorithm.empty()) parts.algorithm = sequence(ByteSpan(oid::ecdsa_with_sha256));
    return sequence(parts.version, parts.signer, parts.digest, parts.attributes, parts.algorithm,
                    parts.signature, parts.unsigned_attributes, parts.behind);
}

}  // namespace sealgate::test

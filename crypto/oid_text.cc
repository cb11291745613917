// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/oid_text.h"

#include <cstdint>

#include "crypto/ber_writer.h"
#include "crypto/der_reader.h"

namespace sealgate {

std::string dotted_oid(ByteSpan oid) {
    constexpr std::size_t text_bytes_max = 256;
    DerReader reader(oid);
    const auto element = reader.next(ber::object_identifier);
    if (!element || !reader.at_end() || element->contents.empty()) return {};
    if ((element->contents.back() & 0x80) != 0) return {};
    std::string text;
    std::uint64_t number = 0;
    for (const std::uint8_t byte : element->contents) {
        if (number >> 57 != 0) return {};
        number = number << 7 | (byte & 0x7f);
        if ((byte & 0x80) != 0) continue;
        if (text.empty()) {  // X.690 §8.19.4: the first two in one
            const std::uint64_t first = number < 80 ? number / 40 : 2;
            text = std::to_string(first) + '.' + std::to_string(number - first * 40);
        } else {
            text += '.' + std::to_string(number);
        }
        number = 0;
        if (text.size() > text_bytes_max) return text.substr(0, text_bytes_max);
    }
    return text;
}

}  // namespace sealgate

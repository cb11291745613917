// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/der_reader.h"

namespace sealgate {

Result<DerElement> DerReader::next() {
    constexpr std::size_t length_octets_max = 4;
    if (left_.size() < 2) return malformed("DER element cut short");
    if ((left_[0] & 0x1f) == 0x1f) return unsupported("DER tag number above 30");
    std::size_t header_bytes = 2;
    std::size_t length = left_[1];
    if (length >= 0x80) {
        const std::size_t octets = length & 0x7f;
        if (octets == 0) return malformed("DER element of indefinite length");
        if (octets > length_octets_max) return malformed("DER element longer than its input");
        header_bytes += octets;
        if (left_.size() < header_bytes) return malformed("DER element cut short");
        length = 0;
        for (std::size_t i = 2; i < header_bytes; ++i) length = length << 8 | left_[i];
    }
    if (left_.size() - header_bytes < length) return malformed("DER element longer than its input");
    const DerElement element{left_[0], left_.first(header_bytes + length),
                             left_.subspan(header_bytes, length)};
    left_ = left_.subspan(header_bytes + length);
    return element;
}

Result<DerElement> DerReader::next(std::uint8_t tag) {
    if (left_.empty() || left_[0] != tag) return malformed("another DER element than expected");
    return next();
}

}  // namespace sealgate

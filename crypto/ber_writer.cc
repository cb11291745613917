// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/ber_writer.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/result.h"

namespace sealgate {
namespace {

struct Header {
    std::array<std::uint8_t, 2 + sizeof(std::size_t)> octets;
    std::size_t count = 0;
    ByteSpan bytes() const { return {octets.data(), count}; }
};

// X.690 §10.1: the definite form, in the fewest octets.
Header header_of(std::uint8_t tag, std::size_t contents_bytes) {
    Header header;
    header.octets[header.count++] = tag;
    if (contents_bytes < 0x80) {
        header.octets[header.count++] = static_cast<std::uint8_t>(contents_bytes);
        return header;
    }
    unsigned length_octets = 1;
    while (length_octets < sizeof contents_bytes && contents_bytes >> (8 * length_octets) != 0)
        ++length_octets;
    header.octets[header.count++] = static_cast<std::uint8_t>(0x80 | length_octets);
    for (unsigned i = length_octets; i-- > 0;)
        header.octets[header.count++] = static_cast<std::uint8_t>(contents_bytes >> (8 * i));
    return header;
}

}  // namespace

void BerWriter::header(std::uint8_t tag, std::size_t contents_bytes) {
    raw(header_of(tag, contents_bytes).bytes());
}

void BerWriter::insert_header(std::size_t begin, std::uint8_t tag) {
    const Header header = header_of(tag, out_.size() - begin);
    const ByteSpan octets = header.bytes();
    out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(begin), octets.begin(), octets.end());
}

void BerWriter::integer(std::uint64_t value) {
    std::array<std::uint8_t, 9> octets{};  // a leading zero keeps the number positive
    std::size_t first = octets.size();
    do {
        octets[--first] = static_cast<std::uint8_t>(value);
        value >>= 8;
    } while (value != 0);
    if (octets[first] & 0x80) --first;
    element(ber::integer, ByteSpan(octets).subspan(first));
}

void BerWriter::time(std::int64_t seconds) {
    const time_t wanted = static_cast<time_t>(seconds);
    struct tm parts {};
    CHECK(gmtime_r(&wanted, &parts) != nullptr);
    const int year = parts.tm_year + 1900;
    const bool short_year = year >= 1950 && year <= 2049;
    char text[40];
    const int count =
        std::snprintf(text, sizeof text, "%0*d%02d%02d%02d%02d%02dZ", short_year ? 2 : 4,
                      short_year ? year % 100 : year, parts.tm_mon + 1, parts.tm_mday,
                      parts.tm_hour, parts.tm_min, parts.tm_sec);
    element(short_year ? ber::utc_time : ber::generalized_time,
            as_bytes({text, static_cast<std::size_t>(count)}));
}

void BerWriter::set_of(std::vector<Bytes> encodings) {
    // "as octet strings, the shorter ones padded with zeros at their end": no encoding is another's
    // beginning, so plain lexicographic order is that.
    std::sort(encodings.begin(), encodings.end());
    set([&] {
        for (const Bytes& encoding : encodings) raw(encoding);
    });
}

void BerWriter::open_indefinite(std::uint8_t constructed_tag) {
    const std::uint8_t octets[] = {constructed_tag, 0x80};
    raw(octets);
}

void BerWriter::end_of_contents() {
    static constexpr std::uint8_t octets[] = {0, 0};
    raw(octets);
}

}  // namespace sealgate

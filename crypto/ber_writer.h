// SPDX-License-Identifier: GPL-3.0-or-later
// Writes BER: DER elements of definite length, and openings of indefinite length.
//
// Elements nest by closures, so that what is opened is closed. A writer holds a few kilobytes (the
// frame around a content, never the content); contents of unknown length go between
// open_indefinite() and end_of_contents(), in pieces of the caller's. X.690 §8.1.3, §10.
#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"

namespace sealgate {

// X.690 §8.1.2: identifier octets, for tag numbers below 31.
namespace ber {
inline constexpr std::uint8_t boolean = 0x01;
inline constexpr std::uint8_t integer = 0x02;
inline constexpr std::uint8_t bit_string = 0x03;
inline constexpr std::uint8_t octet_string = 0x04;
inline constexpr std::uint8_t octet_string_constructed = 0x24;
inline constexpr std::uint8_t null = 0x05;
inline constexpr std::uint8_t object_identifier = 0x06;
inline constexpr std::uint8_t utc_time = 0x17;
inline constexpr std::uint8_t generalized_time = 0x18;
inline constexpr std::uint8_t sequence = 0x30;
inline constexpr std::uint8_t set = 0x31;
constexpr std::uint8_t context(unsigned number) {  // [number], constructed
    return static_cast<std::uint8_t>(0xa0u | number);
}
}  // namespace ber

class BerWriter {
public:
    // The identifier and length of a definite element of `contents_bytes`; what follows is the
    // caller's.
    void header(std::uint8_t tag, std::size_t contents_bytes);
    void element(std::uint8_t tag, ByteSpan contents) {
        header(tag, contents.size());
        raw(contents);
    }
    // What `contents()` writes into this writer becomes the contents.
    template <typename Contents>
    void element(std::uint8_t tag, Contents contents) {
        const std::size_t begin = out_.size();
        contents();
        insert_header(begin, tag);
    }
    template <typename Contents>
    void sequence(Contents contents) {
        element(ber::sequence, contents);
    }
    template <typename Contents>
    void set(Contents contents) {
        element(ber::set, contents);
    }

    void raw(ByteSpan encoded) { out_.insert(out_.end(), encoded.begin(), encoded.end()); }
    void integer(std::uint64_t value);
    void null() { header(ber::null, 0); }
    void octet_string(ByteSpan contents) { element(ber::octet_string, contents); }
    // UTCTime from 1950 to 2049, GeneralizedTime otherwise: RFC 5652 §11.3.
    void time(std::int64_t seconds);
    // X.690 §11.6: the encodings in ascending order.
    void set_of(std::vector<Bytes> encodings);

    // X.690 §8.1.3.6.
    void open_indefinite(std::uint8_t constructed_tag);
    void end_of_contents();

    const Bytes& bytes() const { return out_; }
    Bytes take() { return std::move(out_); }

private:
    void insert_header(std::size_t begin, std::uint8_t tag);

    Bytes out_;
};

}  // namespace sealgate

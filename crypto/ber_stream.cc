// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/ber_stream.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace sealgate {
namespace {

constexpr std::uint8_t indefinite_length = 0x80;

}  // namespace

Result<BerEvent> BerStream::next(ByteSpan& input) {
    if (primitive_) return next_of_primitive(input);
    if (header_bytes_ == 0 && depth_ > 0 && !in_indefinite() && at_ == end_of_surrounding())
        return end_element({});
    if (!TRY(take_header(input))) return BerEvent{};
    const ByteSpan octets(header_.data(), std::exchange(header_bytes_, 0));
    if (header_[0] == 0) return end_element(octets);
    return begin_element(octets);
}

Result<BerEvent> BerStream::next_of_primitive(ByteSpan& input) {
    BerEvent event;
    event.tag = primitive_tag_;
    if (at_ == primitive_end_) {
        primitive_ = false;
        event.kind = BerEvent::Kind::end;
        return event;
    }
    if (input.empty()) return BerEvent{};
    const std::size_t bytes =
        static_cast<std::size_t>(std::min<std::uint64_t>(primitive_end_ - at_, input.size()));
    event.kind = BerEvent::Kind::contents;
    event.octets = input.first(bytes);
    input = input.subspan(bytes);
    at_ += bytes;
    return event;
}

Result<bool> BerStream::take_header(ByteSpan& input) {
    for (;;) {
        if (at_ == end_of_surrounding())
            return malformed("BER element longer than the one around it", at_);
        if (input.empty()) return false;
        header_[header_bytes_++] = input.front();
        input = input.subspan(1);
        ++at_;
        TRY(look_at_octet());
        if (header_bytes_ < 2) continue;
        const std::uint8_t first = header_[1];
        if (first <= indefinite_length || header_bytes_ == 2u + (first & 0x7f)) return true;
    }
}

// The octet of the header that was taken last.
Result<void> BerStream::look_at_octet() {
    const std::uint8_t octet = header_[header_bytes_ - 1];
    if (header_bytes_ == 1) {
        length_ = 0;
        if ((octet & 0x1f) == 0x1f) return unsupported("BER tag number above 30", at_);
        // X.690 §8.1.5: tag 0 is the end of contents, and of nothing else.
        if (octet == 0 && !in_indefinite())
            return malformed("BER end of contents without indefinite length", at_);
        if (octet == ber::constructed_bit) return malformed("BER tag number 0", at_);
        return {};
    }
    if (header_bytes_ == 2) {
        if (header_[0] == 0 && octet != 0)
            return malformed("BER end of contents with contents", at_);
        if (octet == 0xff) return malformed("BER length octet that is reserved", at_);
        if (octet == indefinite_length && !(header_[0] & ber::constructed_bit))
            return malformed("BER primitive of indefinite length", at_);
        if (octet < indefinite_length) length_ = octet;
        return {};
    }
    if (length_ >> (63 - 8) != 0) return malformed("BER length beyond 2^63", at_);
    length_ = length_ << 8 | octet;
    return {};
}

Result<BerEvent> BerStream::begin_element(ByteSpan octets) {
    BerEvent event;
    event.kind = BerEvent::Kind::begin;
    event.tag = header_[0];
    event.indefinite = header_[1] == indefinite_length;
    event.length = length_;
    event.octets = octets;
    const std::uint64_t surrounding_end = end_of_surrounding();
    if (!event.indefinite && length_ > surrounding_end - at_)
        return malformed("BER element longer than the one around it", at_);
    const std::uint64_t end = event.indefinite ? surrounding_end : at_ + length_;
    if (!event.constructed()) {
        primitive_ = true;
        primitive_tag_ = event.tag;
        primitive_end_ = end;
        return event;
    }
    if (depth_ == limits::ber_depth_max) return past_limit("BER elements nested too deep", at_);
    open_[static_cast<std::size_t>(depth_++)] = {end, event.tag, event.indefinite};
    return event;
}

BerEvent BerStream::end_element(ByteSpan octets) {
    BerEvent event;
    event.kind = BerEvent::Kind::end;
    event.tag = innermost().tag;
    event.octets = octets;
    --depth_;
    return event;
}

std::uint64_t BerStream::end_of_surrounding() const {
    return depth_ > 0 ? innermost().end : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace sealgate

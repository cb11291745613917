// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_decode.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/limits.h"

namespace sealgate {

namespace {

constexpr std::uint8_t white = 0x40;
constexpr std::uint8_t padding = 0x41;
constexpr std::uint8_t no_digit = 0x42;

constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// What each byte means: a digit's value, or one of the three above.
constexpr std::array<std::uint8_t, 256> make_values() {
    std::array<std::uint8_t, 256> values{};
    for (std::uint8_t& value : values) value = no_digit;
    for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<std::uint8_t>(base64_digits[i])] = i;
    for (const char c : {' ', '\t', '\r', '\n'}) values[static_cast<std::uint8_t>(c)] = white;
    values['='] = padding;
    return values;
}
constexpr std::array<std::uint8_t, 256> values = make_values();

// The value of a digit in its place of a group of four; in the highest byte of what is no digit.
using PlacedValues = std::array<std::uint32_t, 256>;
constexpr std::uint32_t no_digit_bit = 0x80000000u;
constexpr PlacedValues make_placed(unsigned place) {
    PlacedValues placed{};
    for (unsigned i = 0; i < 256; ++i)
        placed[i] = values[i] < 64 ? std::uint32_t{values[i]} << (18 - 6 * place) : no_digit_bit;
    return placed;
}
constexpr PlacedValues first_digit = make_placed(0);
constexpr PlacedValues second_digit = make_placed(1);
constexpr PlacedValues third_digit = make_placed(2);
constexpr PlacedValues fourth_digit = make_placed(3);

// Three bytes, and one more that is written over by what follows.
void store_group(std::uint32_t bits, std::uint8_t* to) {
    bits <<= 8;
    if constexpr (std::endian::native == std::endian::little) bits = __builtin_bswap32(bits);
    std::memcpy(to, &bits, sizeof bits);
}

int hex_value(std::uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    return -1;
}

bool is_space(std::uint8_t byte) { return byte == ' ' || byte == '\t'; }

// Output up to this size shares a block with what comes after it.
constexpr std::size_t small_bytes = 512;

}  // namespace

// --- Base64Decoder -----------------------------------------------------------------------------

Result<std::size_t> Base64Decoder::feed(ByteSpan bytes, std::uint8_t* to) {
    const std::uint8_t* const begin = to;
    const std::uint8_t* at = bytes.data();
    const std::uint8_t* const end = at + bytes.size();
    while (at < end) {
        if (digits_ == 0 && !padded_) {  // whole groups, to the end of the line
            for (; end - at >= 4; at += 4, to += 3) {
                const std::uint32_t bits = first_digit[at[0]] | second_digit[at[1]] |
                                           third_digit[at[2]] | fourth_digit[at[3]];
                if (bits & no_digit_bit) break;
                store_group(bits, to);
            }
            if (at == end) break;
        }
        const std::uint64_t offset = bytes_ + static_cast<std::uint64_t>(at - bytes.data());
        const std::uint8_t value = values[*at++];
        if (value == white) continue;
        if (value == padding) {
            if (digits_ == 1) return malformed("base64 ends inside a byte", offset);
            to += put_rest(to);
            padded_ = true;
            continue;
        }
        if (value == no_digit) return malformed("not a base64 character", offset);
        if (padded_) return malformed("base64 goes on behind its padding", offset);
        bits_ = bits_ << 6 | value;
        if (++digits_ < 4) continue;
        to[0] = static_cast<std::uint8_t>(bits_ >> 16);
        to[1] = static_cast<std::uint8_t>(bits_ >> 8);
        to[2] = static_cast<std::uint8_t>(bits_);
        to += 3;
        bits_ = digits_ = 0;
    }
    bytes_ += bytes.size();
    return static_cast<std::size_t>(to - begin);
}

Result<std::size_t> Base64Decoder::finish(std::uint8_t* to) {
    if (digits_ == 1) return malformed("base64 ends inside a byte", bytes_);
    return put_rest(to);
}

std::size_t Base64Decoder::put_rest(std::uint8_t* to) {
    const std::size_t bytes = digits_ == 0 ? 0 : digits_ - 1;
    const std::uint32_t bits = digits_ == 0 ? 0 : bits_ << 6 * (4 - digits_);
    if (bytes > 0) to[0] = static_cast<std::uint8_t>(bits >> 16);
    if (bytes > 1) to[1] = static_cast<std::uint8_t>(bits >> 8);
    bits_ = digits_ = 0;
    return bytes;
}

// --- QuotedPrintableDecoder --------------------------------------------------------------------

Result<std::size_t> QuotedPrintableDecoder::feed(ByteSpan bytes, std::uint8_t* to) {
    const std::uint8_t* const begin = to;
    for (const std::uint8_t byte : bytes) {
        TRY(step(byte, to));
        ++bytes_;
    }
    return static_cast<std::size_t>(to - begin);
}

Result<void> QuotedPrintableDecoder::step(std::uint8_t byte, std::uint8_t*& to) {
    switch (state_) {
    case State::text:
        if (is_space(byte)) {
            if (white_.size() == limits::line_bytes_max)
                return malformed("quoted-printable line too long", bytes_);
            white_.push_back(static_cast<char>(byte));
            return {};
        }
        if (!white_.empty()) {
            if (byte != '\r' && byte != '\n') to = std::copy(white_.begin(), white_.end(), to);
            white_.clear();
        }
        if (byte == '=') {
            state_ = State::equals;
        } else {
            *to++ = byte;
        }
        return {};
    case State::equals:
    case State::equals_white:
        if (state_ == State::equals && hex_value(byte) >= 0) {
            high_ = static_cast<std::uint8_t>(hex_value(byte));
            state_ = State::hex;
            return {};
        }
        if (is_space(byte)) {
            state_ = State::equals_white;
            return {};
        }
        if (byte == '\r') {
            state_ = State::equals_cr;
            return {};
        }
        [[fallthrough]];
    case State::equals_cr:
        if (byte != '\n') return malformed("not quoted-printable behind '='", bytes_);
        state_ = State::text;
        return {};
    case State::hex:
        if (hex_value(byte) < 0) return malformed("not a hex digit in quoted-printable", bytes_);
        *to++ = static_cast<std::uint8_t>(high_ * 16 + hex_value(byte));
        state_ = State::text;
        return {};
    }
    return {};
}

Result<void> QuotedPrintableDecoder::finish() {
    if (state_ == State::hex) return malformed("quoted-printable ends inside a byte", bytes_);
    return {};  // a soft line break may be the last thing; white space at the end is dropped
}

// --- TransferDecoder ---------------------------------------------------------------------------

TransferDecoder::TransferDecoder(Sink& below, TransferEncoding label, Body body) : below_(below) {
    switch (label) {
    case TransferEncoding::base64: mode_ = Mode::base64; break;
    case TransferEncoding::quoted_printable: mode_ = Mode::quoted_printable; break;
    case TransferEncoding::unknown:
        mode_ = body == Body::cms ? Mode::by_first_byte : Mode::refuse;
        break;
    case TransferEncoding::absent:
    case TransferEncoding::seven_bit:
    case TransferEncoding::eight_bit:
    case TransferEncoding::binary:
        mode_ = body == Body::cms ? Mode::by_first_byte : Mode::identity;
        break;
    }
}

Result<Flow> TransferDecoder::write(Chunk chunk) {
    if (mode_ == Mode::by_first_byte) {
        const std::size_t first = chunk.text().find_first_not_of(" \t\r\n");
        if (first == std::string_view::npos) return Flow::open;
        mode_ = chunk.data()[first] == '0' ? Mode::identity : Mode::base64;
        chunk = chunk.slice(first, chunk.size());
    }
    if (mode_ == Mode::identity) return below_.write(std::move(chunk));
    return decode(chunk.bytes());
}

Result<Flow> TransferDecoder::finish() {
    if (mode_ == Mode::base64) {
        std::uint8_t rest[2];
        const std::size_t bytes = TRY(base64_.finish(rest));
        if (bytes > 0) TRY(below_.write(Chunk::copy_of(ByteSpan(rest, bytes))));
    }
    if (mode_ == Mode::quoted_printable) TRY(quoted_printable_.finish());
    return below_.finish();
}

Result<Flow> TransferDecoder::decode(ByteSpan bytes) {
    const std::size_t room = mode_ == Mode::quoted_printable
                                 ? bytes.size() + quoted_printable_.held_bytes()
                                 : Base64Decoder::room_bytes(bytes.size());
    if (room <= small_bytes) {
        std::uint8_t decoded[small_bytes];
        const std::size_t count = TRY(decode(bytes, decoded));
        if (count == 0) return Flow::open;
        small_.append(ByteSpan(decoded, count));
        return below_.write_all(small_.take());
    }
    Block* block = Block::allocate(room);
    const Result<std::size_t> count = decode(bytes, block->bytes());
    Chunk decoded;
    if (count) decoded = Chunk::window(*block, 0, *count);
    block->release();
    if (!count) return tl::unexpected(count.error());
    if (decoded.empty()) return Flow::open;
    return below_.write(std::move(decoded));
}

Result<std::size_t> TransferDecoder::decode(ByteSpan bytes, std::uint8_t* to) {
    switch (mode_) {
    case Mode::base64: return base64_.feed(bytes, to);
    case Mode::quoted_printable: return quoted_printable_.feed(bytes, to);
    case Mode::identity:
    case Mode::by_first_byte:
    case Mode::refuse: break;
    }
    return bytes.empty() ? Result<std::size_t>(0) : malformed("unknown content-transfer-encoding");
}

}  // namespace sealgate

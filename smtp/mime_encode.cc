// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_encode.h"

#include <algorithm>
#include <cstring>

namespace sealgate {

namespace {

// RFC 2045 §6.7 (5), §6.8: at most 76 characters; in quoted-printable the last may be the '=' of a
// soft line break.
constexpr unsigned line_columns_max = 76;
constexpr unsigned soft_line_columns_max = line_columns_max - 1;
constexpr std::size_t line_input_bytes = line_columns_max / 4 * 3;

constexpr char hex_digits[] = "0123456789ABCDEF";
constexpr char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Two digits at once: 12 bits of input. 8 KB, in the first-level cache with room to spare.
struct Base64Pairs {
    char pair[4096][2];
    constexpr Base64Pairs() : pair() {
        for (unsigned i = 0; i < 4096; ++i) {
            pair[i][0] = base64_digits[i >> 6];
            pair[i][1] = base64_digits[i & 63];
        }
    }
};
constexpr Base64Pairs base64_pairs;

// Bytes that stand for themselves wherever they are in a line.
struct LiteralBytes {
    bool literal[256];
    constexpr LiteralBytes() : literal() {
        for (unsigned i = 0x21; i < 0x7f; ++i) literal[i] = i != '=';
    }
};
constexpr LiteralBytes literal_bytes;

// A space between words is the commonest byte that needs a second look: what follows decides.
bool stays(ByteSpan bytes, std::size_t at) {
    if (literal_bytes.literal[bytes[at]]) return true;
    return bytes[at] == ' ' && at + 1 < bytes.size() && literal_bytes.literal[bytes[at + 1]];
}

}  // namespace

// --- quoted-printable --------------------------------------------------------------------------

void QuotedPrintableEncoder::feed(ByteSpan bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        // A run of plain bytes in the middle of a line is copied as it is.
        if (!after_cr_ && space_ == 0 && column_ > 0) {
            const std::size_t room =
                std::min<std::size_t>(bytes.size() - at, soft_line_columns_max - column_);
            std::size_t run = 0;
            while (run < room && stays(bytes, at + run)) ++run;
            if (run > 0) {
                if (used_ + run > buffer_.size()) flush();
                std::memcpy(buffer_.data() + used_, bytes.data() + at, run);
                used_ += run;
                column_ += static_cast<unsigned>(run);
                at += run;
                continue;
            }
        }
        put(bytes[at++]);
    }
    flush();
}

void QuotedPrintableEncoder::put(std::uint8_t byte) {
    if (after_cr_) {
        after_cr_ = false;
        if (byte == '\n') {
            put_space(true);
            if (used_ + 2 > buffer_.size()) flush();
            buffer_[used_++] = '\r';
            buffer_[used_++] = '\n';
            column_ = 0;
            return;
        }
        put_space(false);
        put_escaped('\r');
    }
    if (byte == '\r') {
        after_cr_ = true;
        return;
    }
    put_space(false);
    if (byte == ' ' || byte == '\t') {
        space_ = byte;
    } else if (literal_bytes.literal[byte]) {
        put_literal(byte);
    } else {
        put_escaped(byte);
    }
}

void QuotedPrintableEncoder::put_literal(std::uint8_t byte) {
    make_room(1);
    if (column_ == 0 && (byte == '.' || byte == 'F' || byte == '-')) return put_escaped(byte);
    buffer_[used_++] = byte;
    ++column_;
}

void QuotedPrintableEncoder::put_escaped(std::uint8_t byte) {
    make_room(3);
    buffer_[used_++] = '=';
    buffer_[used_++] = static_cast<std::uint8_t>(hex_digits[byte >> 4]);
    buffer_[used_++] = static_cast<std::uint8_t>(hex_digits[byte & 15]);
    column_ += 3;
}

void QuotedPrintableEncoder::put_space(bool line_ends) {
    if (space_ == 0) return;
    const std::uint8_t space = std::exchange(space_, std::uint8_t{0});
    if (line_ends) {
        put_escaped(space);
    } else {
        make_room(1);
        buffer_[used_++] = space;
        ++column_;
    }
}

void QuotedPrintableEncoder::make_room(unsigned columns) {
    if (used_ + columns + 3 > buffer_.size()) flush();
    if (column_ + columns <= soft_line_columns_max) return;
    buffer_[used_++] = '=';
    buffer_[used_++] = '\r';
    buffer_[used_++] = '\n';
    column_ = 0;
}

void QuotedPrintableEncoder::finish() {
    put_space(true);
    if (after_cr_) put_escaped('\r');
    after_cr_ = false;
    flush();
}

void QuotedPrintableEncoder::flush() {
    builder_.append(ByteSpan(buffer_.data(), used_));
    used_ = 0;
}

// --- base64 ------------------------------------------------------------------------------------

void Base64Encoder::feed(ByteSpan bytes) {
    static_assert(line_input_bytes == std::tuple_size_v<decltype(carry_)>);
    if (carried_ > 0) {
        const std::size_t part = std::min(bytes.size(), carry_.size() - carried_);
        std::copy_n(bytes.data(), part, carry_.data() + carried_);
        carried_ += part;
        bytes = bytes.subspan(part);
        if (carried_ < carry_.size()) return;
        put_line(carry_);
        carried_ = 0;
    }
    while (bytes.size() >= line_input_bytes) {
        put_line(bytes.first(line_input_bytes));
        bytes = bytes.subspan(line_input_bytes);
    }
    std::copy_n(bytes.data(), bytes.size(), carry_.data());
    carried_ = bytes.size();
}

void Base64Encoder::finish() {
    if (carried_ > 0) put_line(ByteSpan(carry_.data(), carried_));
    carried_ = 0;
}

void Base64Encoder::put_line(ByteSpan bytes) {
    const std::size_t columns = (bytes.size() + 2) / 3 * 4;
    const std::size_t begin = first_line_ ? 0 : 2;
    std::uint8_t* to = builder_.reserve(begin + columns);
    if (!first_line_) {
        *to++ = '\r';
        *to++ = '\n';
    }
    first_line_ = false;
    const auto put = [&to](std::uint32_t bits, std::size_t digits) {  // of 24 bits
        std::memcpy(to, base64_pairs.pair[bits >> 12], 2);
        std::memcpy(to + 2, base64_pairs.pair[bits & 0xfff], 2);
        std::memset(to + digits, '=', 4 - digits);
        to += 4;
    };
    std::size_t at = 0;
    for (; at + 3 <= bytes.size(); at += 3)
        put(std::uint32_t{bytes[at]} << 16 | std::uint32_t{bytes[at + 1]} << 8 | bytes[at + 2], 4);
    if (bytes.size() - at == 1) put(std::uint32_t{bytes[at]} << 16, 2);
    if (bytes.size() - at == 2)
        put(std::uint32_t{bytes[at]} << 16 | std::uint32_t{bytes[at + 1]} << 8, 3);
}

}  // namespace sealgate

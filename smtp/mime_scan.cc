// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_scan.h"

#include <algorithm>
#include <cstring>

#include "core/limits.h"

namespace sealgate {

namespace {

// A line that is not too long shows its LF within so many bytes of its begin.
constexpr std::size_t line_window_bytes = limits::line_bytes_max + 2;

bool any_eight_bit(const std::uint8_t* data, std::size_t bytes) {
    constexpr std::uint64_t high_bits = 0x8080808080808080u;
    std::size_t at = 0;
    for (; at + 64 <= bytes; at += 64) {
        std::uint64_t words[8];
        std::memcpy(words, data + at, sizeof words);
        const std::uint64_t any =
            words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] | words[7];
        if (any & high_bits) return true;
    }
    std::uint8_t rest = 0;
    for (; at < bytes; ++at) rest = static_cast<std::uint8_t>(rest | data[at]);
    return (rest & 0x80) != 0;
}

}  // namespace

void MimeScan::feed(ByteSpan bytes) {
    if (bytes.empty()) return;
    bytes_ += bytes.size();
    if (!has_eight_bit_) has_eight_bit_ = any_eight_bit(bytes.data(), bytes.size());
    if (!has_long_lines_) feed_lines(bytes);
    after_cr_ = bytes.back() == '\r';
}

void MimeScan::feed_lines(ByteSpan bytes) {
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    while (left > 0) {
        const std::size_t window = std::min(left, line_window_bytes - line_bytes_);
        // Lines before the last LF of the window are short enough; they need no look.
        const void* found = ::memrchr(at, '\n', window);
        if (found) {
            const std::uint8_t* lf = static_cast<const std::uint8_t*>(found);
            // The first line of the window began before it and may be 999 octets with a bare LF.
            if (line_bytes_ > 0 || static_cast<std::size_t>(lf - at) == line_window_bytes - 1) {
                const auto* first = static_cast<const std::uint8_t*>(std::memchr(at, '\n', window));
                const std::size_t length = line_bytes_ + static_cast<std::size_t>(first - at);
                const bool cr = first > at ? first[-1] == '\r' : after_cr_;
                if (length - (cr ? 1 : 0) > limits::line_bytes_max) {
                    has_long_lines_ = true;
                    return;
                }
            }
            left -= static_cast<std::size_t>(lf - at) + 1;
            at = lf + 1;
            line_bytes_ = 0;
            continue;
        }
        line_bytes_ += window;
        at += window;
        left -= window;
        if (line_bytes_ >= line_window_bytes) {
            has_long_lines_ = true;
            return;
        }
    }
}

bool MimeScan::open_line_is_long() const {
    return line_bytes_ - (line_bytes_ > 0 && after_cr_ ? 1 : 0) > limits::line_bytes_max;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/base64.h"

#include <algorithm>
#include <cstring>

namespace sealgate {
namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Two characters for every 12 bits: half the look-ups, and it stays in the first-level cache.
struct Pairs {
    char text[4096][2];
};
constexpr Pairs make_pairs() {
    Pairs pairs{};
    for (unsigned i = 0; i < 4096; ++i) {
        pairs.text[i][0] = alphabet[i >> 6];
        pairs.text[i][1] = alphabet[i & 63];
    }
    return pairs;
}
constexpr Pairs pairs = make_pairs();

// Whole groups of three bytes; returns the end of the text.
std::uint8_t* encode_groups(const std::uint8_t* in, std::size_t groups, std::uint8_t* out) {
    for (; groups > 0; --groups, in += 3, out += 4) {
        const unsigned bits = unsigned{in[0]} << 16 | unsigned{in[1]} << 8 | in[2];
        std::memcpy(out, pairs.text[bits >> 12], 2);
        std::memcpy(out + 2, pairs.text[bits & 0xfff], 2);
    }
    return out;
}

std::uint8_t* encode_all(ByteSpan in, std::uint8_t* out) {
    const std::size_t groups = in.size() / 3;
    out = encode_groups(in.data(), groups, out);
    const ByteSpan rest = in.subspan(groups * 3);
    if (rest.empty()) return out;
    const unsigned bits = unsigned{rest[0]} << 16 | (rest.size() > 1 ? unsigned{rest[1]} << 8 : 0);
    std::memcpy(out, pairs.text[bits >> 12], 2);
    out[2] = static_cast<std::uint8_t>(rest.size() > 1 ? alphabet[bits >> 6 & 63] : '=');
    out[3] = '=';
    return out + 4;
}

}  // namespace

void Base64Lines::encode(ByteSpan bytes, ChunkBuilder& out) {
    constexpr std::size_t line_text_bytes = line_input_bytes / 3 * 4;
    const auto put_line = [&](const std::uint8_t* in) {
        std::uint8_t* text = out.reserve(line_text_bytes + 2);
        text = encode_groups(in, line_input_bytes / 3, text);
        text[0] = '\r';
        text[1] = '\n';
    };
    if (pending_bytes_ > 0) {
        const std::size_t part = std::min(bytes.size(), line_input_bytes - pending_bytes_);
        if (part > 0) std::memcpy(pending_.data() + pending_bytes_, bytes.data(), part);
        pending_bytes_ += part;
        bytes = bytes.subspan(part);
        if (pending_bytes_ < line_input_bytes) return;
        put_line(pending_.data());
        pending_bytes_ = 0;
    }
    for (; bytes.size() >= line_input_bytes; bytes = bytes.subspan(line_input_bytes))
        put_line(bytes.data());
    if (!bytes.empty()) std::memcpy(pending_.data(), bytes.data(), bytes.size());
    pending_bytes_ = bytes.size();
}

void Base64Lines::finish(ChunkBuilder& out) {
    if (pending_bytes_ == 0) return;
    std::array<std::uint8_t, 76 + 2> line;
    std::uint8_t* end = encode_all({pending_.data(), pending_bytes_}, line.data());
    *end++ = '\r';
    *end++ = '\n';
    out.append({line.data(), end});
    pending_bytes_ = 0;
}

std::string base64_of(ByteSpan bytes) {
    std::string text((bytes.size() + 2) / 3 * 4, '\0');
    encode_all(bytes, reinterpret_cast<std::uint8_t*>(text.data()));
    return text;
}

std::string decode_base64_text(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size() / 4 * 3 + 3);
    std::uint32_t bits = 0;
    unsigned bit_count = 0;
    for (const char c : text) {
        unsigned value;
        if (c >= 'A' && c <= 'Z') {
            value = static_cast<unsigned>(c - 'A');
        } else if (c >= 'a' && c <= 'z') {
            value = static_cast<unsigned>(c - 'a') + 26;
        } else if (c >= '0' && c <= '9') {
            value = static_cast<unsigned>(c - '0') + 52;
        } else if (c == '+' || c == '/') {
            value = c == '+' ? 62 : 63;
        } else if (c == '=') {
            bit_count = 0;  // the rest of this group is padding; another may follow
            continue;
        } else {
            continue;
        }
        bits = (bits << 6) | value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            decoded.push_back(static_cast<char>((bits >> bit_count) & 0xFF));
        }
    }
    return decoded;
}

}  // namespace sealgate

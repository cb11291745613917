// SPDX-License-Identifier: GPL-3.0-or-later
// Base64 for MIME bodies: lines of 76 characters, as the bytes come. RFC 2045 §6.8.
//
// A value: what is left of an unfinished line moves with the object (to a worker, that ends it).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/chunk.h"

namespace sealgate {

// The text of whole lines, `bytes` encoded, with the CRLF after each.
constexpr std::size_t base64_lines_bytes(std::size_t bytes) {
    const std::size_t characters = (bytes + 2) / 3 * 4;
    return characters + (characters + 75) / 76 * 2;
}

class Base64Lines {
public:
    void encode(ByteSpan bytes, ChunkBuilder& out);
    // The last, short line. Nothing was encoded: nothing is written.
    void finish(ChunkBuilder& out);

private:
    static constexpr std::size_t line_input_bytes = 57;
    std::array<std::uint8_t, line_input_bytes> pending_{};
    std::size_t pending_bytes_ = 0;
};

std::string base64_of(ByteSpan bytes);  // in one line

// Tolerant: other characters are skipped, padding may be missing.
std::string decode_base64_text(std::string_view text);

}  // namespace sealgate

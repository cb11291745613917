// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/dot_stuffing.h"

#include <cstring>

namespace sealgate {

void DotStuffing::append(const Chunk& chunk, std::size_t begin, std::size_t end) {
    if (begin < end) output_.append(chunk.slice(begin, end));
}

Result<Flow> DotStuffing::write(Chunk chunk) {
    if (chunk.empty()) return Flow::open;
    const std::uint8_t* const bytes = chunk.data();
    const std::size_t size = chunk.size();
    // Dots are looked for, not line ends: they are the rarer ones (base64 has none).
    std::size_t run_begin = 0;
    for (std::size_t at = 0; at < size; ++at) {
        const void* dot = std::memchr(bytes + at, '.', size - at);
        if (!dot) break;
        at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(dot) - bytes);
        if (at == 0 ? !at_line_begin_ : bytes[at - 1] != '\n') continue;
        append(chunk, run_begin, at);
        output_.append(Chunk::literal("."));
        run_begin = at;
    }
    append(chunk, run_begin, size);
    at_line_begin_ = bytes[size - 1] == '\n';
    after_cr_ = bytes[size - 1] == '\r';
    return Flow::open;
}

Result<Flow> DotStuffing::finish() {
    if (at_line_begin_) {
        output_.append(Chunk::literal(".\r\n"));
    } else if (after_cr_) {
        output_.append(Chunk::literal("\n.\r\n"));
    } else {
        output_.append(Chunk::literal("\r\n.\r\n"));
    }
    return Flow::open;
}

}  // namespace sealgate

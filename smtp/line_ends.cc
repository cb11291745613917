// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/line_ends.h"

#include <cstring>

namespace sealgate {
namespace {

// Where the next LF of `bytes` is, from `from` on; bytes.size() when there is none.
std::size_t next_line_feed(ByteSpan bytes, std::size_t from) {
    if (from == bytes.size()) return from;
    const void* found = std::memchr(bytes.data() + from, '\n', bytes.size() - from);
    if (found == nullptr) return bytes.size();
    return static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
}

}  // namespace

// `after_cr_`: what came before ended in CR; the cut may be between CR and LF.
bool LineEndStage::has_bare_line_feed(ByteSpan bytes) const {
    for (std::size_t at = next_line_feed(bytes, 0); at < bytes.size();
         at = next_line_feed(bytes, at + 1)) {
        if (at == 0 ? !after_cr_ : bytes[at - 1] != '\r') return true;
    }
    return false;
}

Result<Flow> LineEndStage::write(Chunk chunk) {
    const ByteSpan bytes = chunk.bytes();
    if (bytes.empty()) return Flow::open;
    const bool ends_in_cr = bytes.back() == '\r';
    if (!has_bare_line_feed(bytes)) {
        after_cr_ = ends_in_cr;
        return below_.write(std::move(chunk));
    }
    std::size_t line_begin = 0;
    while (line_begin < bytes.size()) {
        const std::size_t at = next_line_feed(bytes, line_begin);
        builder_.append(bytes.subspan(line_begin, at - line_begin));
        if (at == bytes.size()) break;
        if (at == 0 ? !after_cr_ : bytes[at - 1] != '\r') builder_.append_byte('\r');
        builder_.append_byte('\n');
        line_begin = at + 1;
    }
    after_cr_ = ends_in_cr;
    return below_.write_all(builder_.take());
}

}  // namespace sealgate

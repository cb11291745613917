// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/line_ends.h"

#include <cstring>

namespace sealgate {
namespace {

// Where the next `wanted` of `bytes` is, from `from` on; bytes.size() when there is none.
std::size_t next(char wanted, ByteSpan bytes, std::size_t from) {
    if (from == bytes.size()) return from;
    const void* found = std::memchr(bytes.data() + from, wanted, bytes.size() - from);
    if (found == nullptr) return bytes.size();
    return static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
}

}  // namespace

// `after_cr_`: what came before ended in CR; the cut may be between CR and LF.
bool LineEndStage::has_bare_line_feed(ByteSpan bytes) const {
    for (std::size_t at = next('\n', bytes, 0); at < bytes.size(); at = next('\n', bytes, at + 1)) {
        if (at == 0 ? !after_cr_ : bytes[at - 1] != '\r') return true;
    }
    return false;
}

// But for one at the end, of which the next bytes tell.
bool LineEndStage::has_bare_carriage_return(ByteSpan bytes) const {
    if (after_cr_ && bytes.front() != '\n') return true;
    for (std::size_t at = next('\r', bytes, 0); at + 1 < bytes.size();
         at = next('\r', bytes, at + 1)) {
        if (bytes[at + 1] != '\n') return true;
    }
    return false;
}

// Whole runs are copied, up to where a half is missing.
void LineEndStage::give_line_ends(ByteSpan bytes) {
    const bool completes = bare_cr_ == BareCr::ends_line;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const std::uint8_t byte = bytes[at];
        if (byte == '\n' ? !after_cr_ : after_cr_ && completes) {
            builder_.append(bytes.subspan(begin, at - begin));
            builder_.append_byte(byte == '\n' ? '\r' : '\n');
            begin = at;
        }
        after_cr_ = byte == '\r';
    }
    builder_.append(bytes.subspan(begin));
}

Result<Flow> LineEndStage::write(Chunk chunk) {
    const ByteSpan bytes = chunk.bytes();
    if (bytes.empty()) return Flow::open;
    const bool completes = bare_cr_ == BareCr::ends_line;
    if (!has_bare_line_feed(bytes) && !(completes && has_bare_carriage_return(bytes))) {
        after_cr_ = bytes.back() == '\r';
        return below_.write(std::move(chunk));
    }
    give_line_ends(bytes);
    return below_.write_all(builder_.take());
}

Result<Flow> LineEndStage::finish() {
    if (after_cr_ && bare_cr_ == BareCr::ends_line) {
        after_cr_ = false;
        TRY(below_.write(Chunk::literal("\n")));
    }
    return below_.finish();
}

}  // namespace sealgate

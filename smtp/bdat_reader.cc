// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/bdat_reader.h"

#include <algorithm>
#include <cstring>

#include "core/result.h"

namespace sealgate {

void BdatReader::begin_chunk(std::uint64_t bytes, bool last) {
    CHECK(chunk_complete());
    left_bytes_ = bytes;
    last_ = last;
}

std::size_t BdatReader::next(ByteSpan in) {
    const auto mine = static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), left_bytes_));
    left_bytes_ -= mine;
    if (mine == 0) return 0;
    any_ = true;
    const std::uint8_t* const end = in.data() + mine;
    const std::uint8_t* at = in.data();
    const auto find = [](const std::uint8_t* from, const std::uint8_t* to, char wanted) {
        const void* found =
            from == to ? nullptr : std::memchr(from, wanted, static_cast<std::size_t>(to - from));
        return found ? static_cast<const std::uint8_t*>(found) : to;
    };
    while (at != end) {
        if (state_ == State::after_cr) {
            if (*at != '\n') has_bare_line_end_ = true;
            state_ = *at == '\n' ? State::line_begin : *at == '\r' ? State::after_cr : State::text;
            ++at;
            continue;
        }
        const std::uint8_t* const cr = find(at, end, '\r');
        if (!has_bare_line_end_ && find(at, cr, '\n') != cr) has_bare_line_end_ = true;
        state_ = cr == end ? State::text : State::after_cr;
        at = cr == end ? end : cr + 1;
    }
    return mine;
}

}  // namespace sealgate

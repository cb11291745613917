// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/cms_reader_gather.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "crypto/ber_definite.h"

namespace sealgate {
namespace {

// An element's memory is kept for the next one, unless it was an unusual one.
constexpr std::size_t kept_bytes_max = 4096;
// Content in pieces below this is put together, and so is what is less than 1/16 of its chunk, up
// to a block's size.
constexpr std::size_t small_piece_bytes = 256;
constexpr std::size_t small_block_bytes = 4096;
constexpr std::size_t chunk_bytes_per_byte_max = 16;

bool is_small(ByteSpan piece, const Chunk& chunk) {
    return piece.size() < small_piece_bytes ||
           piece.size() < std::min(small_block_bytes, chunk.size() / chunk_bytes_per_byte_max);
}

void forget(Bytes& bytes) {
    if (bytes.capacity() > kept_bytes_max) {
        Bytes().swap(bytes);
    } else {
        bytes.clear();
    }
}

}  // namespace

void ElementGatherer::start(std::size_t bytes_max) {
    clear();
    bytes_max_ = bytes_max;
    is_definite_ = true;
}

bool ElementGatherer::add(const BerEvent& event) {
    // Neither sum nor difference overflows: a length is below 2^63.
    const std::uint64_t announced = event.octets.size() + event.length;
    if (!fits(announced)) {
        clear();
        return false;
    }
    if (event.kind == BerEvent::Kind::begin) {
        is_definite_ = is_definite_ && begins_in_definite_form(event);
        if (octets_.empty()) octets_.reserve(static_cast<std::size_t>(announced));
    }
    octets_.insert(octets_.end(), event.octets.begin(), event.octets.end());
    return true;
}

Result<ByteSpan> ElementGatherer::element() {
    if (is_definite_) return ByteSpan(octets_);
    definite_ = TRY(in_definite_form(octets_));
    return ByteSpan(definite_);
}

void ElementGatherer::clear() {
    forget(octets_);
    forget(definite_);
}

Result<void> ContentPasser::pass(CmsHandler& handler, const Chunk& chunk, ByteSpan piece) {
    if (is_small(piece, chunk)) {
        if (small_.bytes() + piece.size() > small_block_bytes) TRY(flush(handler));
        std::memcpy(small_.reserve(piece.size()), piece.data(), piece.size());
        return {};
    }
    TRY(flush(handler));
    const std::size_t begin = static_cast<std::size_t>(piece.data() - chunk.data());
    flow_ = TRY(handler.on_content(chunk.slice(begin, begin + piece.size())));
    return {};
}

Result<void> ContentPasser::flush(CmsHandler& handler) {
    ChunkList pieces = small_.take();
    while (!pieces.empty()) flow_ = TRY(handler.on_content(pieces.take_front()));
    return {};
}

Flow ContentPasser::take_flow() { return std::exchange(flow_, Flow::open); }

}  // namespace sealgate

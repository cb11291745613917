// SPDX-License-Identifier: GPL-3.0-or-later
// What CmsReader collects on the way: whole small elements, and content cut too small to pass on.
//
// For crypto/cms_reader.cc; one thread.
#pragma once

#include <cstddef>

#include "core/chunk.h"
#include "core/result.h"
#include "crypto/ber_stream.h"
#include "crypto/cms_reader.h"

namespace sealgate {

// One element at a time, with everything in it.
class ElementGatherer {
public:
    void start(std::size_t bytes_max);
    // The next event of the element, from its begin to its end. False: the element has more octets
    // than bytes_max, and nothing of it is kept. Told at its begin if its length is known.
    bool add(const BerEvent& event);
    // The element in definite form, when its end was added; valid until the next call.
    Result<ByteSpan> element();
    void clear();

private:
    bool fits(std::uint64_t bytes) const { return bytes <= bytes_max_ - octets_.size(); }

    Bytes octets_;    // as they came
    Bytes definite_;  // empty where that is the same
    std::size_t bytes_max_ = 0;
    bool is_definite_ = true;
};

// Passes content on as windows on the chunks it comes in. Pieces that are small, by themselves or
// beside their chunk, are put together: nobody below is called for every octet of a string in
// segments of one, and what waits below holds on to blocks not many times larger than itself.
class ContentPasser {
public:
    // `piece` lies in `chunk`.
    Result<void> pass(CmsHandler& handler, const Chunk& chunk, ByteSpan piece);
    // What waits to become larger.
    Result<void> flush(CmsHandler& handler);

    // The latest that the handler said, since it was asked.
    Flow take_flow();

private:
    ChunkBuilder small_;  // never more than a block of it
    Flow flow_ = Flow::open;
};

}  // namespace sealgate

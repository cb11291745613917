// SPDX-License-Identifier: GPL-3.0-or-later
//
// The source's ear: the same lines however the bytes are cut, and as long as the gateway's own ear
// (smtp/reply_reader.h) follows, the same codes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "smtp/reply_reader.h"
#include "tools/sealload/reply_scanner.h"

namespace {

using namespace sealgate;

struct Heard {
    std::vector<std::string> lines;
    std::vector<int> codes;  // of last lines
    bool failed = false;
};

Heard scan(ByteSpan input, std::size_t piece_bytes) {
    ReplyScanner scanner;
    Heard heard;
    while (!input.empty()) {
        ByteSpan piece = input.subspan(0, std::min(piece_bytes, input.size()));
        input = input.subspan(piece.size());
        for (;;) {
            const auto line = scanner.next(piece);
            if (!line) {
                heard.failed = true;
                return heard;
            }
            if (!*line) break;
            heard.lines.emplace_back((*line)->line);
            if ((*line)->last) heard.codes.push_back((*line)->code);
        }
        CHECK(piece.empty());
    }
    return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteSpan input(data, size);
    const Heard whole = scan(input, size + 1);
    for (const std::size_t piece_bytes : {1u, 2u, 7u, 1000u}) {
        const Heard cut = scan(input, piece_bytes);
        CHECK(cut.lines == whole.lines);
        CHECK(cut.failed == whole.failed);
    }
    ReplyReader reader;
    reader.receive(input);
    for (std::size_t i = 0;; ++i) {
        const auto reply = reader.next();
        if (!reply || !*reply) break;
        CHECK(i < whole.codes.size());
        CHECK((*reply)->code == whole.codes[i]);
    }
    return 0;
}

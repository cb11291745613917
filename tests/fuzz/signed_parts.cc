// SPDX-License-Identifier: GPL-3.0-or-later
//
// Fuzzes what takes an incoming S/MIME message's body apart: the parts of a multipart/signed, the
// transfer decoders, the search for S/MIME parts. The first byte of the input chooses the cuts, the
// rest is a message. Beside not crashing: the cuts change nothing, part one is a piece of the
// input, and what the decoders take they give again when it is encoded and decoded once more.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "smtp/mime_decode.h"
#include "smtp/mime_encode.h"
#include "smtp/mime_signed_parts.h"
#include "smtp/smime_kind.h"
#include "smtp/smime_part_scan.h"

namespace {

using namespace sealgate;

class TextSink final : public Sink {
public:
    Result<Flow> write(Chunk chunk) override {
        CHECK(!finished && !chunk.empty());
        text.append(chunk.text());
        return Flow::open;
    }
    Result<Flow> finish() override {
        CHECK(!finished);
        finished = true;
        return Flow::open;
    }
    std::string text;
    bool finished = false;
};

// Gives the text to `take` in pieces until it says no. A seed of 0: all at once.
template <typename Take>
bool in_pieces(std::string_view text, std::uint32_t seed, Take take) {
    while (!text.empty()) {
        seed = seed * 1664525 + 1013904223 * (seed != 0);
        const std::size_t piece =
            seed == 0 ? text.size() : std::min<std::size_t>(text.size(), 1 + (seed >> 16) % 37);
        if (!take(text.substr(0, piece))) return false;
        text.remove_prefix(piece);
    }
    return true;
}

// Everything one can see of the run; of one that fails only that.
std::string take_apart(std::string_view body, const std::string& boundary, std::uint32_t seed) {
    TextSink content;
    TextSink signature;
    SignedParts parts(boundary, content, signature);
    const bool good = in_pieces(body, seed,
                                [&](std::string_view piece) {
                                    return parts.write(Chunk::copy_of(piece)).has_value();
                                }) &&
                      parts.finish();
    if (!good) return "refused";
    CHECK(content.finished && signature.finished);
    CHECK(body.find(content.text) != std::string_view::npos);
    CHECK(body.find(signature.text) != std::string_view::npos);
    std::string seen = std::to_string(content.text.size()) + ":" + content.text + signature.text;
    for (const bool fact : {parts.has_preamble(), parts.has_epilogue(), parts.has_close()})
        seen.push_back(fact ? '1' : '0');
    return seen;
}

// Behind a '+', or "-" when it was refused.
std::string decode(std::string_view body, TransferEncoding encoding, TransferDecoder::Body kind,
                   std::uint32_t seed) {
    TextSink sink;
    TransferDecoder decoder(sink, encoding, kind);
    const bool good = in_pieces(body, seed,
                                [&](std::string_view piece) {
                                    return decoder.write(Chunk::copy_of(piece)).has_value();
                                }) &&
                      decoder.finish();
    return good ? "+" + sink.text : "-";
}

template <typename Encoder>
void check_round_trip(std::string_view bytes, TransferEncoding encoding) {
    Encoder encoder;
    encoder.feed(as_bytes(bytes));
    encoder.finish();
    const std::string text = encoder.take().to_string();
    CHECK(decode(text, encoding, TransferDecoder::Body::any, 0) == "+" + std::string(bytes));
}

bool finds_parts(std::string_view body, const ContentType& type, std::uint32_t seed) {
    SmimePartScan scan(type);
    in_pieces(body, seed, [&](std::string_view piece) {
        scan.feed(as_bytes(piece));
        return true;
    });
    CHECK(!scan.found() || scan.done());
    return scan.found();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::uint32_t seed = data[0] + 1u;
    const std::string_view message = as_text(ByteSpan(data + 1, size - 1));
    const Header header = Header::parse(Chunk::copy_of(message));
    const std::string_view body = message.substr(header.bytes().size());
    const ContentType type = header.content_type();

    const std::string boundary = boundary_of(type);
    CHECK(smime_kind(header) != SmimeKind::detached || !boundary.empty());
    CHECK(take_apart(body, boundary, 0) == take_apart(body, boundary, seed));
    CHECK(finds_parts(body, type, 0) == finds_parts(body, type, seed));

    for (const TransferEncoding encoding :
         {TransferEncoding::absent, TransferEncoding::base64, TransferEncoding::quoted_printable}) {
        for (const auto kind : {TransferDecoder::Body::any, TransferDecoder::Body::cms}) {
            const std::string decoded = decode(body, encoding, kind, 0);
            CHECK(decoded == decode(body, encoding, kind, seed));
        }
    }
    check_round_trip<Base64Encoder>(body, TransferEncoding::base64);
    check_round_trip<QuotedPrintableEncoder>(body, TransferEncoding::quoted_printable);
    return 0;
}

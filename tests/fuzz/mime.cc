// SPDX-License-Identifier: GPL-3.0-or-later
//
// Fuzzes what reads a message: header, addresses, encoded-words, Content-Type, and the 7-bit stage.
// The first byte of the input chooses the stage's options and the cuts. Beside not crashing: the
// cuts change nothing, the output is 7-bit unless the stage says otherwise, and a second run
// changes nothing.

#include <cstddef>
#include <cstdint>
#include <string>

#include "smtp/addresses.h"
#include "smtp/encoded_word.h"
#include "smtp/mime_seven_bit.h"

namespace {

using namespace sealgate;

class TextSink final : public Sink {
public:
    Result<Flow> write(Chunk chunk) override {
        text.append(chunk.text());
        return Flow::open;
    }
    Result<Flow> finish() override { return Flow::open; }
    std::string text;
};

struct Outcome {
    std::string text;
    bool left_eight_bit;
    bool left_long_lines;
    bool re_encoded;
    bool operator==(const Outcome&) const = default;
};

// A seed of 0 gives everything in one piece.
Outcome run(std::string_view mail, SevenBitOptions options, std::uint32_t seed) {
    TextSink sink;
    SevenBitStage stage(sink, options);
    while (!mail.empty()) {
        seed = seed * 1664525 + 1013904223 * (seed != 0);
        const std::size_t piece = seed == 0 ? mail.size() : 1 + (seed >> 16) % 37;
        CHECK(stage.write(Chunk::copy_of(mail.substr(0, piece))));
        mail.remove_prefix(std::min(piece, mail.size()));
    }
    CHECK(stage.finish());
    return {sink.text, stage.left_eight_bit(), stage.left_long_lines(), stage.re_encoded()};
}

void read_header(std::string_view mail, std::size_t cut) {
    HeaderCollector collector;
    cut = std::min(cut, mail.size());
    bool refused = !collector.write(Chunk::copy_of(mail.substr(0, cut)));
    if (!refused && !collector.done()) refused = !collector.write(Chunk::copy_of(mail.substr(cut)));
    if (refused || !collector.finish()) return;
    const Header header = collector.take_header();
    CHECK(header.bytes().text() == mail.substr(0, header.bytes().size()));
    CHECK(header.fields_end() <= header.bytes().size());
    (void)header.subject();
    (void)header.message_id();
    (void)header.content_type();
    (void)header.transfer_encoding();
    for (const HeaderField& field : header.fields()) {
        const std::string value = header.value(field);
        CHECK(repair_utf8(decode_encoded_words(value)) == decode_encoded_words(value));
        (void)parse_content_type(header.raw_value(field));
        for (const std::string& address : parse_addresses(header.raw_value(field)).addresses) {
            const AddressList again = parse_addresses(address);
            CHECK(!again.malformed && again.addresses == std::vector<std::string>{address});
        }
    }
}

bool has_eight_bit(std::string_view text) {
    for (const char c : text)
        if (c & 0x80) return true;
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    SevenBitOptions options;
    options.form = data[0] & 1 ? SevenBitOptions::Form::message : SevenBitOptions::Form::entity;
    options.trust = static_cast<SevenBitOptions::Trust>((data[0] >> 1) % 3);
    const std::string_view mail = as_text(ByteSpan(data + 1, size - 1));

    read_header(mail, data[0]);
    const Outcome whole = run(mail, options, 0);
    CHECK(run(mail, options, data[0] + 1u) == whole);
    CHECK(has_eight_bit(whole.text) == whole.left_eight_bit);
    CHECK(whole.re_encoded || whole.text.size() + 1024 * 1024 > mail.size());
    const Outcome again = run(whole.text, options, 0);
    CHECK(again.text == whole.text);
    CHECK(!again.re_encoded);
    return 0;
}

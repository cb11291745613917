// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/ber_forms.h"

#include <algorithm>

#include "core/result.h"
#include "crypto/ber_writer.h"
#include "crypto/der_reader.h"

namespace sealgate::test {
namespace {

void append(Bytes& out, ByteSpan more) { out.insert(out.end(), more.begin(), more.end()); }

void append_element(Bytes& out, std::uint8_t tag, ByteSpan contents, const BerForm& form) {
    out.push_back(tag);
    if (form.indefinite && (tag & 0x20)) {
        out.push_back(0x80);
        append(out, contents);
        append(out, from_hex("0000"));
        return;
    }
    if (form.length_zeros == 0) {
        BerWriter header;
        header.header(tag, contents.size());
        append(out, ByteSpan(header.bytes()).subspan(1));
    } else {
        out.push_back(static_cast<std::uint8_t>(0x80 + form.length_zeros + 4));
        out.insert(out.end(), form.length_zeros, 0);
        for (int shift = 24; shift >= 0; shift -= 8)
            out.push_back(static_cast<std::uint8_t>(contents.size() >> shift));
    }
    append(out, contents);
}

Bytes octet_segments(ByteSpan contents, const BerForm& form) {
    Bytes segments;
    while (!contents.empty()) {
        const std::size_t bytes = std::min(form.segment_bytes, contents.size());
        append_element(segments, ber::octet_string, contents.first(bytes), form);
        contents = contents.subspan(bytes);
    }
    return segments;
}

Bytes bit_segments(ByteSpan contents, const BerForm& form) {
    Bytes segments;
    const std::uint8_t unused_bits = contents.front();
    contents = contents.subspan(1);
    while (!contents.empty()) {
        const std::size_t bytes = std::min(form.segment_bytes, contents.size());
        Bytes segment{bytes == contents.size() ? unused_bits : std::uint8_t{0}};
        append(segment, contents.first(bytes));
        append_element(segments, ber::bit_string, segment, form);
        contents = contents.subspan(bytes);
    }
    return segments;
}

void append_string(Bytes& out, std::uint8_t tag, ByteSpan contents, const BerForm& form) {
    const bool bits = tag == ber::bit_string;
    Bytes segments = bits ? bit_segments(contents, form) : octet_segments(contents, form);
    for (std::size_t depth = 1; depth < form.segment_depth; ++depth) {
        Bytes nested;
        append_element(nested, (bits ? ber::bit_string : ber::octet_string) | 0x20, segments, form);
        segments = std::move(nested);
    }
    append_element(out, tag | 0x20, segments, form);
}

}  // namespace

Bytes from_hex(std::string_view text) {
    Bytes bytes;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    bool high = true;
    for (const char c : text) {
        if (c == ' ') continue;
        if (high) bytes.push_back(0);
        bytes.back() = static_cast<std::uint8_t>(bytes.back() << 4 | digit(c));
        high = !high;
    }
    return bytes;
}

std::string to_hex(ByteSpan bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

const std::vector<BerForm>& ber_forms() {
    static const std::vector<BerForm> forms = {
        {.name = "DER"},
        {.name = "indefinite lengths", .indefinite = true},
        {.name = "long lengths", .length_zeros = 3},
        {.name = "lengths of 126 octets", .length_zeros = 122},
        {.name = "segments of one octet", .segment_bytes = 1},
        {.name = "segments of 5 octets", .indefinite = true, .segment_bytes = 5},
        {.name = "segments in segments",
         .indefinite = true,
         .segment_bytes = 7,
         .segment_depth = 3},
        {.name = "definite segments in segments", .segment_bytes = 300, .segment_depth = 4},
        {.name = "all at once",
         .indefinite = true,
         .length_zeros = 1,
         .segment_bytes = 3,
         .segment_depth = 2},
    };
    return forms;
}

Bytes in_ber_form(ByteSpan der, const BerForm& form) {
    Bytes out;
    DerReader reader(der);
    while (!reader.at_end()) {
        const auto element = reader.next();
        CHECK(element);
        const bool string = element->tag == ber::octet_string || element->tag == ber::bit_string ||
                            (element->tag == 0x80 && form.segment_context_0);
        if (string && form.segment_bytes > 0) {
            append_string(out, element->tag, element->contents, form);
        } else if (element->tag & 0x20) {
            append_element(out, element->tag, in_ber_form(element->contents, form), form);
        } else {
            append_element(out, element->tag, element->contents, form);
        }
    }
    return out;
}

}  // namespace sealgate::test

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/ber_definite.h"

#include <array>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "crypto/ber_writer.h"

namespace sealgate {
namespace {

// Universal string types: OCTET STRING and BIT STRING, X.690 §8.6.4, §8.7.3; characters and times,
// §8.23 and §8.25, whose segments are OCTET STRINGs, or, as many write them, of their own type.
constexpr std::uint32_t string_types =
    1u << 3 | 1u << 4 | 1u << 7 | 1u << 12 | 1u << 18 | 1u << 19 | 1u << 20 | 1u << 21 | 1u << 22 |
    1u << 23 | 1u << 24 | 1u << 25 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30;

bool is_segmented_string(std::uint8_t tag) {
    return (tag & 0xe0) == ber::constructed_bit && (string_types >> (tag & 0x1f) & 1) != 0;
}

std::uint8_t primitive(std::uint8_t tag) {
    return static_cast<std::uint8_t>(tag & ~unsigned{ber::constructed_bit});
}

std::size_t header_bytes(std::uint64_t contents_bytes) {
    std::size_t bytes = 2;
    if (contents_bytes < 0x80) return bytes;
    for (; contents_bytes != 0; contents_bytes >>= 8) ++bytes;
    return bytes;
}

// Walks the events of one element and joins strings on the way. The visitor sees
//   begin(tag, length)   length: of a primitive; of a constructed one it is for the visitor to know
//   contents(octets)     of a primitive or a joined string, in pieces
//   unused_bits(count)   of a joined BIT STRING, before its end
//   end()                of constructed elements and joined strings
template <typename Visitor>
class Walk {
public:
    explicit Walk(Visitor& visitor) : visitor_(visitor) {}

    Result<void> run(ByteSpan ber) {
        do {
            const BerEvent event = TRY(stream_.next(ber));
            switch (event.kind) {
            case BerEvent::Kind::input: return malformed("BER element cut short", stream_.at());
            case BerEvent::Kind::begin: TRY(on_begin(event)); break;
            case BerEvent::Kind::contents: TRY(on_contents(event.octets)); break;
            case BerEvent::Kind::end: TRY(on_end(event)); break;
            }
        } while (!stream_.at_rest());
        if (!ber.empty()) return malformed("octets behind a BER element", stream_.at());
        return {};
    }

private:
    bool in_string() const { return string_tag_ != 0; }
    bool is_bit_string() const { return string_tag_ == ber::bit_string; }

    Result<void> on_begin(const BerEvent& event) {
        if (in_string()) return on_segment(event);
        if (is_segmented_string(event.tag)) {
            string_tag_ = primitive(event.tag);
            string_depth_ = stream_.depth();
            unused_bits_ = 0;
            visitor_.begin_constructed(string_tag_);
        } else if (event.constructed()) {
            visitor_.begin_constructed(event.tag);
        } else {
            visitor_.begin_primitive(event.tag, event.length);
        }
        return {};
    }

    Result<void> on_segment(const BerEvent& event) {
        const std::uint8_t type = primitive(event.tag);
        const bool fits = type == string_tag_ || (type == ber::octet_string && !is_bit_string());
        if (!fits) return malformed("BER string with a segment of another type", stream_.at());
        if (!is_bit_string() || event.constructed()) return {};
        // X.690 §8.6.4: only the last segment may end within an octet.
        if (unused_bits_ != 0 || event.length == 0)
            return malformed("BER bit string segmented within an octet", stream_.at());
        segment_begins_ = true;
        return {};
    }

    Result<void> on_contents(ByteSpan octets) {
        if (segment_begins_) {
            unused_bits_ = octets.front();
            if (unused_bits_ > 7) return malformed("BER bit string", stream_.at());
            octets = octets.subspan(1);
            segment_begins_ = false;
        }
        visitor_.contents(octets);
        return {};
    }

    Result<void> on_end(const BerEvent& event) {
        if (in_string()) {
            if (stream_.depth() >= string_depth_) return {};  // of a segment
            if (is_bit_string()) visitor_.unused_bits(unused_bits_);
            string_tag_ = 0;
        } else if (!event.constructed()) {
            return {};
        }
        visitor_.end();
        return {};
    }

    Visitor& visitor_;
    BerStream stream_;
    std::uint8_t string_tag_ = 0;  // of the string being joined, as a primitive
    int string_depth_ = 0;
    std::uint8_t unused_bits_ = 0;
    bool segment_begins_ = false;  // of a bit string: its first octet is not contents
};

// What the headers need to say, in the order in which elements begin.
class Lengths {
public:
    void begin_constructed(std::uint8_t tag) {
        open_[depth_++] = lengths_.size();
        lengths_.push_back(tag == ber::bit_string ? 1 : 0);
    }
    void begin_primitive(std::uint8_t, std::uint64_t length) { add(header_bytes(length)); }
    void contents(ByteSpan octets) { add(octets.size()); }
    void unused_bits(std::uint8_t count) { unused_bits_.push_back(count); }
    void end() {
        const std::size_t length = lengths_[open_[--depth_]];
        add(header_bytes(length) + length);
    }

    std::size_t total() const { return total_; }
    std::size_t take_length() { return lengths_[lengths_taken_++]; }
    std::uint8_t take_unused_bits() { return unused_bits_[unused_bits_taken_++]; }

private:
    void add(std::size_t bytes) { (depth_ > 0 ? lengths_[open_[depth_ - 1]] : total_) += bytes; }

    std::vector<std::size_t> lengths_;  // of what is constructed, or becomes one string
    Bytes unused_bits_;                 // bit strings do not nest: they end in the order of begins
    std::array<std::size_t, limits::ber_depth_max> open_{};
    std::size_t depth_ = 0;
    std::size_t total_ = 0;
    std::size_t lengths_taken_ = 0;
    std::size_t unused_bits_taken_ = 0;
};

class Output {
public:
    explicit Output(Lengths& lengths) : lengths_(lengths) { octets_.reserve(lengths.total()); }

    void begin_constructed(std::uint8_t tag) {
        header(tag, lengths_.take_length());
        if (tag == ber::bit_string) octets_.push_back(lengths_.take_unused_bits());
    }
    void begin_primitive(std::uint8_t tag, std::uint64_t length) { header(tag, length); }
    void contents(ByteSpan octets) { octets_.insert(octets_.end(), octets.begin(), octets.end()); }
    void unused_bits(std::uint8_t) {}
    void end() {}

    Bytes take() { return std::move(octets_); }

private:
    void header(std::uint8_t tag, std::uint64_t contents_bytes) {
        octets_.push_back(tag);
        const std::size_t length_octets = header_bytes(contents_bytes) - 2;
        if (length_octets > 0) octets_.push_back(static_cast<std::uint8_t>(0x80 | length_octets));
        for (std::size_t i = length_octets; i-- > 1;)
            octets_.push_back(static_cast<std::uint8_t>(contents_bytes >> (8 * i)));
        octets_.push_back(static_cast<std::uint8_t>(contents_bytes));
    }

    Lengths& lengths_;
    Bytes octets_;
};

}  // namespace

bool begins_in_definite_form(const BerEvent& begin) {
    return !begin.indefinite && begin.octets.size() == header_bytes(begin.length) &&
           !is_segmented_string(begin.tag);
}

Result<Bytes> in_definite_form(ByteSpan ber) {
    Lengths lengths;
    TRY(Walk<Lengths>(lengths).run(ber));
    Output output(lengths);
    TRY(Walk<Output>(output).run(ber));
    return output.take();
}

}  // namespace sealgate

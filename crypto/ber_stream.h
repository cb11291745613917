// SPDX-License-Identifier: GPL-3.0-or-later
// Cuts BER into its elements as it comes, at any cut of the input. X.690 §8.1.
//
// Definite and indefinite lengths, lengths in more octets than needed; nothing is gathered and
// nothing copied but the few octets of a header. What the elements mean is for others: a segmented
// octet string is a constructed element with elements in it. One after the other may stand at the
// top. Tag numbers above 30 are unsupported: CMS has none. Not for things in memory that should be
// DER: der_reader.h. After an error it is dead. A value, one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"

namespace sealgate {

namespace ber {
inline constexpr std::uint8_t constructed_bit = 0x20;  // of an identifier octet
}

struct BerEvent {
    enum class Kind : std::uint8_t {
        input,     // all that was given is used up
        begin,     // an element: its identifier and its length are known
        contents,  // a piece of a primitive's contents, never empty
        end,       // of the element that is open, whose tag this is
    };
    Kind kind = Kind::input;
    std::uint8_t tag = 0;      // the identifier octet
    bool indefinite = false;   // begin: its length is not known
    std::uint64_t length = 0;  // begin, of a definite one: octets of contents
    // As they came: begin's identifier and length, contents, end-of-contents where there is one.
    // Contents are a window on the input; the others are valid until the next call.
    ByteSpan octets;

    bool constructed() const { return (tag & ber::constructed_bit) != 0; }
};

class BerStream {
public:
    // The next event; takes its octets off the front of `input`.
    Result<BerEvent> next(ByteSpan& input);

    // Elements that have begun and not ended, the one of a `begin` included.
    int depth() const { return depth_ + (primitive_ ? 1 : 0); }
    std::uint64_t at() const { return at_; }  // octets taken
    // Between two elements at the top; an input that ends elsewhere is cut short.
    bool at_rest() const { return depth() == 0 && header_bytes_ == 0; }

private:
    struct Open {
        std::uint64_t end;  // where its contents must have ended; of its own or what is around it
        std::uint8_t tag;
        bool indefinite;
    };

    Result<BerEvent> next_of_primitive(ByteSpan& input);
    Result<bool> take_header(ByteSpan& input);  // is it complete
    Result<void> look_at_octet();
    Result<BerEvent> begin_element(ByteSpan octets);
    BerEvent end_element(ByteSpan octets);
    const Open& innermost() const { return open_[static_cast<std::size_t>(depth_ - 1)]; }
    bool in_indefinite() const { return depth_ > 0 && innermost().indefinite; }
    std::uint64_t end_of_surrounding() const;

    std::array<Open, limits::ber_depth_max> open_{};  // constructed ones
    int depth_ = 0;
    bool primitive_ = false;
    std::uint8_t primitive_tag_ = 0;
    std::uint64_t primitive_end_ = 0;
    std::uint64_t at_ = 0;

    std::array<std::uint8_t, 2 + 126> header_{};  // X.690 §8.1.3.5: at most 126 octets of length
    std::size_t header_bytes_ = 0;
    std::uint64_t length_ = 0;
};

}  // namespace sealgate

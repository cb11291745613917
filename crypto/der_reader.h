// SPDX-License-Identifier: GPL-3.0-or-later
// Reads DER that lies in memory, one element after the other. X.690 §8.1, §10.1.
//
// For small things of a peer's (SMIMECapabilities), all of which is there: a cut element is an
// error. Definite lengths only, and tag numbers below 31; that lengths are as short as they could
// be is not asked. Contents of messages, which stream in any BER form, are not read with it. A
// value on somebody else's bytes, any thread.
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "core/result.h"

namespace sealgate {

struct DerElement {
    std::uint8_t tag = 0;
    ByteSpan whole;     // with its header
    ByteSpan contents;  // without
};

class DerReader {
public:
    explicit DerReader(ByteSpan der) : left_(der) {}

    bool at_end() const { return left_.empty(); }
    // Moves on only when the whole element is there.
    Result<DerElement> next();
    // The same, and an error where it has another tag.
    Result<DerElement> next(std::uint8_t tag);

private:
    ByteSpan left_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// DER in the other forms that BER allows, for tests of what reads BER; hexadecimal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace sealgate::test {

Bytes from_hex(std::string_view text);  // spaces are left out
std::string to_hex(ByteSpan bytes);

struct BerForm {
    const char* name = "DER";
    bool indefinite = false;        // what is constructed
    std::size_t length_zeros = 0;   // octets before a definite length's
    std::size_t segment_bytes = 0;  // of octet strings, and bit strings; 0: in one
    std::size_t segment_depth = 1;  // constructed strings in constructed strings
    // Primitive [0] is an octet string too, as encryptedContent is.
    bool segment_context_0 = true;
};

// One of each kind, and all together.
const std::vector<BerForm>& ber_forms();

// `der` is a row of elements.
Bytes in_ber_form(ByteSpan der, const BerForm& form);

}  // namespace sealgate::test

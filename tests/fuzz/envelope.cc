// SPDX-License-Identifier: GPL-3.0-or-later
// decode_envelope(): any bytes give an error or an envelope that is stored and read back the same.
#include "smtp/envelope.h"

using namespace sealgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto envelope = decode_envelope(as_text({data, size}));
    if (!envelope) return 0;
    const std::string stored = encode_envelope(*envelope);
    const auto again = decode_envelope(stored);
    CHECK(again && encode_envelope(*again) == stored);
    return 0;
}

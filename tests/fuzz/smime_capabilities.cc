// SPDX-License-Identifier: GPL-3.0-or-later
// SMIMECapabilities out of any bytes: they come with signed mail and in certificates.
#include <cstddef>
#include <cstdint>

#include "crypto/der_reader.h"
#include "crypto/smime_capabilities.h"

namespace {

// What is read lies inside the input, and something is read each time.
void walk(sealgate::ByteSpan der) {
    sealgate::DerReader reader(der);
    while (!reader.at_end()) {
        const auto element = reader.next();
        if (!element) return;
        CHECK(element->whole.size() >= 2 && element->whole.size() <= der.size());
        CHECK(element->contents.size() <= element->whole.size() - 2);
        CHECK(element->whole.data() >= der.data());
        CHECK(element->contents.data() + element->contents.size() <= der.data() + der.size());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const sealgate::ByteSpan input(data, size);
    walk(input);
    const auto parsed = sealgate::parse_smime_capabilities(input);
    if (!parsed) return 0;
    CHECK(parsed->known);
    CHECK(sealgate::SmimeCapabilities::of_bits(parsed->to_bits()).to_bits() == parsed->to_bits());
    const auto cipher =
        sealgate::choose_cipher(sealgate::SendingProfileOptions::Cipher::automatic, {&*parsed, 1});
    CHECK(parsed->reads(cipher) || cipher == sealgate::ContentCipher::aes_256_cbc);
    return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Certificates, keys and PKCS#12 out of any bytes: they come from operators, and later from mail.
#include <cstddef>
#include <cstdint>

#include "crypto/certificate_bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const sealgate::ByteSpan input(data, size);
    if (const auto certificate = sealgate::Certificate::parse(input)) {
        const sealgate::Certificate& parsed = **certificate;
        (void)parsed.may_sign();
        (void)parsed.may_encrypt();
        (void)parsed.covers("user@mail.example.com");
    }
    // A key derivation of millions of rounds would be all that the fuzzer does.
    if (size < 1024) (void)sealgate::read_bundle(input, {}, "");
    return 0;
}

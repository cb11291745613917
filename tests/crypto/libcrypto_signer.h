// SPDX-License-Identifier: GPL-3.0-or-later
// Signatures by libcrypto, another's work: keys of any kind and size, any padding, raw blocks.
#pragma once

#include <memory>
#include <string>

#include "core/bytes.h"
#include "crypto/certificate.h"

namespace sealgate::test {

class LibcryptoKey {
public:
    static LibcryptoKey rsa(unsigned bits, const std::string& exponent = "65537");
    static LibcryptoKey ec(const std::string& curve);  // "P-256"
    LibcryptoKey(LibcryptoKey&&) noexcept;
    ~LibcryptoKey();

    // Self-signed, of a day.
    const CertificatePtr& certificate() const { return certificate_; }

    // `digest`: "sha256". RSA with PKCS#1's padding, or ECDSA.
    Bytes sign(const std::string& digest, ByteSpan value) const;
    Bytes sign_pss(const std::string& digest, ByteSpan value, const std::string& mask_digest,
                   std::size_t salt_bytes) const;
    // The bare RSA operation on a block as long as the modulus.
    Bytes sign_block(ByteSpan block) const;

private:
    struct State;
    explicit LibcryptoKey(std::unique_ptr<State> state);
    void certify();
    std::unique_ptr<State> state_;
    CertificatePtr certificate_;
};

}  // namespace sealgate::test

// SPDX-License-Identifier: GPL-3.0-or-later
// SHA-2 digests, running and of one span.
//
// The digests that the gateway signs with. Weak ones that old mail was signed with are not here.
// A Digest belongs to one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/bytes.h"

namespace sealgate {

enum class DigestAlgorithm : std::uint8_t { sha256, sha384, sha512 };

std::size_t digest_bytes(DigestAlgorithm algorithm);
const char* micalg(DigestAlgorithm algorithm);  // "sha-256": RFC 8551 §3.5.3.2
ByteSpan oid_of(DigestAlgorithm algorithm);     // DER, with its header

class DigestValue {
public:
    explicit DigestValue(DigestAlgorithm algorithm) : algorithm_(algorithm) {}
    DigestAlgorithm algorithm() const { return algorithm_; }
    ByteSpan bytes() const { return {value_.data(), digest_bytes(algorithm_)}; }

private:
    friend class Digest;
    DigestAlgorithm algorithm_;
    std::array<std::uint8_t, 64> value_{};
};

class Digest {
public:
    explicit Digest(DigestAlgorithm algorithm);
    ~Digest();
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;

    void update(ByteSpan bytes);
    DigestValue finish();  // once; afterwards the object is only destroyed
    DigestAlgorithm algorithm() const { return algorithm_; }

private:
    DigestAlgorithm algorithm_;
    alignas(16) std::array<std::byte, 320> state_;  // wolfCrypt's, made and freed in digest.cc
};

DigestValue digest_of(DigestAlgorithm algorithm, ByteSpan bytes);

}  // namespace sealgate

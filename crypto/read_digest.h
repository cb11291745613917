// SPDX-License-Identifier: GPL-3.0-or-later
// Digests of mail that is read: SHA-1 and SHA-224 as well as those that the gateway signs with.
//
// Old mail was signed with SHA-1; it is computed to be able to say "right, but weak". MD5 is known
// by name and never computed. What the gateway itself signs with is crypto/digest.h, so that
// nothing weak can get there. A running digest belongs to one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace sealgate {

enum class ReadDigest : std::uint8_t { md5, sha1, sha224, sha256, sha384, sha512 };

const char* to_text(ReadDigest digest);  // "sha256"
std::size_t digest_bytes(ReadDigest digest);
constexpr bool is_computed(ReadDigest digest) { return digest != ReadDigest::md5; }
// Collisions can be made: a signature proves nothing (spec/smime.md, "Incoming" 4).
constexpr bool is_weak(ReadDigest digest) {
    return digest == ReadDigest::md5 || digest == ReadDigest::sha1;
}
// DER, with its header.
ByteSpan oid_of(ReadDigest digest);
std::optional<ReadDigest> read_digest_of(ByteSpan oid);

// What to compute of a content whose signature comes behind it. `micalg`: the parameter as it came,
// empty where there is none; RFC 8551 §3.5.3.2 and what older programs write, several with commas
// (RFC 1847 §2.1). Those named, and SHA-256; where it names none that is known, all that may come.
std::vector<ReadDigest> digests_for_micalg(std::string_view micalg);

class ReadDigestValue {
public:
    explicit ReadDigestValue(ReadDigest algorithm) : algorithm_(algorithm) {}
    ReadDigest algorithm() const { return algorithm_; }
    ByteSpan bytes() const { return {value_.data(), digest_bytes(algorithm_)}; }

private:
    friend class RunningDigest;
    ReadDigest algorithm_;
    std::array<std::uint8_t, 64> value_{};
};

class RunningDigest {
public:
    explicit RunningDigest(ReadDigest algorithm);  // one that is_computed()
    ~RunningDigest();
    RunningDigest(RunningDigest&&) noexcept;
    RunningDigest& operator=(RunningDigest&&) noexcept;

    ReadDigest algorithm() const;
    void update(ByteSpan bytes);
    ReadDigestValue finish();  // once; afterwards the object is only destroyed

private:
    struct State;
    std::unique_ptr<State> state_;
};

ReadDigestValue digest_of(ReadDigest algorithm, ByteSpan bytes);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/digest.h"

#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/sha512.h>

#include <algorithm>
#include <limits>

#include "core/result.h"
#include "crypto/oid.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

// wolfCrypt counts in 32 bits; a span longer than that is hashed in parts.
constexpr std::size_t part_bytes_max = std::size_t{1} << 30;
static_assert(part_bytes_max <= std::numeric_limits<word32>::max());

template <typename State, typename Storage>
State* state_in(Storage& storage) {
    static_assert(sizeof(State) <= sizeof(Storage) && alignof(State) <= 16);
    return reinterpret_cast<State*>(storage.data());
}

}  // namespace

std::size_t digest_bytes(DigestAlgorithm algorithm) {
    switch (algorithm) {
    case DigestAlgorithm::sha256: return 32;
    case DigestAlgorithm::sha384: return 48;
    case DigestAlgorithm::sha512: return 64;
    }
    return 0;
}

const char* micalg(DigestAlgorithm algorithm) {
    switch (algorithm) {
    case DigestAlgorithm::sha256: return "sha-256";
    case DigestAlgorithm::sha384: return "sha-384";
    case DigestAlgorithm::sha512: return "sha-512";
    }
    return "";
}

ByteSpan oid_of(DigestAlgorithm algorithm) {
    switch (algorithm) {
    case DigestAlgorithm::sha256: return oid::sha256;
    case DigestAlgorithm::sha384: return oid::sha384;
    case DigestAlgorithm::sha512: return oid::sha512;
    }
    return {};
}

Digest::Digest(DigestAlgorithm algorithm) : algorithm_(algorithm) {
    CHECK(init_wolfssl());
    int failed = -1;
    switch (algorithm_) {
    case DigestAlgorithm::sha256: failed = wc_InitSha256(state_in<wc_Sha256>(state_)); break;
    case DigestAlgorithm::sha384: failed = wc_InitSha384(state_in<wc_Sha384>(state_)); break;
    case DigestAlgorithm::sha512: failed = wc_InitSha512(state_in<wc_Sha512>(state_)); break;
    }
    CHECK(failed == 0);
}

Digest::~Digest() {
    switch (algorithm_) {
    case DigestAlgorithm::sha256: wc_Sha256Free(state_in<wc_Sha256>(state_)); break;
    case DigestAlgorithm::sha384: wc_Sha384Free(state_in<wc_Sha384>(state_)); break;
    case DigestAlgorithm::sha512: wc_Sha512Free(state_in<wc_Sha512>(state_)); break;
    }
}

void Digest::update(ByteSpan bytes) {
    while (!bytes.empty()) {
        const ByteSpan part = bytes.first(std::min(bytes.size(), part_bytes_max));
        const auto count = static_cast<word32>(part.size());
        int failed = -1;
        switch (algorithm_) {
        case DigestAlgorithm::sha256:
            failed = wc_Sha256Update(state_in<wc_Sha256>(state_), part.data(), count);
            break;
        case DigestAlgorithm::sha384:
            failed = wc_Sha384Update(state_in<wc_Sha384>(state_), part.data(), count);
            break;
        case DigestAlgorithm::sha512:
            failed = wc_Sha512Update(state_in<wc_Sha512>(state_), part.data(), count);
            break;
        }
        CHECK(failed == 0);
        bytes = bytes.subspan(part.size());
    }
}

DigestValue Digest::finish() {
    DigestValue digest(algorithm_);
    int failed = -1;
    switch (algorithm_) {
    case DigestAlgorithm::sha256:
        failed = wc_Sha256Final(state_in<wc_Sha256>(state_), digest.value_.data());
        break;
    case DigestAlgorithm::sha384:
        failed = wc_Sha384Final(state_in<wc_Sha384>(state_), digest.value_.data());
        break;
    case DigestAlgorithm::sha512:
        failed = wc_Sha512Final(state_in<wc_Sha512>(state_), digest.value_.data());
        break;
    }
    CHECK(failed == 0);
    return digest;
}

DigestValue digest_of(DigestAlgorithm algorithm, ByteSpan bytes) {
    Digest digest(algorithm);
    digest.update(bytes);
    return digest.finish();
}

}  // namespace sealgate

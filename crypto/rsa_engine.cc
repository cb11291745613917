// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/rsa_engine.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>

#include "crypto/signing_key.h"
#include "crypto/worker_keys.h"

namespace sealgate {
namespace {

constexpr std::array<unsigned, 3> measured_bits{2048, 3072, 4096};

struct Choice {
    std::array<std::atomic<bool>, measured_bits.size()> openssl{};
    std::atomic<bool> openssl_otherwise{false};
};
Choice choice;

void choose_all(bool openssl) {
    for (auto& one : choice.openssl) one = openssl;
    choice.openssl_otherwise = openssl;
}

// The thread's own time: at start a machine has other things to do as well.
std::int64_t thread_time_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

template <typename Sign>
Result<std::int64_t> time_of(Sign sign) {
    const std::int64_t begin = thread_time_ns();
    TRY(sign());
    return thread_time_ns() - begin;
}

Result<bool> openssl_is_faster(unsigned bits) {
    PrivateKey key;
    key.kind = KeyKind::rsa;
    key.bits = bits;
    key.pkcs8 = rsa_measuring_key(bits);
    const auto ours = TRY(WorkerKey::decode(key));
    const auto theirs = TRY(OpensslRsaKey::decode(key.pkcs8.bytes()));
    const DigestValue digest = digest_of(DigestAlgorithm::sha256, as_bytes("measured"));
    // The best of a few each, by turns: the first ones also pay for tables and blinding values.
    auto best_ours = std::numeric_limits<std::int64_t>::max();
    auto best_theirs = best_ours;
    for (int i = 0; i < 3; ++i) {
        best_ours =
            std::min(best_ours, TRY(time_of([&] {
                         return sign_rsa_in_wolfcrypt(*ours, SignatureScheme::rsa_pkcs1, digest);
                     })));
        best_theirs = std::min(
            best_theirs,
            TRY(time_of([&] { return theirs->sign(SignatureScheme::rsa_pkcs1, digest); })));
    }
    return best_theirs < best_ours;
}

}  // namespace

void choose_rsa_engine(GatewayOptions::RsaEngine wanted) {
    choose_all(wanted == GatewayOptions::RsaEngine::openssl);
    if (wanted != GatewayOptions::RsaEngine::automatic) return;
    for (std::size_t i = 0; i < measured_bits.size(); ++i)
        choice.openssl[i] = openssl_is_faster(measured_bits[i]).value_or(false);
    // wolfCrypt has assembly for the three sizes only.
    choice.openssl_otherwise = true;
}

bool rsa_uses_openssl(unsigned key_bits) {
    for (std::size_t i = 0; i < measured_bits.size(); ++i) {
        if (measured_bits[i] == key_bits) return choice.openssl[i].load(std::memory_order_relaxed);
    }
    return choice.openssl_otherwise.load(std::memory_order_relaxed);
}

const char* rsa_engine_for(unsigned key_bits) {
    return rsa_uses_openssl(key_bits) ? "openssl" : "wolfcrypt";
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/rsa_engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

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

using Clock = std::chrono::steady_clock;

// The best of a few: the first one also pays for tables and blinding values.
template <typename Sign>
Result<Clock::duration> best_time(Sign sign) {
    Clock::duration best = Clock::duration::max();
    for (int i = 0; i < 4; ++i) {
        const Clock::time_point begin = Clock::now();
        TRY(sign());
        best = std::min(best, Clock::now() - begin);
    }
    return best;
}

Result<bool> openssl_is_faster(unsigned bits) {
    PrivateKey key;
    key.kind = KeyKind::rsa;
    key.bits = bits;
    key.pkcs8 = rsa_measuring_key(bits);
    const auto ours = TRY(WorkerKey::decode(key));
    const auto theirs = TRY(OpensslRsaKey::decode(key.pkcs8.bytes()));
    const DigestValue digest = digest_of(DigestAlgorithm::sha256, as_bytes("measured"));
    const auto in_wolfcrypt = TRY(best_time(
        [&] { return sign_rsa_in_wolfcrypt(*ours, SignatureScheme::rsa_pkcs1, digest); }));
    const auto in_openssl =
        TRY(best_time([&] { return theirs->sign(SignatureScheme::rsa_pkcs1, digest); }));
    return in_openssl < in_wolfcrypt;
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

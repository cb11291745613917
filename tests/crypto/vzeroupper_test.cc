// SPDX-License-Identifier: GPL-3.0-or-later
// Whether wolfSSL was built with the `vzeroupper` fix (cmake/wolfssl/vzeroupper.patch): without it,
// SHA-NI code that runs after the elliptic-curve assembly is a hundred times slower. Prints the
// ratio only, for a busy machine proves nothing; bench/sign_bench.cc refuses a bad one.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "crypto/digest.h"
#include "crypto/signing_key.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate {
namespace {

TEST(Vzeroupper, HashingIsAsFastAfterASignatureAsBefore) {
    const IdentityPtr identity = test::signer("p256");
    const SignatureAlgorithm algorithm{SignatureScheme::ecdsa, DigestAlgorithm::sha256};
    const Bytes part(64 * 1024, 'x');
    using Clock = std::chrono::steady_clock;
    const auto hash_time = [&](bool sign_first) {
        Clock::duration best = Clock::duration::max();
        for (int i = 0; i < 20; ++i) {
            if (sign_first) (void)sign_with(identity->key, algorithm, as_bytes("a"));
            const auto begin = Clock::now();
            (void)digest_of(DigestAlgorithm::sha256, part);
            best = std::min(best, Clock::now() - begin);
        }
        return std::chrono::duration<double, std::micro>(best).count();
    };
    const double alone = hash_time(false);
    const double after = hash_time(true);
    std::printf("SHA-256 of 64 KiB: %.1f us, after a P-256 signature %.1f us: ratio %.2f\n", alone,
                after, after / alone);
    RecordProperty("ratio_percent", static_cast<int>(100 * after / alone));
    EXPECT_GT(alone, 0);
}

}  // namespace
}  // namespace sealgate

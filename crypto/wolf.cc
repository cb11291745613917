// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/wolf.h"

#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/sha512.h>
#include <wolfssl/wolfcrypt/wc_port.h>

namespace sealgate {
namespace {

// wolfCrypt looks at the processor when a digest is first begun and keeps the answer in a plain
// static: asked here once, so that no two threads write it at the same time.
bool choose_digest_code() {
    wc_Sha256 sha256;
    wc_Sha384 sha384;
    wc_Sha512 sha512;
    if (wc_InitSha256(&sha256) != 0) return false;
    wc_Sha256Free(&sha256);
    if (wc_InitSha384(&sha384) != 0) return false;
    wc_Sha384Free(&sha384);
    if (wc_InitSha512(&sha512) != 0) return false;
    wc_Sha512Free(&sha512);
    return true;
}

class ThreadRng {
public:
    ThreadRng() { ready_ = wc_InitRng(&rng_) == 0; }
    ~ThreadRng() {
        if (ready_) wc_FreeRng(&rng_);
    }
    ThreadRng(const ThreadRng&) = delete;
    ThreadRng& operator=(const ThreadRng&) = delete;
    WC_RNG* get() { return ready_ ? &rng_ : nullptr; }

private:
    WC_RNG rng_;
    bool ready_ = false;
};

}  // namespace

Result<void> init_wolfssl() {
    static const bool ready = wolfCrypt_Init() == 0 && choose_digest_code();
    if (!ready) return internal("wolfCrypt does not start");
    return {};
}

Result<WC_RNG*> thread_rng() {
    TRY(init_wolfssl());
    thread_local ThreadRng rng;
    if (!rng.get()) return temporary("the system gives no random seed");
    return rng.get();
}

Result<void> fill_random(std::uint8_t* out, std::size_t bytes) {
    WC_RNG* rng = TRY(thread_rng());
    if (wc_RNG_GenerateBlock(rng, out, static_cast<word32>(bytes)) != 0)
        return internal("the random generator failed its own test");
    return {};
}

}  // namespace sealgate

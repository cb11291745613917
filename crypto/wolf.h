// SPDX-License-Identifier: GPL-3.0-or-later
// wolfCrypt's start, and its random numbers, one generator per thread.
//
// Whoever calls wolfSSL calls init_wolfssl() first; it costs nothing the second time. The generator
// is a Hash-DRBG (NIST SP 800-90A) seeded by the system; it is not shared, so no lock is taken. Any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/result.h"

struct WC_RNG;

namespace sealgate {

Result<void> init_wolfssl();

// This thread's generator, seeded at first use.
Result<WC_RNG*> thread_rng();

Result<void> fill_random(std::uint8_t* out, std::size_t bytes);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The functions that count; only cost_counter.cc looks here.
#pragma once

#include "bench/support/cost_counter.h"

namespace sealgate {

struct CostHooks {
    static bool present();  // false under a sanitizer
    static void begin();    // from zero
    static Cost end();
};

}  // namespace sealgate

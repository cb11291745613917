// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/bytes.h"

#include <string.h>  // explicit_bzero

namespace sealgate {

void wipe(void* memory, std::size_t bytes) noexcept {
    if (bytes > 0) explicit_bzero(memory, bytes);
}

}  // namespace sealgate

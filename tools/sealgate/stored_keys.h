// SPDX-License-Identifier: GPL-3.0-or-later
// The gateway's keys, opened by a command because no gateway runs that could be asked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/config.h"
#include "crypto/key_ring.h"

namespace sealgate {

// What of the store must be read.
enum class StoredKeysNeed : std::uint8_t { manual, harvested };

// Blocks for `patience_ms` while another process has the store open; ErrorKind::untrusted: it still
// has. `why` says more for people. Ends the command where wolfSSL cannot be used.
//
// What root makes here belongs to the owner of the data directory, as whom the gateway runs.
Result<std::unique_ptr<KeyRing>> open_stored_keys(const Config& config, Loop& loop,
                                                  StoredKeysNeed need, std::uint64_t patience_ms,
                                                  std::string* why);

}  // namespace sealgate

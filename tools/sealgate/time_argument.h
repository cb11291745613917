// SPDX-License-Identifier: GPL-3.0-or-later
// A moment as people write it for --at: RFC 3339, "2026-11-21T00:00:00Z".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sealgate {

// Seconds since 1970; a fraction of one is left out. nullopt: it is no such time.
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The command line's side of the control socket: one JSON request a line, one JSON answer a line.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace sealgate {

// Sends `request` to the gateway behind `socket_path` and waits for its answer. nullopt: no gateway
// listens there. An answer is {"ok": true, …} or {"ok": false, "error": "…"}. Blocks.
std::optional<nlohmann::json> control_request(const std::string& socket_path,
                                              const nlohmann::json& request);

}  // namespace sealgate

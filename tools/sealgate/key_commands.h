// SPDX-License-Identifier: GPL-3.0-or-later
// The `key` commands, spread over three files.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace CLI {
class App;
}

namespace sealgate {

struct CommandContext;

void add_key_lists(CLI::App& key, CommandContext& context);     // list, show, harvested
void add_key_transfer(CLI::App& key, CommandContext& context);  // import, export

// A key as smtp/key_report.h tells it, for people.
void print_key_details(const nlohmann::json& key);

}  // namespace sealgate

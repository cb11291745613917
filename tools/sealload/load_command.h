// SPDX-License-Identifier: GPL-3.0-or-later
// What the three commands of sealload share: how each is added and how it ends.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace sealgate {

// Thrown by a command that cannot go on or has found something; main() prints it and exits.
struct LoadFailed {
    int status;
    std::string what;  // one line for standard error; empty: already said
};

constexpr int exit_found = 1;   // something was lost, refused or not verified
constexpr int exit_usage = 64;  // sysexits(3)

// Each adds its subcommand to `app`; they run as CLI11 callbacks.
void add_source_command(CLI::App& app);
void add_sink_command(CLI::App& app);
void add_ledger_command(CLI::App& app);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What every subcommand of `sealgate` shares: the configuration path, --json, and how it ends.
//
// A command that cannot go on throws CommandFailed; main() prints it and exits. (Exceptions stay on
// this side: nothing here runs on the message path.)
#pragma once

#include <memory>
#include <string>

#include "core/config.h"

namespace CLI {
class App;
}

namespace sealgate {

// spec/operations.md "Command line"; the numbers are sysexits(3)'s.
enum ExitStatus : int {
    exit_done = 0,
    exit_refused = 1,
    exit_usage = 64,
    exit_not_running = 69,
    exit_configuration = 78,
};

struct CommandFailed {
    int status;
    std::string what;  // one line for standard error; empty: already said
};

struct CommandContext {
    std::string config_path = "/etc/sealgate/sealgate.ini";
    bool json = false;

    // The checked configuration; complaints are printed, all of them, and end the command with 78.
    std::shared_ptr<const Config> config();

private:
    std::shared_ptr<const Config> config_;
};

// Each adds its subcommands to `app`; they run as CLI11 callbacks.
void add_run_command(CLI::App& app, CommandContext& context);
void add_config_commands(CLI::App& app, CommandContext& context);
void add_gateway_commands(CLI::App& app, CommandContext& context);  // reload, status, queue …
void add_cert_commands(CLI::App& app, CommandContext& context);
void add_key_commands(CLI::App& app, CommandContext& context);
void add_profile_commands(CLI::App& app, CommandContext& context);
void add_explain_command(CLI::App& app, CommandContext& context);
void add_smime_commands(CLI::App& app, CommandContext& context);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate run`: the gateway in the foreground, as systemd and people want it.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "smtp/gateway.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/demo_config.h"

namespace sealgate {
namespace {

struct RunOptions {
    bool demo = false;
    DemoOptions demo_options;
};

// All complaints at once, then exit 78 and nothing was started.
GatewayStatePtr checked_state(const CheckedState& checked) {
    for (const Complaint& c : checked.complaints) std::fprintf(stderr, "%s\n", c.to_text().c_str());
    for (const Complaint& c : checked.warnings)
        std::fprintf(stderr, "warning: %s\n", c.to_text().c_str());
    if (!checked.state) throw CommandFailed{exit_configuration, ""};
    return checked.state;
}

StateLoader loader(const CommandContext& context, const RunOptions& options) {
    if (options.demo)
        return [text = demo_config(options.demo_options)] {
            return check_configuration_text(text, "demo", DemoCertificate::make);
        };
    return
        [path = context.config_path] { return check_configuration(path, DemoCertificate::make); };
}

void run(const CommandContext& context, const RunOptions& options) {
    const StateLoader load = loader(context, options);
    std::string why;
    auto gateway = Gateway::open(checked_state(load()), load, &why);
    if (!gateway) throw CommandFailed{exit_refused, why.empty() ? gateway.error().what : why};
    (*gateway)->run();
}

}  // namespace

void add_run_command(CLI::App& app, CommandContext& context) {
    auto options = std::make_shared<RunOptions>();
    CLI::App* command = app.add_subcommand("run", "Run the gateway in the foreground");
    command->add_flag("--demo", options->demo,
                      "Run a built-in configuration on loopback instead of -c's: it signs with the "
                      "demo certificate and delivers to a sink");
    DemoOptions& demo = options->demo_options;
    command->add_option("--data-dir", demo.data_dir, "With --demo: where its data lies")
        ->capture_default_str();
    command->add_option("--listen", demo.listen, "With --demo: address to take mail at")
        ->capture_default_str();
    command->add_option("--next-hop", demo.next_hop, "With --demo: where mail goes")
        ->capture_default_str();
    command->callback([&context, options] { run(context, *options); });
}

}  // namespace sealgate

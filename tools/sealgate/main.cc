// SPDX-License-Identifier: GPL-3.0-or-later
// sealgate: the gateway and its command line. Every subcommand is a file beside this one.
#include <CLI/CLI.hpp>

#include <cstdio>

#include "tools/sealgate/command_context.h"

int main(int count, char** arguments) {
    using namespace sealgate;
    CommandContext context;
    CLI::App app{"Sealgate: an S/MIME security gateway", "sealgate"};
    app.set_version_flag("--version", "sealgate " SEALGATE_VERSION);
    app.require_subcommand(1);
    app.fallthrough();  // -c and --json may stand behind the subcommand
    app.add_option("-c,--config", context.config_path,
                   "Configuration: a file, or a directory of *.ini")
        ->capture_default_str();
    app.add_flag("--json", context.json, "Answer in JSON");

    add_run_command(app, context);
    add_config_commands(app, context);
    add_gateway_commands(app, context);
    add_cert_commands(app, context);
    add_key_commands(app, context);
    add_profile_commands(app, context);
    add_explain_command(app, context);
    add_smime_commands(app, context);

    try {
        app.parse(count, arguments);
    } catch (const CLI::ParseError& wrong) {
        return app.exit(wrong) == 0 ? exit_done : exit_usage;
    } catch (const CommandFailed& failed) {
        if (!failed.what.empty()) std::fprintf(stderr, "sealgate: %s\n", failed.what.c_str());
        return failed.status;
    }
    return exit_done;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// sealload: sends mail, takes mail, and says what was lost between the two.
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>

#include "smtp/privileges.h"
#include "tools/sealload/load_command.h"

int main(int count, char** arguments) {
    using namespace sealgate;
    raise_descriptor_limit();
    std::signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error of its connection
    CLI::App app{"sealload: load and check a mail gateway", "sealload"};
    app.set_version_flag("--version", "sealload " SEALGATE_VERSION);
    app.require_subcommand(1);
    add_source_command(app);
    add_sink_command(app);
    add_ledger_command(app);
    try {
        app.parse(count, arguments);
    } catch (const CLI::ParseError& wrong) {
        return app.exit(wrong) == 0 ? 0 : exit_usage;
    } catch (const LoadFailed& failed) {
        if (!failed.what.empty()) std::fprintf(stderr, "sealload: %s\n", failed.what.c_str());
        return failed.status;
    }
    return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate config check | show | reference`.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/options.h"
#include "smtp/gateway_state.h"
#include "tools/sealgate/command_context.h"

namespace sealgate {
namespace {

using nlohmann::json;

json to_json(const Complaints& complaints) {
    json rows = json::array();
    for (const Complaint& c : complaints)
        rows.push_back(
            {{"file", c.file}, {"line", c.line}, {"column", c.column}, {"what", c.what}});
    return rows;
}

void check(CommandContext& context) {
    const CheckedState checked = check_configuration(context.config_path, DemoCertificate::leave);
    if (context.json) {
        const json answer = {{"ok", checked.complaints.empty()},
                             {"errors", to_json(checked.complaints)},
                             {"warnings", to_json(checked.warnings)}};
        std::puts(answer.dump(2).c_str());
    } else {
        for (const Complaint& c : checked.complaints)
            std::fprintf(stderr, "%s\n", c.to_text().c_str());
        for (const Complaint& c : checked.warnings)
            std::fprintf(stderr, "warning: %s\n", c.to_text().c_str());
        if (checked.complaints.empty()) std::printf("%s: ok\n", context.config_path.c_str());
    }
    if (!checked.complaints.empty()) throw CommandFailed{exit_configuration, ""};
}

}  // namespace

std::shared_ptr<const Config> CommandContext::config() {
    if (config_) return config_;
    LoadedConfig loaded = load_config(config_path);
    for (const Complaint& c : loaded.complaints) std::fprintf(stderr, "%s\n", c.to_text().c_str());
    if (!loaded.config) throw CommandFailed{exit_configuration, ""};
    config_ = loaded.config;
    return config_;
}

void add_config_commands(CLI::App& app, CommandContext& context) {
    CLI::App* config = app.add_subcommand("config", "Check and show the configuration");
    config->require_subcommand(1);
    config->add_subcommand("check", "Report every error of the configuration, start nothing")
        ->callback([&context] { check(context); });
    config->add_subcommand("show", "Print the effective configuration, defaults included")
        ->callback([&context] {
            const auto loaded = context.config();
            std::fputs(
                (context.json ? show_config_json(*loaded) + "\n" : show_config(*loaded)).c_str(),
                stdout);
        });
    config->add_subcommand("reference", "Print the reference of all options (Markdown)")
        ->callback([] { std::fputs(options_reference_markdown().c_str(), stdout); });
}

}  // namespace sealgate

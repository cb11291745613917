// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate profile list | show | check`: sending profiles, with the certificates they sign with.
// export and import: profile_transfer.cc.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <ctime>

#include "core/options.h"
#include "tools/sealgate/cert_report.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/profile_commands.h"

namespace sealgate {
namespace {

using nlohmann::json;

struct Check {
    const char* what;
    Reason reason;
};

bool signs(const SendingProfileOptions& profile) {
    return profile.mode != SendingProfileOptions::Mode::encrypt;
}
bool encrypts(const SendingProfileOptions& profile) {
    return profile.mode != SendingProfileOptions::Mode::sign;
}
bool uses_certificate(const SendingProfileOptions& profile) {
    return signs(profile) || profile.encrypt_to_self;
}

// Everything that would make each message of the profile bounce, in the order it is looked at.
std::vector<Check> checks_of(const SendingProfileOptions& profile, const CatalogEntry& entry) {
    std::vector<Check> checks;
    if (!uses_certificate(profile)) return checks;
    if (!entry.bundle || entry.bundle->pkcs8.empty())
        return {{"certificate and private key", Reason::no_certificate}};
    const Certificate& leaf = *entry.bundle->leaf;
    checks.push_back({"certificate and private key", Reason::ok});
    if (signs(profile)) checks.push_back({"may sign", leaf.may_sign()});
    if (encrypts(profile) && profile.encrypt_to_self)
        checks.push_back({"may encrypt (to itself)", leaf.may_encrypt()});
    checks.push_back({"valid now", leaf.valid_at(std::time(nullptr))});
    if (signs(profile) && profile.sender_match != SendingProfileOptions::SenderMatch::off) {
        const bool covers_any = !leaf.emails().empty() || !leaf.domains().empty();
        checks.push_back({"covers a sender", covers_any ? Reason::ok : Reason::sender_mismatch});
    }
    return checks;
}

Reason worst_of(const std::vector<Check>& checks) {
    for (const Check& check : checks) {
        if (check.reason != Reason::ok) return check.reason;
    }
    return Reason::ok;
}

// Without the exception of find_with_key(): a profile is reported with what is wrong.
CatalogEntry certificate_of(const CertificateCatalog& catalog,
                            const SendingProfileOptions& profile) {
    try {
        return catalog.find_with_key(profile.certificate);
    } catch (const CommandFailed& failed) {
        return {profile.certificate, "", false, false, catalog.used_by(profile.certificate),
                refused(failed.what)};
    }
}

// The profile's part of the effective configuration: every option, defaults included.
json options_of(const Config& config, const std::string& name) {
    const json all = json::parse(show_config_json(config), nullptr, false);
    const auto section = all.find("sending-profile:" + name);
    return section == all.end() ? json::object() : *section;
}

json profile_json(const Config& config, const SendingProfileOptions& profile,
                  const CatalogEntry& entry) {
    const std::vector<Check> checks = checks_of(profile, entry);
    json rows = json::array();
    for (const Check& check : checks) {
        rows.push_back({{"check", check.what}, {"reason", to_word(check.reason)}});
    }
    const Reason worst = worst_of(checks);
    return {{"name", profile.name},          {"options", options_of(config, profile.name)},
            {"certificate", to_json(entry)}, {"ok", worst == Reason::ok},
            {"reason", to_word(worst)},      {"checks", rows}};
}

const SendingProfileOptions& find_profile(const Config& config, const std::string& name) {
    const auto found = config.sending_profiles.find(name);
    if (found != config.sending_profiles.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& [other, profile] : config.sending_profiles) known.push_back(other);
    const std::string nearest = nearest_name(name, known);
    throw CommandFailed{exit_refused,
                        "there is no sending profile " + name +
                            (nearest.empty() ? "" : " (nearest known: " + nearest + ")")};
}

void print_covers(const CatalogEntry& entry) {
    for (const std::string& email : entry.bundle->leaf->emails()) {
        fmt::print("{:<28} {}\n", "covers", email);
    }
    for (const std::string& domain : entry.bundle->leaf->domains()) {
        fmt::print("{:<28} every address at {}\n", "covers", domain);
    }
}

// What it encrypts with, which is no trouble by itself.
void print_encryption(const Config& config, const SendingProfileOptions& profile) {
    if (!encrypts(profile)) return;
    const json options = options_of(config, profile.name);
    for (const char* key : {"cipher", "key-transport", "missing-key"})
        fmt::print("{:<28} {}\n", key, options.value(key, ""));
    const json all = json::parse(show_config_json(config), nullptr, false);
    for (const std::string& source : profile.key_sources) {
        const auto directory = all.find(source);  // "directory:NAME" is its section, too
        fmt::print("{:<28} {}{}\n", "looks for keys in", source,
                   directory == all.end() ? "" : ", " + directory->value("url", ""));
    }
}

void print_checks(const SendingProfileOptions& profile, const CatalogEntry& entry) {
    for (const Check& check : checks_of(profile, entry)) {
        fmt::print("{:<28} {}\n", check.what,
                   check.reason == Reason::ok
                       ? "ok"
                       : fmt::format("{} ({})", to_word(check.reason), to_sentence(check.reason)));
    }
    if (!uses_certificate(profile)) return;
    if (!entry.bundle) fmt::print("{:<28} {}\n", "", entry.bundle.error().what);
    if (!entry.bundle) return;
    fmt::print("{:<28} {} ({} days left)\n", "valid until",
               time_text(entry.bundle->leaf->not_after()), days_left(*entry.bundle->leaf));
    print_covers(entry);
}

void list(CommandContext& context) {
    const auto config = context.config();
    const CertificateCatalog catalog(config);
    json rows = json::array();
    if (!context.json) {
        fmt::print("{:<20} {:<13} {:<9} {:<20} {:>9}  {}\n", "NAME", "MODE", "FORM", "CERTIFICATE",
                   "DAYS LEFT", "STATE");
    }
    for (const auto& [name, profile] : config->sending_profiles) {
        const CatalogEntry entry = certificate_of(catalog, profile);
        const json row = profile_json(*config, profile, entry);
        rows.push_back(row);
        if (context.json) continue;
        const json& options = row["options"];
        fmt::print("{:<20} {:<13} {:<9} {:<20} {:>9}  {}\n", name, options.value("mode", ""),
                   options.value("sign-mode", ""), profile.certificate,
                   entry.bundle ? std::to_string(days_left(*entry.bundle->leaf)) : "-",
                   row["reason"].get<std::string>());
    }
    if (context.json) fmt::print("{}\n", json{{"profiles", rows}}.dump(2));
}

void show(CommandContext& context, const std::string& name) {
    const auto config = context.config();
    const SendingProfileOptions& profile = find_profile(*config, name);
    const CatalogEntry entry = certificate_of(CertificateCatalog(config), profile);
    if (context.json) {
        fmt::print("{}\n", profile_json(*config, profile, entry).dump(2));
        return;
    }
    fmt::print("[sending-profile:{}]\n", name);
    const json options = options_of(*config, name);  // items() refers to it
    for (const auto& [key, value] : options.items()) {
        fmt::print("{:<28} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
    }
    fmt::print("\n");
    print_checks(profile, entry);
}

void check(CommandContext& context, const std::string& name) {
    const auto config = context.config();
    const SendingProfileOptions& profile = find_profile(*config, name);
    const CatalogEntry entry = certificate_of(CertificateCatalog(config), profile);
    if (context.json) {
        fmt::print("{}\n", profile_json(*config, profile, entry).dump(2));
    } else {
        print_checks(profile, entry);
        print_encryption(*config, profile);
    }
    if (worst_of(checks_of(profile, entry)) != Reason::ok) throw CommandFailed{exit_refused, ""};
}

}  // namespace

void add_profile_commands(CLI::App& app, CommandContext& context) {
    CLI::App* profiles = app.add_subcommand("profile", "The sending profiles");
    profiles->require_subcommand(1);
    profiles->add_subcommand("list", "List sending profiles")->callback([&context] {
        list(context);
    });
    auto name = std::make_shared<std::string>();
    CLI::App* show_command = profiles->add_subcommand("show", "Show one profile, whole");
    show_command->add_option("NAME", *name, "The profile")->required();
    show_command->callback([&context, name] { show(context, *name); });
    CLI::App* check_command =
        profiles->add_subcommand("check", "Say whether its mail can be sealed now, and why not");
    check_command->add_option("NAME", *name, "The profile")->required();
    check_command->callback([&context, name] { check(context, *name); });
    add_profile_transfer(*profiles, context);
}

}  // namespace sealgate

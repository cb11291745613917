// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate key list | show | harvested`. Rows are printed as they come, page by page.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "tools/sealgate/command_context.h"
#include "tools/sealgate/key_channel.h"
#include "tools/sealgate/key_commands.h"

namespace sealgate {
namespace {

using nlohmann::json;

std::string joined(const json& words) {
    std::string text;
    for (const json& word : words) {
        if (!text.empty()) text += ", ";
        text += word.get<std::string>();
    }
    return text;
}

// Addresses and domains of a key, for one column.
std::string owners_text(const json& key) {
    std::string text = joined(key["emails"]);
    const std::string domains = joined(key["domains"]);
    if (!text.empty() && !domains.empty()) text += ", ";
    return text + domains;
}

std::string key_text(const json& key) {
    const std::string kind = key.value("key", "");
    return kind == "rsa" ? fmt::format("rsa:{}", key.value("bits", 0)) : kind;
}

// A harvested key that nobody vouches for says so.
std::string usable_text(const json& key) {
    const std::string usable = key.value("usable", "");
    return key.value("verified", true) ? usable : usable + ", unverified";
}

// "2027-11-22T10:00:00Z" → "2027-11-22".
std::string day(const json& key, const char* name) { return key.value(name, "").substr(0, 10); }

class Rows {
public:
    Rows(CommandContext& context, const char* owner_title) : json_(context.json) {
        if (json_) {
            fmt::print("{{\"keys\": [");
        } else {
            fmt::print("{:<28} {:<40} {:<9} {:<10} {}\n", owner_title, "FOR", "KEY", "UNTIL",
                       "USABLE");
        }
    }
    void print(const json& key, const std::string& owner) {
        ++count_;
        if (json_) {
            fmt::print("{}\n  {}", count_ > 1 ? "," : "", key.dump());
        } else {
            fmt::print("{:<28} {:<40} {:<9} {:<10} {}\n", owner, owners_text(key), key_text(key),
                       day(key, "not_after"), usable_text(key));
        }
    }
    void finish() const {
        if (json_) fmt::print("\n]}}\n");
    }

private:
    bool json_;
    std::uint64_t count_ = 0;
};

void list(CommandContext& context, const std::string& search) {
    KeyChannel channel(*context.config(), StoredKeysNeed::manual);
    Rows rows(context, "NAME");
    json request = {{"command", "key.list"}, {"search", search}};
    for (;;) {
        const json page = channel.ask(request);
        for (const json& key : page["keys"]) rows.print(key, key.value("name", ""));
        if (!page.contains("next")) break;
        request["after"] = page["next"];
    }
    rows.finish();
}

void harvested(CommandContext& context, const std::string& search) {
    KeyChannel channel(*context.config(), StoredKeysNeed::harvested);
    Rows rows(context, "OWNER");
    json request = {{"command", "key.harvested"}, {"search", search}};
    for (;;) {
        const json page = channel.ask(request);
        for (const json& key : page["keys"]) rows.print(key, key.value("owner", ""));
        if (!page.contains("next")) break;
        request["from"] = page["next"];
    }
    rows.finish();
}

void show(CommandContext& context, const std::string& name) {
    KeyChannel channel(*context.config(), StoredKeysNeed::manual);
    const json answer =
        channel.ask({{"command", "key.show"}, {"name", name}}, KeyChannel::Refusal::is_answer);
    if (!answer.value("ok", false)) {
        if (context.json) fmt::print("{}\n", answer.dump(2));
        throw CommandFailed{exit_refused, fmt::format("{}: {}; `sealgate key list --search TEXT` "
                                                      "looks for names and addresses",
                                                      name, answer.value("error", ""))};
    }
    if (context.json) {
        fmt::print("{}\n", answer["key"].dump(2));
        return;
    }
    fmt::print("{:<12} {}\n", "name", name);
    print_key_details(answer["key"]);
    fmt::print("{}", answer["key"].value("pem", ""));
}

}  // namespace

void print_key_details(const json& key) {
    const auto row = [](const char* label, const std::string& text) {
        fmt::print("{:<12} {}\n", label, text.empty() ? "-" : text);
    };
    const bool is_self_signed = key.value("self_signed", false);
    row("subject", key.value("subject", ""));
    row("issuer", is_self_signed ? "itself" : key.value("issuer", ""));
    row("serial", key.value("serial", ""));
    row("e-mail", joined(key["emails"]));
    row("domains", joined(key["domains"]));
    row("key", fmt::format("{}, {} bits", key.value("key", ""), key.value("bits", 0)));
    row("valid from", key.value("not_before", ""));
    row("valid until", key.value("not_after", ""));
    row("usable", key.value("usable", "") == "ok" ? "yes" : "no: " + key.value("usable", ""));
    row("reads", key["capabilities"].is_array() ? joined(key["capabilities"]) : "not known");
    row("sha256", key.value("sha256", ""));
}

void add_key_lists(CLI::App& key, CommandContext& context) {
    auto text = std::make_shared<std::string>();
    CLI::App* list_command = key.add_subcommand("list", "List manual keys, by name");
    list_command->add_option("--search", *text,
                             "Only those with this in name, address, domain, subject or serial");
    list_command->callback([&context, text] { list(context, *text); });

    CLI::App* show_command = key.add_subcommand("show", "Show one manual key");
    show_command->add_option("NAME", *text, "The key")->required();
    show_command->callback([&context, text] { show(context, *text); });

    CLI::App* harvested_command =
        key.add_subcommand("harvested", "List the keys that were taken from signed mail");
    harvested_command->add_option("--search", *text,
                                  "Only those with this in owner, subject or serial");
    harvested_command->callback([&context, text] { harvested(context, *text); });
}

}  // namespace sealgate

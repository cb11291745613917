// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate explain`: what would become of a message, and why. Asked of the running gateway, whose
// keys and directories count; without one, decided here with the same configuration and key store.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/fetch.h"
#include "core/loop.h"
#include "core/workers.h"
#include "crypto/key_ring.h"
#include "smtp/gateway_explain_command.h"
#include "smtp/key_directories.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/control_client.h"
#include "tools/sealgate/stored_keys.h"

namespace sealgate {
namespace {

using nlohmann::json;

// Another command may have the key store open.
constexpr std::uint64_t keys_patience_ms = 20'000;
constexpr std::uint64_t answer_patience_ms = 600'000;

struct Words {
    std::string from, subject, ip, listener, sender_group;
    std::vector<std::string> to, bcc, headers;
    bool incoming = false;
};

json request_of(const Words& words) {
    return {{"command", "explain"},
            {"from", words.from},
            {"to", words.to},
            {"bcc", words.bcc},
            {"subject", words.subject},
            {"headers", words.headers},
            {"incoming", words.incoming},
            {"ip", words.ip},
            {"listener", words.listener},
            {"sender_group", words.sender_group}};
}

GatewayStatePtr checked_state(const std::string& path) {
    const CheckedState checked = check_configuration(path, DemoCertificate::leave);
    for (const Complaint& c : checked.complaints) std::fprintf(stderr, "%s\n", c.to_text().c_str());
    if (!checked.state) throw CommandFailed{exit_configuration, ""};
    return checked.state;
}

json explain_here(const CommandContext& context, const json& request) {
    const GatewayStatePtr state = checked_state(context.config_path);
    std::string why;
    Loop loop;
    const auto ring =
        open_stored_keys(*state->config, loop, StoredKeysNeed::harvested, keys_patience_ms, &why);
    if (!ring) throw CommandFailed{exit_refused, why};
    WorkerPool workers(loop, 1);
    const auto resolver = open_resolver(loop, state->config->dns, &why);
    if (!resolver) throw CommandFailed{exit_refused, why};
    Fetcher fetcher(loop);
    KeyDirectories directories(loop, workers, **resolver, fetcher);
    directories.put_in_force(state->directories, judge_by(state->trust_smime));
    ExplainCommand command(loop, {**ring, &directories}, [state] { return state; });
    std::optional<json> answer;
    command.handle(request, [&](const json& told) { answer = told; });
    loop.run_until([&] { return answer.has_value(); }, answer_patience_ms);
    if (!answer) throw CommandFailed{exit_refused, "the directories do not answer"};
    return *std::move(answer);
}

json ask(CommandContext& context, const json& request) {
    auto answer = control_request(context.config()->gateway.control_socket, request);
    const bool by_gateway = answer.has_value();
    if (!by_gateway) answer = explain_here(context, request);
    if (!answer->value("ok", false))
        throw CommandFailed{answer->value("reason", "") == "malformed" ? exit_usage : exit_refused,
                            answer->value("error", "refused")};
    (*answer)["by_gateway"] = by_gateway;
    return *std::move(answer);
}

// --- for people ----------------------------------------------------------------------------------

void line(const char* label, const std::string& text) { fmt::print("  {:<16} {}\n", label, text); }

std::string joined(const json& words, const std::string& except = "") {
    std::string text;
    for (const json& word : words) {
        if (word == except) continue;
        text += (text.empty() ? "" : ", ") + word.get<std::string>();
    }
    return text;
}

std::string outcome_text(const json& row) {
    const std::string outcome = row.value("outcome", "");
    const std::string note = row.value("note", "");
    const std::string why = row.value("sentence", "");
    const std::string word = row.value("reason", "");
    if (outcome == "bounce") return fmt::format("bounces: {} ({})", word, why);
    if (outcome == "drop") return fmt::format("is dropped: {} ({})", word, why);
    if (outcome == "wait") return "waits until its key can be looked up";
    if (note == "already-smime") return "goes out as it is: it is S/MIME already";
    if (note == "left-clear")
        return outcome == "seal" ? "goes out signed, not encrypted: no key"
                                 : "goes out as it is, in clear: no key";
    if (outcome == "relay") return "goes out as it is";
    return "goes out " + row.value("does", "");
}

std::string route_text(const json& route) {
    const std::string kind = route.value("kind", "");
    if (kind == "discard") return "discarded, by [smtp-routes]";
    if (kind == "mx") return "MX of the domain";
    std::string text;
    for (const json& host : route["hosts"])
        text += fmt::format("{}{}:{}", text.empty() ? "" : ", ", host.value("host", ""),
                            host.value("port", 0));
    return text + ", by [smtp-routes]";
}

void print_key(const json& row) {
    if (row.contains("key")) {
        const json& key = row["key"];
        const std::string name = key.value("name", "");
        line("key", fmt::format("{} key{}{}, by {}", key.value("source", ""),
                                name.empty() ? "" : " ", name, key.value("match", "")));
        line("", fmt::format("{}, serial {}, {} to {}", key.value("subject", ""),
                             key.value("serial", ""), key.value("not_before", "").substr(0, 10),
                             key.value("not_after", "").substr(0, 10)));
    }
    if (row.contains("key_search")) line("looked up", row["key_search"].get<std::string>());
    if (!row.contains("no_key")) return;
    line("no key", "missing-key = " + row["no_key"].value("missing_key", ""));
    for (const json& key : row["no_key"]["considered"])
        line("", fmt::format("not {} {} ({}): {}", key.value("source", ""), key.value("name", ""),
                             key.value("subject", ""), key.value("why_not", "")));
}

void print_recipient(const json& row) {
    fmt::print("\n{}\n", row.value("address", ""));
    const std::string filter = row.value("content_filter", "");
    const std::string profile = row.value("profile", "");
    line("outcome", outcome_text(row));
    line("mail policy", row.value("policy", ""));
    line("content filter", filter.empty() ? "none decided" : filter);
    if (!profile.empty())
        line("profile", fmt::format("{} ({}{})", profile, row.value("mode", ""),
                                    row.value("deferred", false) ? ", at delivery" : ""));
    print_key(row);
    if (row.contains("cipher")) {
        line("cipher", row.value("cipher", "") + ", content key by " +
                           row.value("key_transport", "") +
                           (row.value("to_self", false) ? "; also encrypted to ourselves" : ""));
        const std::string others = joined(row["envelope"], row.value("address", ""));
        line("encrypted", others.empty() ? "in an envelope of its own" : "together with " + others);
    }
    line("route", route_text(row["route"]));
}

void print(const json& answer) {
    fmt::print("{} mail from <{}>, by {}\n", answer.value("direction", ""),
               answer.value("from", ""),
               answer.value("by_gateway", false) ? "the running gateway"
                                                 : "the configuration: no gateway runs");
    for (const json& row : answer["recipients"]) print_recipient(row);
    for (const json& signer : answer["signing"]) {
        fmt::print("\nsigning by profile {}\n", signer.value("profile", ""));
        line("certificate", signer.value("certificate", ""));
        if (signer.contains("subject"))
            line("", fmt::format("{}, serial {}, {} to {}", signer.value("subject", ""),
                                 signer.value("serial", ""),
                                 signer.value("not_before", "").substr(0, 10),
                                 signer.value("not_after", "").substr(0, 10)));
        if (signer.contains("covers")) line("covers", joined(signer["covers"]));
        const std::string reason = signer.value("reason", "");
        line("may sign",
             reason == "ok" ? "ok" : fmt::format("{} ({})", reason, signer.value("sentence", "")));
    }
    if (!answer["filters"].empty()) fmt::print("\ncontent filters, in order\n");
    for (const json& look : answer["filters"]) {
        const std::string condition = look.value("condition", "");
        fmt::print("  {} of policy {} {}\n", look.value("filter", ""), look.value("policy", ""),
                   condition.empty()            ? "applies: it has no condition"
                   : look.value("holds", false) ? "applies"
                                                : "does not apply");
        for (const json& rule : look["rules"])
            fmt::print("    {:<3} {}\n", rule.value("holds", false) ? "yes" : "no",
                       rule.value("text", ""));
    }
}

void explain(CommandContext& context, const Words& words) {
    const json answer = ask(context, request_of(words));
    if (context.json) {
        fmt::print("{}\n", answer.dump(2, ' ', false, json::error_handler_t::replace));
    } else {
        print(answer);
    }
    std::fflush(stdout);
    if (answer.value("would_fail", false)) throw CommandFailed{exit_refused, ""};
}

}  // namespace

void add_explain_command(CLI::App& app, CommandContext& context) {
    auto words = std::make_shared<Words>();
    CLI::App* command = app.add_subcommand(
        "explain", "Tell what would become of a message: policy, profile, keys, cipher, route");
    command->add_option("--from", words->from, "Sender, of the envelope and the From field")
        ->required();
    command->add_option("--to", words->to, "A recipient; may be repeated");
    command->add_option("--bcc", words->bcc, "A recipient that is in no field");
    command->add_option("--subject", words->subject, "The Subject field");
    command->add_option("--header", words->headers, "\"Name: value\"; may be repeated");
    command->add_flag("--incoming", words->incoming, "Judge it as incoming mail");
    command->add_option("--ip", words->ip, "The client's address (127.0.0.1)");
    command->add_option("--listener", words->listener, "The listener it came by (the first)");
    command->add_option("--sender-group", words->sender_group, "The client's sender group");
    command->callback([&context, words] {
        if (words->to.empty() && words->bcc.empty())
            throw CommandFailed{exit_usage, "explain wants --to or --bcc"};
        explain(context, *words);
    });
}

}  // namespace sealgate

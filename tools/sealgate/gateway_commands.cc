// SPDX-License-Identifier: GPL-3.0-or-later
// What is asked of a running gateway through its control socket: reload, status, alerts, queue.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <ctime>
#include <optional>

#include "core/options.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/control_client.h"

namespace sealgate {
namespace {

using nlohmann::json;

// What becomes of a command when the configuration's file has errors: a gateway that runs on an
// earlier one can still be asked how it is, and should hear of a reload that it must refuse.
enum class BrokenFile : std::uint8_t { ends_it, is_passed_over };

// Nothing: nobody listens there.
std::optional<json> answer_to(CommandContext& context, const json& request, BrokenFile broken,
                              std::string& path) {
    if (broken == BrokenFile::is_passed_over) {
        const LoadedConfig loaded = load_config(context.config_path);
        if (!loaded.config && loaded.draft) {
            path = loaded.draft->gateway.control_socket;
            if (auto answer = control_request(path, request)) return answer;
        }
    }
    path = context.config()->gateway.control_socket;  // ends here with what is wrong
    return control_request(path, request);
}

// The gateway's answer to `request`; ends the command when there is none, or when it is a refusal.
json ask(CommandContext& context, const json& request, BrokenFile broken = BrokenFile::ends_it) {
    std::string path;
    const auto answer = answer_to(context, request, broken, path);
    if (!answer) throw CommandFailed{exit_not_running, "no gateway listens on " + path};
    if (context.json) std::puts(answer->dump(2).c_str());
    if (answer->value("ok", false)) return *answer;
    if (answer->contains("complaints"))
        for (const json& line : (*answer)["complaints"])
            std::fprintf(stderr, "%s\n", line.get<std::string>().c_str());
    const bool configuration = answer->contains("complaints");
    throw CommandFailed{configuration ? exit_configuration : exit_refused,
                        answer->value("error", "refused")};
}

std::string age(std::int64_t seconds) {
    if (seconds < 0) seconds = 0;
    if (seconds < 120) return fmt::format("{}s", seconds);
    if (seconds < 7200) return fmt::format("{}m", seconds / 60);
    if (seconds < 172800) return fmt::format("{}h", seconds / 3600);
    return fmt::format("{}d", seconds / 86400);
}

std::string size_text(std::uint64_t bytes) {
    if (bytes < 10 * 1024) return std::to_string(bytes);
    if (bytes < 10 * 1024 * 1024) return fmt::format("{}K", bytes / 1024);
    return fmt::format("{}M", bytes / (1024 * 1024));
}

void print_status(const json& status) {
    for (const auto& [name, value] : status.items())
        if (name != "ok" && !value.is_structured())
            fmt::print("{:<28} {}\n", name,
                       value.is_string() ? value.get<std::string>() : value.dump());
    for (const char* group : {"queue", "keys", "counters", "gauges"}) {
        if (!status.contains(group)) continue;
        fmt::print("{}\n", group);
        for (const auto& [name, value] : status[group].items())
            fmt::print("  {:<44} {}\n", name, value.dump());
    }
    if (!status.contains("smime")) return;
    std::puts("smime");
    for (const auto& [operation, reasons] : status["smime"].items())
        for (const auto& [reason, count] : reasons.items())
            fmt::print("  {:<44} {}\n", operation + " " + reason, count.dump());
}

void print_alerts(const json& answer) {
    if (answer["alerts"].empty()) std::puts("no alerts since the gateway's start");
    for (const json& alert : answer["alerts"]) {
        const auto repeated = alert.value("repeated", std::uint64_t{0});
        fmt::print("{} {:<8} {}: {}{}\n", alert.value("time", ""), alert.value("severity", ""),
                   alert.value("alert", ""), alert.value("message", ""),
                   repeated > 0 ? fmt::format(" (and {} more like it)", repeated) : "");
    }
}

void print_queue(const json& answer) {
    const auto now = static_cast<std::int64_t>(std::time(nullptr));
    fmt::print("{:>10} {:>7} {:>6} {:<9} {:<30} {}\n", "MID", "size", "age", "state", "sender",
               "recipients");
    for (const json& row : answer["messages"]) {
        std::string recipients;
        for (const json& recipient : row["recipients"]) {
            if (!recipients.empty()) recipients += ", ";
            recipients += recipient.value("address", "");
        }
        const std::string sender = row.value("sender", "");
        fmt::print("{:>10} {:>7} {:>6} {:<9} {:<30} {}\n", row.value("mid", std::uint64_t{0}),
                   size_text(row.value("bytes", std::uint64_t{0})),
                   age(now - row.value("arrived", now)), row.value("state", ""), "<" + sender + ">",
                   recipients);
        const std::string last = row.value("last_error", "");
        if (!last.empty()) fmt::print("{:>10} {}\n", "", last);
    }
    if (answer.value("more", std::uint64_t{0}) > 0)
        fmt::print("and {} more\n", answer["more"].get<std::uint64_t>());
}

void add_queue_list(CLI::App& queue, CommandContext& context) {
    struct Filter {
        std::string domain, state;
        std::uint64_t most = 1000;
    };
    auto filter = std::make_shared<Filter>();
    CLI::App* list = queue.add_subcommand("list", "List queued messages");
    list->add_option("--domain", filter->domain, "Only messages for this recipient domain");
    list->add_option("--state", filter->state, "active, ready or deferred");
    list->add_option("--most", filter->most, "At most this many")->capture_default_str();
    list->callback([&context, filter] {
        const json answer = ask(context, {{"command", "queue.list"},
                                          {"domain", filter->domain},
                                          {"state", filter->state},
                                          {"most", filter->most}});
        if (!context.json) print_queue(answer);
    });
}

// `retry` and `delete`, which take a MID, a domain or everything.
void add_queue_change(CLI::App& queue, CommandContext& context, const char* name,
                      const char* help) {
    struct Which {
        std::uint64_t mid = 0;
        std::string domain;
        bool all = false;
    };
    auto which = std::make_shared<Which>();
    CLI::App* change = queue.add_subcommand(name, help);
    auto* mid = change->add_option("MID", which->mid, "One message");
    auto* domain = change->add_option("--domain", which->domain, "All messages for this domain");
    auto* all = change->add_flag("--all", which->all, "The whole queue");
    mid->excludes(domain)->excludes(all);
    domain->excludes(all);
    change->callback([&context, which, name = std::string(name)] {
        if (which->mid == 0 && which->domain.empty() && !which->all)
            throw CommandFailed{exit_usage, "queue " + name + " wants a MID, --domain D or --all"};
        json request = {{"command", "queue." + name}};
        if (which->mid != 0) request["mid"] = which->mid;
        if (!which->domain.empty()) request["domain"] = which->domain;
        if (which->all) request["all"] = true;
        const json answer = ask(context, request);
        if (!context.json)
            fmt::print("{} {}\n", answer.value("count", std::uint64_t{0}),
                       name == "retry" ? "to be tried at once" : "deleted");
    });
}

}  // namespace

void add_gateway_commands(CLI::App& app, CommandContext& context) {
    app.add_subcommand("reload", "Apply a changed configuration, whole or not at all")
        ->callback([&context] {
            const json answer = ask(context, {{"command", "reload"}}, BrokenFile::is_passed_over);
            if (context.json) return;
            for (const json& line : answer["warnings"])
                fmt::print("warning: {}\n", line.get<std::string>());
            for (const json& line : answer["needs_restart"])
                fmt::print("needs a restart: {}\n", line.get<std::string>());
            std::puts("reloaded");
        });
    app.add_subcommand("status", "Show what the gateway is doing")->callback([&context] {
        const json answer = ask(context, {{"command", "status"}}, BrokenFile::is_passed_over);
        if (!context.json) print_status(answer);
    });
    app.add_subcommand("alerts", "List the last alerts, the newest last")->callback([&context] {
        const json answer = ask(context, {{"command", "alerts"}}, BrokenFile::is_passed_over);
        if (!context.json) print_alerts(answer);
    });
    CLI::App* queue = app.add_subcommand("queue", "Look at and change the delivery queue");
    queue->require_subcommand(1);
    add_queue_list(*queue, context);
    auto mid = std::make_shared<std::uint64_t>(0);
    CLI::App* show = queue->add_subcommand("show", "Show one queued message");
    show->add_option("MID", *mid, "The message")->required();
    show->callback([&context, mid] {
        const json answer = ask(context, {{"command", "queue.show"}, {"mid", *mid}});
        if (!context.json) std::puts(answer["message"].dump(2).c_str());
    });
    add_queue_change(*queue, context, "retry", "Try messages now instead of at their time");
    add_queue_change(*queue, context, "delete", "Remove messages without a DSN");
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// `sealload source`.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/sealload/load_command.h"
#include "tools/sealload/source.h"

namespace sealgate {
namespace {

using nlohmann::json;

struct SourceArguments {
    SourceOptions options;
    std::string target = "127.0.0.1:2525";
    std::vector<std::string> templates;
    std::uint64_t size = 4096;
    std::string sent;
    bool no_pipelining = false;
    bool yes_really = false;
    bool json = false;
};

double milliseconds_at(const std::vector<std::uint32_t>& sorted, double part) {
    if (sorted.empty()) return 0;
    const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1));
    return static_cast<double>(sorted[at]) / 1000;
}

double per_second(std::uint64_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

void print_json(const SourceCounts& counts, std::uint64_t unsent) {
    std::vector<std::uint32_t> sorted = counts.reply_us;
    std::sort(sorted.begin(), sorted.end());
    const json answer = {{"accepted", counts.accepted},
                         {"refused", counts.refused},
                         {"unknown", counts.unknown},
                         {"unsent", unsent},
                         {"bytes", counts.bytes},
                         {"seconds", counts.seconds},
                         {"messages_per_second", per_second(counts.accepted, counts.seconds)},
                         {"connections", counts.connections},
                         {"connection_errors", counts.connection_errors},
                         {"errors", counts.errors},
                         {"refusals", counts.refusals},
                         {"reply_ms",
                          {{"p50", milliseconds_at(sorted, 0.5)},
                           {"p99", milliseconds_at(sorted, 0.99)},
                           {"max", milliseconds_at(sorted, 1)}}}};
    fmt::print("{}\n", answer.dump(2, ' ', false, json::error_handler_t::replace));
}

void print_text(const SourceCounts& counts, std::uint64_t unsent) {
    constexpr std::size_t kinds_shown_max = 20;
    std::vector<std::uint32_t> sorted = counts.reply_us;
    std::sort(sorted.begin(), sorted.end());
    std::size_t shown = 0;
    for (const auto& [reply, times] : counts.refusals)
        if (shown++ < kinds_shown_max) fmt::print("refused {} times: {}\n", times, reply);
    for (const auto& [what, times] : counts.errors)
        if (shown++ < kinds_shown_max) fmt::print("connection lost {} times: {}\n", times, what);
    fmt::print("{} accepted, {} refused, {} unknown, {} unsent in {:.2f} s on {} connections\n",
               counts.accepted, counts.refused, counts.unknown, unsent, counts.seconds,
               counts.connections);
    fmt::print(
        "{:.1f} messages/s, {:.2f} MB/s; reply to end of data p50 {:.1f} ms, p99 {:.1f} ms, "
        "max {:.1f} ms\n",
        per_second(counts.accepted, counts.seconds), per_second(counts.bytes, counts.seconds) / 1e6,
        milliseconds_at(sorted, 0.5), milliseconds_at(sorted, 0.99), milliseconds_at(sorted, 1));
}

// An address, for a name would have to be looked up; `localhost` is the one that needs no look-up.
Endpoint target_of(const SourceArguments& arguments) {
    std::string text = arguments.target;
    if (text.starts_with("localhost:")) text.replace(0, 9, "127.0.0.1");
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint)
        throw LoadFailed{exit_usage, "--target wants ADDRESS:PORT, such as 127.0.0.1:25"};
    if (!endpoint->ip.is_loopback() && !arguments.yes_really)
        throw LoadFailed{exit_usage, arguments.target +
                                         " is not on this machine; --yes-really "
                                         "says that it is yours and may be loaded"};
    return *endpoint;
}

std::vector<MailTemplate> templates_of(const SourceArguments& arguments) {
    if (arguments.templates.empty()) {
        std::vector<MailTemplate> filler;
        filler.push_back(MailTemplate::filler(arguments.size));
        return filler;
    }
    std::string why;
    auto loaded = load_templates(arguments.templates, &why);
    if (!loaded) throw LoadFailed{exit_usage, why + ": " + loaded.error().what};
    if (loaded->empty()) throw LoadFailed{exit_usage, "there is no mail in the folders given"};
    return *std::move(loaded);
}

void run(SourceArguments& arguments) {
    arguments.options.target = target_of(arguments);
    arguments.options.pipelining = !arguments.no_pipelining;
    if (arguments.options.messages == 0 && arguments.options.seconds == 0)
        throw LoadFailed{exit_usage, "--messages 0 wants --seconds"};
    Loop loop;
    Source source(loop, arguments.options, templates_of(arguments));
    if (const auto opened = source.open_ledger(arguments.sent); !opened)
        throw LoadFailed{exit_usage, arguments.sent + ": " + opened.error().what};
    loop.on_signal(SIGINT, [&source] { source.stop(); });
    loop.on_signal(SIGTERM, [&source] { source.stop(); });
    source.run();
    const SourceCounts& counts = source.counts();
    if (arguments.json)
        print_json(counts, source.unsent());
    else
        print_text(counts, source.unsent());
    if (counts.refused + counts.unknown + source.unsent() > 0) throw LoadFailed{exit_found, ""};
}

}  // namespace

void add_source_command(CLI::App& app) {
    auto arguments = std::make_shared<SourceArguments>();
    SourceOptions& o = arguments->options;
    CLI::App* source =
        app.add_subcommand("source", "Send mail; exit 1 when something was refused or in doubt");
    source->add_option("--target", arguments->target, "ADDRESS:PORT to send to")
        ->capture_default_str();
    source->add_option("--connections", o.connections, "At once")
        ->capture_default_str()
        ->check(CLI::Range(1u, 50000u));
    source->add_option("--messages", o.messages, "In all; 0: until --seconds are over")
        ->capture_default_str();
    source->add_option("--seconds", o.seconds, "Begin no message after this time")
        ->capture_default_str();
    source->add_option("--messages-per-connection", o.messages_per_connection, "Then a new one")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    source->add_option("--helo", o.helo, "The name given in EHLO")->capture_default_str();
    source->add_option("--from", o.from, "Sender; %d becomes the message's number")
        ->capture_default_str();
    source->add_option("--to", o.to, "Recipient, repeatable; %d as in --from")
        ->capture_default_str();
    source->add_option("--size", arguments->size, "Bytes of filler, when no mail is given")
        ->capture_default_str()
        ->check(CLI::Range(0u, 1u << 30));
    source->add_flag("--bdat", o.bdat, "BDAT where CHUNKING is offered");
    source->add_flag("--no-pipelining", arguments->no_pipelining, "Not even where it is offered");
    source->add_flag("--retry", o.retry, "Connect again for ever, for targets that are restarted");
    source->add_option("--sent", arguments->sent, "Ledger to append to");
    source->add_flag("--yes-really", arguments->yes_really,
                     "Load a target that is not this machine");
    source->add_flag("--json", arguments->json, "Summary in JSON");
    source->add_option("MAIL", arguments->templates,
                       "Mails (.eml) or folders of them, sent in turn");
    source->callback([arguments] { run(*arguments); });
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// `sealload sink`.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/sealload/load_command.h"
#include "tools/sealload/sink.h"

namespace sealgate {
namespace {

using nlohmann::json;

struct SinkArguments {
    SinkOptions options;
    std::string listen = "127.0.0.1:2526";
    std::string received;
    bool no_eight_bit = false, no_chunking = false, no_pipelining = false;
    bool no_dsn = false, no_smtputf8 = false;
    bool json = false;
};

json json_of(const SinkCounts& counts) {
    return {{"messages", counts.messages},
            {"dsns", counts.dsns},
            {"recipients", counts.recipients},
            {"bytes", counts.bytes},
            {"connections", counts.connections},
            {"failed_on_purpose", counts.failed_on_purpose},
            {"verified", counts.verified},
            {"not_verified", counts.not_verified},
            {"seconds", counts.last_at - counts.first_at},
            {"last_at", counts.last_at}};  // on the machine's monotonic clock
}

// What is counted so far, on one line, for who must know when all has arrived.
void tell_counts(const SinkCounts& counts) {
    fmt::print("{}\n", json_of(counts).dump());
    std::fflush(stdout);
}

void print_text(const SinkCounts& counts) {
    const double seconds = counts.last_at - counts.first_at;
    fmt::print("{} messages, {} DSNs, {} recipients, {} bytes on {} connections in {:.2f} s\n",
               counts.messages, counts.dsns, counts.recipients, counts.bytes, counts.connections,
               seconds);
    if (counts.verified + counts.not_verified > 0)
        fmt::print("{} verified, {} not\n", counts.verified, counts.not_verified);
    if (counts.failed_on_purpose > 0)
        fmt::print("{} failed on purpose\n", counts.failed_on_purpose);
}

void run(SinkArguments& arguments) {
    SinkOptions& options = arguments.options;
    const auto endpoint = Endpoint::parse(arguments.listen);
    if (!endpoint)
        throw LoadFailed{exit_usage, "--listen wants ADDRESS:PORT, such as 127.0.0.1:2526"};
    options.listen = *endpoint;
    options.eight_bit = !arguments.no_eight_bit;
    options.chunking = !arguments.no_chunking;
    options.pipelining = !arguments.no_pipelining;
    options.dsn = !arguments.no_dsn;
    options.smtputf8 = !arguments.no_smtputf8;
    Loop loop;
    LoadSink sink(loop, options);
    if (const auto opened = sink.open_ledger(arguments.received); !opened)
        throw LoadFailed{exit_usage, arguments.received + ": " + opened.error().what};
    std::string why;
    if (const auto listening = sink.listen(&why); !listening)
        throw LoadFailed{exit_usage, arguments.listen + ": " + listening.error().what + ": " + why};
    loop.on_signal(SIGINT, [&loop] { loop.stop(); });
    loop.on_signal(SIGTERM, [&loop] { loop.stop(); });
    loop.on_signal(SIGUSR1, [&sink] { tell_counts(sink.counts()); });
    fmt::print(stderr, "listening on {}\n", sink.local().to_text());
    loop.run();
    if (arguments.json)
        fmt::print("{}\n", json_of(sink.counts()).dump(2));
    else
        print_text(sink.counts());
    std::fflush(stdout);
    if (sink.counts().not_verified > 0) throw LoadFailed{exit_found, ""};
}

}  // namespace

void add_sink_command(CLI::App& app) {
    auto arguments = std::make_shared<SinkArguments>();
    SinkOptions& o = arguments->options;
    CLI::App* sink =
        app.add_subcommand("sink", "Take mail until SIGTERM; exit 1 when a signature did not hold");
    sink->add_option("--listen", arguments->listen, "ADDRESS:PORT; port 0: any, told at start")
        ->capture_default_str();
    sink->add_option("--keep", o.keep, "Folder for the mails, a file each");
    sink->add_option("--count", o.messages, "Stop after so many messages; 0: never")
        ->capture_default_str();
    sink->add_option("--received", arguments->received, "Ledger to append to");
    auto* verify = sink->add_flag("--verify", o.verify, "Verify each mail's signature");
    sink->add_option("--ca", o.ca_file, "PEM certificates that signers must lead to")
        ->needs(verify)
        ->check(CLI::ExistingFile);
    sink->add_option("--fail", o.fail_percent, "Refuse this percentage")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 100.0));
    sink->add_option("--code", o.fail_code, "The code to refuse with")
        ->capture_default_str()
        ->check(CLI::Range(400, 599));
    const std::map<std::string, FailAt> places = {
        {"rcpt", FailAt::rcpt}, {"data", FailAt::data}, {"end", FailAt::end}};
    sink->add_option("--fail-at", o.fail_at, "Where: rcpt, data, or end (of data)")
        ->transform(CLI::CheckedTransformer(places));
    sink->add_flag("--no-8bitmime", arguments->no_eight_bit, "Do not offer 8BITMIME");
    sink->add_flag("--no-chunking", arguments->no_chunking, "Do not offer CHUNKING");
    sink->add_flag("--no-pipelining", arguments->no_pipelining, "Do not offer PIPELINING");
    sink->add_flag("--no-dsn", arguments->no_dsn, "Do not offer DSN");
    sink->add_flag("--no-smtputf8", arguments->no_smtputf8, "Do not offer SMTPUTF8");
    sink->add_option("--size", o.size_bytes_max, "The SIZE to offer")->capture_default_str();
    sink->add_flag("--json", arguments->json, "Summary in JSON");
    sink->callback([arguments] { run(*arguments); });
}

}  // namespace sealgate

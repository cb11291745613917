// SPDX-License-Identifier: GPL-3.0-or-later
// `sealload sink`.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/sealload/load_command.h"
#include "tools/sealload/sink.h"
#include "tools/sealload/sink_report.h"
#include "tools/sealload/sink_tls.h"

namespace sealgate {
namespace {

struct SinkArguments {
    SinkOptions options;
    CheckOptions check;
    std::string listen = "127.0.0.1:2526";
    std::string received;
    std::vector<std::string> fails, delays, drops;
    std::uint64_t seed = 1;
    bool verify = false;
    std::string ca_file;
    std::vector<std::string> keys;
    std::string passphrase_file;
    std::vector<std::string> expected;
    bool no_eight_bit = false, no_chunking = false, no_pipelining = false;
    bool no_dsn = false, no_smtputf8 = false, no_size = false, no_enhanced_codes = false;
    std::string tls_certificate, tls_key;
    bool no_starttls = false;
    bool json = false;
};

Faults faults_of(const SinkArguments& arguments) {
    Faults faults;
    const auto add_all = [&faults](const std::vector<std::string>& texts,
                                   Result<void> (Faults::*add)(std::string_view)) {
        for (const std::string& text : texts) {
            if (const auto added = (faults.*add)(text); !added)
                throw LoadFailed{exit_usage, text + ": " + added.error().what};
        }
    };
    add_all(arguments.fails, &Faults::add_fail);
    add_all(arguments.delays, &Faults::add_delay);
    add_all(arguments.drops, &Faults::add_drop);
    faults.set_seed(arguments.seed);
    return faults;
}

// The file's first line.
std::string passphrase_in(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) throw LoadFailed{exit_usage, path + ": there is no passphrase"};
    return line;
}

std::shared_ptr<const MailCheck> check_of(const SinkArguments& arguments) {
    if (!arguments.verify) return nullptr;
    auto judge = std::make_shared<CmsJudge>();
    if (!arguments.ca_file.empty()) {
        if (const auto trusted = judge->trust(arguments.ca_file); !trusted)
            throw LoadFailed{exit_usage, arguments.ca_file + ": " + trusted.error().what};
    }
    std::string phrase;
    Passphrase passphrase;
    if (!arguments.passphrase_file.empty()) {
        phrase = passphrase_in(arguments.passphrase_file);
        passphrase = phrase;
    }
    std::string why;
    if (const auto added = judge->add_keys(arguments.keys, passphrase, &why); !added)
        throw LoadFailed{exit_usage, why + ": " + added.error().what};
    CheckOptions options = arguments.check;
    for (const std::string& word : arguments.expected) {
        const auto form = mail_form_of(word);
        if (!form || *form == MailForm::other)
            throw LoadFailed{exit_usage,
                             "--expect wants plain, signed, encrypted, sign-encrypt or triple"};
        options.expected.push_back(*form);
    }
    return std::make_shared<const MailCheck>(std::move(options), std::move(judge));
}

SinkOptions options_of(const SinkArguments& arguments) {
    SinkOptions options = arguments.options;
    const auto endpoint = Endpoint::parse(arguments.listen);
    if (!endpoint)
        throw LoadFailed{exit_usage, "--listen wants ADDRESS:PORT, such as 127.0.0.1:2526"};
    options.listen = *endpoint;
    options.eight_bit = !arguments.no_eight_bit;
    options.chunking = !arguments.no_chunking;
    options.pipelining = !arguments.no_pipelining;
    options.dsn = !arguments.no_dsn;
    // RFC 6531 §3.1: who offers SMTPUTF8 must offer 8BITMIME.
    options.smtputf8 = !arguments.no_smtputf8 && options.eight_bit;
    options.size = !arguments.no_size;
    options.enhanced_codes = !arguments.no_enhanced_codes;
    options.faults = faults_of(arguments);
    if (!arguments.tls_certificate.empty()) {
        std::string why;
        const auto tls = load_sink_tls(arguments.tls_certificate, arguments.tls_key, &why);
        if (!tls) throw LoadFailed{exit_usage, why + ": " + tls.error().what};
        options.tls = *tls;
    }
    options.starttls_offered = options.tls && !arguments.no_starttls;
    options.check = check_of(arguments);
    return options;
}

void run(const SinkArguments& arguments) {
    Loop loop;
    LoadSink sink(loop, options_of(arguments));
    if (const auto opened = sink.open_ledger(arguments.received); !opened)
        throw LoadFailed{exit_usage, arguments.received + ": " + opened.error().what};
    // Before anybody can see that we listen: a signal of theirs must not end us.
    loop.on_signal(SIGINT, [&loop] { loop.stop(); });
    loop.on_signal(SIGTERM, [&loop] { loop.stop(); });
    loop.on_signal(SIGUSR1, [&sink] {  // for who must know when all has arrived: one line
        fmt::print("{}\n",
                   json_of(sink).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
        std::fflush(stdout);
    });
    std::string why;
    if (const auto listening = sink.listen(&why); !listening)
        throw LoadFailed{exit_usage, arguments.listen + ": " + listening.error().what + ": " + why};
    fmt::print(stderr, "listening on {}\n", sink.local().to_text());
    {
        const SinkProgress progress(loop, sink);
        loop.run();
    }
    if (arguments.json)
        fmt::print("{}\n",
                   json_of(sink).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    else
        print_summary(sink);
    std::fflush(stdout);
    if (sink.counts().not_verified > 0) throw LoadFailed{exit_found, ""};
}

void add_fault_options(CLI::App& sink, SinkArguments& a) {
    sink.add_option("--fail", a.fails,
                    "Refuse: WHERE=CODE[:PERCENT%], as rcpt=451:5%; repeatable. WHERE: connect, "
                    "ehlo, starttls, mail, rcpt, data, end (of data)");
    sink.add_option("--delay", a.delays,
                    "Answer late: WHERE=TIME[..TIME][:PERCENT%], as end=100ms..2s:10%; repeatable");
    sink.add_option("--drop", a.drops,
                    "Break the connection: WHERE[:PERCENT%], as data:1%, which is in the middle of "
                    "the content, or reply, when the message has been taken; repeatable");
    sink.add_option("--seed", a.seed, "Of --fail, --delay and --drop: the same ones in every run")
        ->capture_default_str();
    sink.add_option("--read-rate", a.options.read_bytes_per_second,
                    "Read no faster, on each connection; bytes/s");
}

void add_extension_options(CLI::App& sink, SinkArguments& a) {
    sink.add_flag("--no-8bitmime", a.no_eight_bit, "Do not offer 8BITMIME, nor SMTPUTF8");
    sink.add_flag("--no-chunking", a.no_chunking, "Do not offer CHUNKING");
    sink.add_flag("--no-pipelining", a.no_pipelining, "Do not offer PIPELINING");
    sink.add_flag("--no-dsn", a.no_dsn, "Do not offer DSN");
    sink.add_flag("--no-smtputf8", a.no_smtputf8, "Do not offer SMTPUTF8");
    sink.add_flag("--no-starttls", a.no_starttls,
                  "Do not offer STARTTLS, though there is a certificate");
    sink.add_flag("--no-size", a.no_size, "Do not offer SIZE");
    sink.add_flag("--no-enhancedstatuscodes", a.no_enhanced_codes,
                  "Do not offer ENHANCEDSTATUSCODES");
    sink.add_option("--size", a.options.size_bytes_max, "The SIZE to offer and to hold to")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
}

void add_tls_options(CLI::App& sink, SinkArguments& a) {
    auto* certificate = sink.add_option("--tls-certificate", a.tls_certificate,
                                        "Offer STARTTLS with this: PEM, the leaf first");
    certificate->check(CLI::ExistingFile);
    sink.add_option("--tls-key", a.tls_key, "Its key in PEM, when it is not in the same file")
        ->needs(certificate)
        ->check(CLI::ExistingFile);
    sink.add_flag("--tls-on-connect", a.options.tls_on_connect, "TLS from the first byte")
        ->needs(certificate);
}

void add_verify_options(CLI::App& sink, SinkArguments& a) {
    auto* verify =
        sink.add_flag("--verify", a.verify, "Open each mail's layers and verify their signatures");
    sink.add_option("--ca", a.ca_file, "PEM certificates that signers must lead to")
        ->needs(verify)
        ->check(CLI::ExistingFile);
    sink.add_option("--key", a.keys,
                    "Recipients' keys with their certificates, PEM or PKCS#12, or a folder; "
                    "certificates alone give recipients names; repeatable")
        ->needs(verify)
        ->check(CLI::ExistingPath);
    sink.add_option("--passphrase-file", a.passphrase_file, "What the keys are encrypted with")
        ->needs(verify)
        ->check(CLI::ExistingFile);
    sink.add_option("--expect", a.expected,
                    "The only forms that are right: plain, signed, encrypted, sign-encrypt, "
                    "triple; repeatable. Without it, any but plain")
        ->needs(verify)
        ->delimiter(',');
    auto* only = sink.add_flag("--expect-only-recipients", a.check.only_recipients,
                               "Nobody but the envelope's recipients can open it");
    only->needs(verify);
    sink.add_option("--allow-recipient", a.check.also_allowed,
                    "Another address that may be able to open it, such as the sender; repeatable")
        ->needs(only);
}

}  // namespace

void add_sink_command(CLI::App& app) {
    auto arguments = std::make_shared<SinkArguments>();
    SinkArguments& a = *arguments;
    CLI::App* sink = app.add_subcommand(
        "sink", "Take mail until SIGTERM; exit 1 when a mail was not as it must be");
    sink->add_option("--listen", a.listen, "ADDRESS:PORT; port 0: any, told at start")
        ->capture_default_str();
    sink->add_option("--keep", a.options.keep, "Folder for the mails, a file each");
    sink->add_option("--count", a.options.messages, "Stop after so many messages; 0: never")
        ->capture_default_str();
    sink->add_option("--received", a.received, "Ledger to append to");
    add_tls_options(*sink, a);
    add_verify_options(*sink, a);
    add_fault_options(*sink, a);
    add_extension_options(*sink, a);
    sink->add_flag("--json", a.json, "Summary in JSON");
    sink->callback([arguments] { run(*arguments); });
}

}  // namespace sealgate

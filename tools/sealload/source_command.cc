// SPDX-License-Identifier: GPL-3.0-or-later
// `sealload source`.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "crypto/certificate_bundle.h"
#include "crypto/tls_context.h"
#include "tools/sealload/load_command.h"
#include "tools/sealload/signer_mails.h"
#include "tools/sealload/source.h"
#include "tools/sealload/source_mails.h"
#include "tools/sealload/source_progress.h"
#include "tools/sealload/source_report.h"

namespace sealgate {
namespace {

// As written; checked and put together in run().
struct SourceArguments {
    SourceOptions options;
    SourceMailsPlan mails;
    std::string target = "127.0.0.1:2525";
    std::string seconds, warmup, rate, ramp, arrivals = "constant";
    std::string size = "4096", recipients, domains, trickle;
    std::string sent, output;
    std::string smime, certificate, key;
    std::vector<std::string> recipient_certificates;
    std::string signer_authority, authority_certificate;
    std::size_t signer_bytes = 1400;
    bool starttls = false;
    bool no_resume = false;
    bool no_pipelining = false;
    bool yes_really = false;
    bool json = false;
    bool progress = false;
};

// The value, or the end: `option` and why.
template <typename T>
T wanted(const std::string& option, Result<T> value) {
    if (!value) throw LoadFailed{exit_usage, option + ": " + value.error().what};
    return *std::move(value);
}

double duration_of(const std::string& option, const std::string& text) {
    return text.empty() ? 0 : wanted(option, parse_duration(text));
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

void read_load(SourceArguments& arguments) {
    SourceOptions& o = arguments.options;
    o.seconds = duration_of("--seconds", arguments.seconds);
    o.warmup_seconds = duration_of("--warmup", arguments.warmup);
    if (o.messages == 0 && o.seconds <= 0)
        throw LoadFailed{exit_usage, "--messages 0 wants --seconds"};
    const double ramp = duration_of("--ramp", arguments.ramp);
    if (!arguments.rate.empty())
        o.rate = wanted("--rate", LoadRate::parse(arguments.rate, ramp));
    else if (ramp > 0)
        throw LoadFailed{exit_usage, "--ramp wants --rate"};
    o.arrivals = arguments.arrivals == "poisson" ? Arrivals::poisson : Arrivals::constant;
    if (!arguments.trickle.empty())
        o.trickle_bytes = wanted("--trickle", parse_amount(arguments.trickle));
}

void read_addresses(SourceArguments& arguments) {
    constexpr std::uint64_t recipients_max = 100'000;
    SourceAddresses::Plan& plan = arguments.options.addresses;
    plan.seed = arguments.options.seed;
    bool has_number = false, has_domain = false;
    for (const std::string& to : plan.to) {
        has_number |= AddressPattern(to).has_recipient();
        has_domain |= AddressPattern(to).has_domain();
    }
    if (!arguments.recipients.empty()) {
        plan.recipients = wanted("--recipients", LoadDistribution::parse(arguments.recipients));
        if (plan.recipients->min() == 0 || plan.recipients->max() > recipients_max)
            throw LoadFailed{exit_usage, "--recipients: 1 to 100000"};
        if (plan.recipients->max() > plan.to.size() && !has_number)
            throw LoadFailed{exit_usage, "--recipients wants a %r in --to, or more of them"};
    }
    if (arguments.domains.empty()) return;
    if (!has_domain) throw LoadFailed{exit_usage, "--domains wants a %h in --to"};
    std::string domains = arguments.domains;
    if (domains.find_first_of(":,.") == domains.npos) domains = "1.." + domains;
    plan.domains = wanted("--domains", LoadDistribution::parse(domains));
}

// What the forms need of keys.
void check_smime(const SourceMailsPlan& plan) {
    double weights = 0;
    for (const auto& [form, weight] : plan.forms) {
        weights += weight;
        const bool encrypts = form == SmimeForm::encrypt || form == SmimeForm::sign_encrypt;
        const bool signs = form != SmimeForm::plain && form != SmimeForm::encrypt;
        if (signs && !plan.keys.identity)
            throw LoadFailed{exit_usage, "--smime sign wants --certificate"};
        if (encrypts && plan.keys.recipients.empty())
            throw LoadFailed{exit_usage, "--smime encrypt wants --recipient-certificate"};
    }
    if (weights <= 0) throw LoadFailed{exit_usage, "--smime: no weight is above 0"};
}

void read_mails(SourceArguments& arguments) {
    constexpr std::uint64_t body_bytes_max = std::uint64_t{1} << 30;
    arguments.mails.sizes = wanted("--size", LoadDistribution::parse(arguments.size));
    if (arguments.mails.sizes.max() > body_bytes_max)
        throw LoadFailed{exit_usage, "--size: at most 1G"};
    if (arguments.smime.empty()) return;
    std::string why;
    auto keys = load_smime_keys(arguments.certificate, arguments.key,
                                arguments.recipient_certificates, &why);
    if (!keys)
        throw LoadFailed{exit_usage, (why.empty() ? "--smime" : why) + ": " + keys.error().what};
    arguments.mails.keys = *std::move(keys);
    for (const auto& [name, weight] : wanted("--smime", parse_weighted_names(arguments.smime))) {
        const auto form = smime_form(name);
        if (!form)
            throw LoadFailed{exit_usage,
                             "--smime: plain, sign, opaque, encrypt or sign-encrypt, not " + name};
        arguments.mails.forms.push_back({*form, weight});
    }
    check_smime(arguments.mails);
}

void check_signers(const SourceArguments& arguments) {
    constexpr std::uint64_t number_max = std::uint64_t{1} << 40;
    const SourceAddresses::Plan& plan = arguments.options.addresses;
    if (!arguments.smime.empty() || !arguments.mails.paths.empty())
        throw LoadFailed{exit_usage, "--signers makes its own mail: no --smime, no MAIL"};
    if (plan.from.find("%d") == std::string::npos)
        throw LoadFailed{exit_usage, "--signers wants a %d in --from, the signer's number"};
    if (plan.senders > number_max || plan.senders_from > number_max)
        throw LoadFailed{exit_usage, "--signers: at most 2^40"};
    if (arguments.mails.sizes.min() != arguments.mails.sizes.max())
        throw LoadFailed{exit_usage, "--signers wants one --size"};
}

void write_file(const std::string& option, const std::string& path, mode_t mode,
                ByteSpan contents) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    const bool written = file >= 0 && ::write(file, contents.data(), contents.size()) ==
                                          static_cast<ssize_t>(contents.size());
    if (file >= 0) ::close(file);
    if (!written) throw LoadFailed{exit_usage, option + ": " + path + " cannot be written"};
}

// A new one, unless there is a file of one.
SignerAuthority authority_of(const std::string& path) {
    std::error_code none;
    if (path.empty() || !std::filesystem::exists(path, none)) {
        SignerAuthority made = wanted("--signers", SignerAuthority::make());
        if (!path.empty()) write_file("--signer-ca", path, 0600, made.to_pem().bytes());
        return made;
    }
    const auto file = read_small_file(path);
    if (!file) throw LoadFailed{exit_usage, "--signer-ca: " + path + ": " + file.error().what};
    return wanted("--signer-ca: " + path, SignerAuthority::read(file->bytes()));
}

std::unique_ptr<const SignerMails> make_signers(const SourceArguments& arguments) {
    SignerAuthority authority = authority_of(arguments.signer_authority);
    if (!arguments.authority_certificate.empty())
        write_file("--ca-out", arguments.authority_certificate, 0644,
                   as_bytes(authority.certificate_pem()));
    SignerMails::Plan plan;
    plan.text_bytes = arguments.mails.sizes.max();
    plan.certificate_bytes = arguments.signer_bytes;
    return std::make_unique<SignerMails>(std::move(authority), plan);
}

void read_signers(SourceArguments& arguments) {
    SourceAddresses::Plan& plan = arguments.options.addresses;
    if (plan.senders == 0) {
        if (!arguments.signer_authority.empty() || !arguments.authority_certificate.empty())
            throw LoadFailed{exit_usage, "--signer-ca and --ca-out want --signers"};
        return;
    }
    if (plan.from == SourceAddresses::Plan().from) plan.from = "signer%d@example.com";
    check_signers(arguments);
}

void read_tls(SourceArguments& arguments) {
    constexpr unsigned sessions_max = 1000;
    SourceOptions& o = arguments.options;
    if (!arguments.starttls) return;
    TlsClientOptions tls;
    tls.sessions_per_target = arguments.no_resume ? 0 : std::min(o.connections + 1, sessions_max);
    o.tls = wanted("--starttls", TlsContext::client(tls));
}

void write_reports(const SourceArguments& arguments, const LoadSource& source) {
    if (!arguments.output.empty()) {
        std::ofstream file(arguments.output, std::ios::binary);
        file << json_report(source);
        if (!file.flush())
            throw LoadFailed{exit_usage, arguments.output + ": cannot write the result"};
    }
    fmt::print("{}", arguments.json ? json_report(source) : text_report(source));
}

void run(SourceArguments& arguments) {
    arguments.options.target = target_of(arguments);
    arguments.options.pipelining = !arguments.no_pipelining;
    read_load(arguments);
    read_addresses(arguments);
    read_mails(arguments);
    read_signers(arguments);
    read_tls(arguments);
    Loop loop;
    LoadSource source(loop, arguments.options, make_mails(loop, arguments.mails));
    if (arguments.options.addresses.senders > 0) source.use_signers(make_signers(arguments));
    if (const auto opened = source.open_ledger(arguments.sent); !opened)
        throw LoadFailed{exit_usage, arguments.sent + ": " + opened.error().what};
    loop.on_signal(SIGINT, [&source] { source.stop(); });
    loop.on_signal(SIGTERM, [&source] { source.stop(); });
    std::unique_ptr<SourceProgress> progress;
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    if (terminal || arguments.progress) {
        progress = std::make_unique<SourceProgress>(
            loop, source, terminal ? SourceProgress::Form::terminal : SourceProgress::Form::lines);
        source.show_progress(progress.get());
    }
    source.run();
    source.show_progress(nullptr);
    progress.reset();
    write_reports(arguments, source);
    const SourceCounts& counts = source.counts();
    if (counts.refused + counts.unknown + source.unsent() > 0) throw LoadFailed{exit_found, ""};
}

void add_load_options(CLI::App& source, SourceArguments& a) {
    SourceOptions& o = a.options;
    source.add_option("--target", a.target, "ADDRESS:PORT to send to")->capture_default_str();
    source.add_option("--connections", o.connections, "At once")
        ->capture_default_str()
        ->check(CLI::Range(1u, 50000u));
    source.add_option("--messages", o.messages, "In all; 0: until --seconds are over")
        ->capture_default_str();
    source.add_option("--seconds", a.seconds, "Begin no message after this time (10, 1.5m)");
    source.add_option("--warmup", a.warmup, "Do not measure what begins in this time");
    source.add_option("--messages-per-connection", o.messages_per_connection, "Then a new one")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    source.add_option("--rate", a.rate,
                      "Messages per second whatever the target does (open loop); A..B with --ramp");
    source.add_option("--ramp", a.ramp, "Time in which the rate climbs, from 0 or A");
    source.add_option("--arrivals", a.arrivals, "How they are spread over time")
        ->capture_default_str()
        ->check(CLI::IsMember({"constant", "poisson"}));
    source.add_option("--trickle", a.trickle,
                      "Send contents slowly: bytes per second and connection");
    source.add_flag("--bdat", o.bdat, "BDAT where CHUNKING is offered");
    source.add_flag("--no-pipelining", a.no_pipelining, "Not even where it is offered");
    source.add_flag("--starttls", a.starttls, "Send under TLS only; the target is not verified");
    source.add_flag("--tls-no-resume", a.no_resume, "A full handshake for every connection");
    source.add_flag("--retry", o.retry, "Connect again for ever, for targets that are restarted");
    source.add_flag("--yes-really", a.yes_really, "Load a target that is not this machine");
}

void add_mail_options(CLI::App& source, SourceArguments& a) {
    SourceOptions& o = a.options;
    source.add_option("--helo", o.helo, "The name given in EHLO")->capture_default_str();
    source
        .add_option("--from", o.addresses.from,
                    "Sender; %d becomes the message's number, with --signers the signer's")
        ->capture_default_str();
    source
        .add_option("--to", o.addresses.to,
                    "Recipient, repeatable; %d as in --from, %r the recipient's number in the "
                    "message, %h its domain's")
        ->capture_default_str();
    source.add_option("--recipients", a.recipients,
                      "How many, as 3, 1..10 or 1:80,50..100:20 (value or range, weight)");
    source.add_option("--domains", a.domains, "%h in --to: from 1 to this, or as --recipients");
    source
        .add_option("--size", a.size,
                    "Bytes of text when no mail is given; 4K:70,40K:25,1M..2M:5 for several")
        ->capture_default_str();
    source.add_option("--seed", o.seed, "Of all that is left to chance")->capture_default_str();
    source.add_option("--smime", a.smime,
                      "plain, sign, opaque, encrypt, sign-encrypt; sign:30,plain:70 for several");
    source.add_option("--certificate", a.certificate,
                      "Certificate, its chain and perhaps its key, to sign with");
    source.add_option("--key", a.key, "The key, when it is in a file of its own");
    source.add_option("--recipient-certificate", a.recipient_certificates,
                      "To encrypt to, repeatable");
    source
        .add_option("--smime-variants", a.mails.smime_variants,
                    "Made of each form before the first message leaves")
        ->capture_default_str();
    source
        .add_option("--signers", o.addresses.senders,
                    "Each message signed by the next of so many, with a certificate of his own; "
                    "%d in --from is his number (signer%d@example.com)")
        ->check(CLI::PositiveNumber);
    source.add_option("--signers-from", o.addresses.senders_from, "The number of the first one")
        ->capture_default_str();
    source
        .add_option("--signer-bytes", a.signer_bytes,
                    "Their certificates' size, where it is less; RSA ones have 1200 to 1600")
        ->capture_default_str()
        ->check(CLI::Range(0u, 16'000u));
    source.add_option("--signer-ca", a.signer_authority,
                      "Who issues them, with the keys; made when it is not there. With the same "
                      "file a signer has the same certificate again");
    source.add_option("--ca-out", a.authority_certificate,
                      "File for its certificate alone, for the target to trust");
    source.add_option("MAIL", a.mails.paths, "Mails (.eml) or folders of them, sent in turn");
}

}  // namespace

void add_source_command(CLI::App& app) {
    auto arguments = std::make_shared<SourceArguments>();
    CLI::App* source =
        app.add_subcommand("source", "Send mail; exit 1 when something was refused or in doubt");
    add_load_options(*source, *arguments);
    add_mail_options(*source, *arguments);
    source->add_option("--sent", arguments->sent, "Ledger to append to");
    source->add_option("--output", arguments->output, "File for the summary in JSON");
    source->add_flag("--json", arguments->json, "Summary in JSON");
    source->add_flag("--progress", arguments->progress,
                     "A line each second, even where standard error is no terminal");
    source->callback([arguments] { run(*arguments); });
}

}  // namespace sealgate

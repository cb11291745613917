// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate cert new | csr | replace | import`.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>

#include "crypto/certificate_text.h"
#include "crypto/make_certificate.h"
#include "crypto/pem.h"
#include "tools/sealgate/cert_commands.h"
#include "tools/sealgate/cert_report.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/passphrase.h"

namespace sealgate {
namespace {

using nlohmann::json;

constexpr std::int64_t day_seconds = 86'400;
// Valid from a little before now on: the other side's clock may be behind.
constexpr std::int64_t clock_slack_seconds = 300;
constexpr int days_max = 3'000'000;  // past the year 9999, where the date stops
constexpr int passphrase_tries_max = 3;

// A library's result, or the end of the command.
template <typename T>
T taken(Result<T> result, const std::string& about) {
    if (!result) throw CommandFailed{exit_refused, about + ": " + result.error().what};
    return *std::move(result);
}

// Stores it, and says what it is now. `done`: "made", "imported"…
void store(CommandContext& context, const CertificateCatalog& catalog, const std::string& name,
           const CertificateBundle& bundle, const char* done) {
    const bool was_told = catalog.write(name, bundle, "");
    const CatalogEntry entry = catalog.find(name);
    const std::vector<std::string> warnings = warnings_of(bundle);
    if (context.json) {
        fmt::print("{}\n", json{{"ok", true},
                                {"done", done},
                                {"certificate", to_json(entry)},
                                {"warnings", warnings},
                                {"reloaded", was_told}}
                               .dump(2));
        return;
    }
    for (const std::string& warning : warnings) fmt::print(stderr, "warning: {}\n", warning);
    fmt::print("{} {}\n", name, done);
    print_details(entry);
    if (was_told) fmt::print("The running gateway uses it from now on.\n");
}

struct NewOptions {
    std::string name;
    SubjectText subject;
    std::vector<std::string> domains, emails;
    std::string key = "rsa:2048";
    int days = 365;
};

// Each normal form in the place of what was written; ends the command at one that is no name.
void normalise(std::vector<std::string>& names,
               std::optional<std::string> (*normal)(std::string_view), const char* what) {
    for (std::string& name : names) {
        const auto good = normal(name);
        if (!good) throw CommandFailed{exit_usage, fmt::format("\"{}\" is not {}", name, what)};
        name = *good;
    }
}

void make_new(CommandContext& context, NewOptions options) {
    const CertificateCatalog catalog(context.config());
    catalog.check_writable(options.name);
    const auto kind = parse_new_key(options.key);
    if (!kind) {
        throw CommandFailed{exit_usage,
                            "--key is one of rsa:2048, rsa:3072, rsa:4096, p256, p384, "
                            "ed25519"};
    }
    normalise(options.domains, normal_domain, "a domain (write an international one as xn--…)");
    normalise(options.emails, normal_mail_address, "an e-mail address in ASCII");
    if (catalog.store().has(options.name)) {
        throw CommandFailed{exit_refused, "there is a certificate " + options.name +
                                              " already; `cert delete` it, or take another name"};
    }
    CertificatePlan plan;
    auto subject = subject_to_der(options.subject);
    if (!subject) throw CommandFailed{exit_usage, subject.error().what};
    plan.subject = *std::move(subject);
    plan.emails = std::move(options.emails);
    plan.domains = std::move(options.domains);
    plan.not_before = std::time(nullptr) - clock_slack_seconds;
    plan.not_after = plan.not_before + clock_slack_seconds + options.days * day_seconds;

    CertificateBundle bundle;
    bundle.pkcs8 = taken(make_key(*kind), "the key");
    const Bytes der = taken(make_self_signed(plan, bundle.pkcs8.bytes()), "the certificate");
    bundle.leaf = taken(Certificate::parse(der), "the certificate");
    store(context, catalog, options.name, bundle, "made, self-signed");
}

void make_csr(CommandContext& context, const std::string& name, const std::string& output) {
    const CertificateCatalog catalog(context.config());
    const CatalogEntry entry = catalog.find_with_key(name);
    const Certificate& leaf = *entry.bundle->leaf;
    CertificatePlan plan;
    plan.subject.assign(leaf.subject_der().begin(), leaf.subject_der().end());
    plan.emails = leaf.emails();
    plan.domains = leaf.domains();
    const Bytes der = taken(make_request(plan, entry.bundle->pkcs8.bytes()), name);
    const SecureBytes pem_bytes = write_pem("CERTIFICATE REQUEST", der);
    const std::string pem(as_text(pem_bytes.bytes()));
    // Kept beside the certificate, so that `list` and `show` know that one is under way.
    if (!entry.is_section) {
        if (auto kept = catalog.store().write(name, *entry.bundle, pem); !kept) {
            throw CommandFailed{exit_refused, kept.error().what};
        }
    }
    if (!output.empty()) {
        std::ofstream file(output, std::ios::binary | std::ios::trunc);
        file << pem;
        if (!file.flush()) throw CommandFailed{exit_refused, output + ": cannot be written"};
    }
    if (context.json) {
        fmt::print("{}\n", json{{"ok", true}, {"name", name}, {"request", pem}}.dump(2));
    } else if (output.empty()) {
        fmt::print("{}", pem);
    } else {
        fmt::print("{}: send it to the authority, then `sealgate cert replace {} FILE`\n", output,
                   name);
    }
}

void refuse_unusable(const CertificateCatalog& catalog, const std::string& name,
                     const Certificate& leaf) {
    if (const Reason reason = usable_for_mail(leaf); reason != Reason::ok) {
        throw CommandFailed{exit_refused, fmt::format("the certificate may neither sign nor "
                                                      "encrypt: {} ({})",
                                                      to_word(reason), to_sentence(reason))};
    }
    if (leaf.may_sign() != Reason::ok && catalog.signs(name)) {
        throw CommandFailed{exit_refused, fmt::format("a profile signs with {}, and the new "
                                                      "certificate may not sign: {}",
                                                      name, to_word(leaf.may_sign()))};
    }
}

SecureBytes file_or_end(const std::string& path) {
    auto file = read_small_file(path);
    if (!file) throw CommandFailed{exit_refused, file.error().what};
    return *std::move(file);
}

void replace(CommandContext& context, const std::string& name, const std::string& path) {
    const CertificateCatalog catalog(context.config());
    catalog.check_writable(name);
    CatalogEntry entry = catalog.find_with_key(name);
    CertificateBundle& bundle = *entry.bundle;
    const SecureBytes file = file_or_end(path);
    auto pool = read_certificates(file.bytes());
    if (!pool) throw CommandFailed{exit_refused, path + ": " + pool.error().what};
    const auto leaf =
        std::find_if(pool->begin(), pool->end(), [&](const CertificatePtr& candidate) {
            return key_matches(bundle.pkcs8.bytes(), candidate->public_key_der());
        });
    if (leaf == pool->end()) {
        throw CommandFailed{exit_refused, path + ": the certificate is not for the key of " + name};
    }
    refuse_unusable(catalog, name, **leaf);
    bundle.leaf = *leaf;
    // Intermediates that came earlier are still good where this file brings none.
    pool->insert(pool->end(), bundle.chain.begin(), bundle.chain.end());
    build_chain(bundle, *pool);
    bundle.unused.clear();
    store(context, catalog, name, bundle, "replaced");
}

struct ImportOptions {
    std::string name, file, key_file, passphrase_file, serial;
};

CertificateBundle read_for_import(const ImportOptions& options) {
    const SecureBytes file = file_or_end(options.file);
    const SecureBytes key =
        options.key_file.empty() ? SecureBytes() : file_or_end(options.key_file);
    SecureBytes secret;
    Passphrase passphrase;
    if (!options.passphrase_file.empty()) {
        secret = passphrase_from(options.passphrase_file);
        passphrase = as_text(secret.bytes());
    }
    for (int tries = 0;; ++tries) {
        auto bundle = read_bundle(file.bytes(), key.bytes(), passphrase, options.serial);
        if (bundle) return *std::move(bundle);
        const Refusal& refusal = bundle.error();
        const bool may_ask = refusal.passphrase && options.passphrase_file.empty();
        if (!may_ask || tries == passphrase_tries_max) {
            throw CommandFailed{exit_refused, options.file + ": " + refusal.what};
        }
        auto typed = ask_passphrase("Passphrase of " + options.file + ": ");
        if (!typed) {
            throw CommandFailed{exit_refused,
                                options.file + ": " + refusal.what + "; give --passphrase-file"};
        }
        secret = *std::move(typed);
        passphrase = as_text(secret.bytes());
    }
}

void import_file(CommandContext& context, const ImportOptions& options) {
    const CertificateCatalog catalog(context.config());
    catalog.check_writable(options.name);
    const CertificateBundle bundle = read_for_import(options);
    if (bundle.pkcs8.empty()) {
        throw CommandFailed{exit_refused,
                            options.file + ": there is no private key in it; give --key FILE"};
    }
    refuse_unusable(catalog, options.name, *bundle.leaf);
    const bool is_known = catalog.store().has(options.name);
    store(context, catalog, options.name, bundle, is_known ? "replaced" : "imported");
}

void add_new(CLI::App& cert, CommandContext& context) {
    auto options = std::make_shared<NewOptions>();
    CLI::App* command = cert.add_subcommand("new", "Make a key and a self-signed certificate");
    command->add_option("NAME", options->name, "What it is called here")->required();
    command->add_option("--cn", options->subject.common_name, "Common name")->required();
    command->add_option("--org", options->subject.organization, "Organisation");
    command->add_option("--unit", options->subject.unit, "Organisational unit");
    command->add_option("--locality", options->subject.locality, "Town");
    command->add_option("--state", options->subject.state, "State or province");
    command->add_option("--country", options->subject.country, "Two letters, such as DE");
    command
        ->add_option("--san-dns", options->domains, "Domains whose every address it covers: A,*.B")
        ->delimiter(',');
    command->add_option("--san-email", options->emails, "Addresses that it covers: A,B")
        ->delimiter(',');
    command->add_option("--key", options->key, "rsa:2048, rsa:3072, rsa:4096, p256, p384, ed25519")
        ->capture_default_str();
    command->add_option("--days", options->days, "How long it is valid")
        ->capture_default_str()
        ->check(CLI::Range(1, days_max));
    command->callback([&context, options] { make_new(context, *options); });
}

void add_import(CLI::App& cert, CommandContext& context) {
    auto options = std::make_shared<ImportOptions>();
    CLI::App* command = cert.add_subcommand("import", "Take in a PKCS#12 or PEM file");
    command->add_option("NAME", options->name, "What it is called here")->required();
    command->add_option("FILE", options->file, "PKCS#12, PEM or DER")->required();
    command->add_option("--key", options->key_file, "The private key, when it is not in FILE");
    command->add_option("--passphrase-file", options->passphrase_file,
                        "Its first line is the passphrase; asked for on the terminal without it");
    command->add_option("--serial", options->serial,
                        "Of several keys, that of the certificate with this serial number");
    command->callback([&context, options] { import_file(context, *options); });
}

}  // namespace

void add_cert_changes(CLI::App& cert, CommandContext& context) {
    add_new(cert, context);

    struct NameAndFile {
        std::string name, file;
    };
    auto csr_options = std::make_shared<NameAndFile>();
    CLI::App* csr = cert.add_subcommand("csr", "Make a certificate request with the key of NAME");
    csr->add_option("NAME", csr_options->name, "The certificate")->required();
    csr->add_option("--output", csr_options->file, "File to write instead of standard output");
    csr->callback(
        [&context, csr_options] { make_csr(context, csr_options->name, csr_options->file); });

    auto replace_options = std::make_shared<NameAndFile>();
    CLI::App* replace_command =
        cert.add_subcommand("replace", "Take in the certificate that came back from the authority");
    replace_command->add_option("NAME", replace_options->name, "The certificate")->required();
    replace_command->add_option("FILE", replace_options->file, "PEM, DER or PKCS#7")->required();
    replace_command->callback([&context, replace_options] {
        replace(context, replace_options->name, replace_options->file);
    });

    add_import(cert, context);
}

}  // namespace sealgate

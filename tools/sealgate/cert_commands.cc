// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate cert list | show | export | delete`.
#include "tools/sealgate/cert_commands.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstring>

#include "crypto/pkcs12.h"
#include "tools/sealgate/cert_report.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/passphrase.h"

namespace sealgate {
namespace {

using nlohmann::json;

void list(CommandContext& context) {
    const std::vector<CatalogEntry> entries = CertificateCatalog(context.config()).list();
    if (!context.json) return print_table(entries);
    json rows = json::array();
    for (const CatalogEntry& entry : entries) rows.push_back(to_json(entry));
    fmt::print("{}\n", json{{"certificates", rows}}.dump(2));
}

void show(CommandContext& context, const std::string& name) {
    const CatalogEntry entry = CertificateCatalog(context.config()).find(name);
    if (context.json) {
        fmt::print("{}\n", to_json(entry).dump(2));
    } else {
        print_details(entry);
    }
}

// Only the owner may read it: it holds a private key.
void write_secret_file(const std::string& path, ByteSpan bytes) {
    const auto fail = [&path] {
        throw CommandFailed{exit_refused, path + ": " + std::strerror(errno)};
    };
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) fail();
    if (struct stat status{}; fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        (void)!fchmod(file, 0600);
    }
    while (!bytes.empty()) {
        const ssize_t wrote = write(file, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) fail();
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    if (close(file) != 0) fail();
}

SecureBytes new_passphrase(const std::string& file) {
    if (!file.empty()) return passphrase_from(file);
    auto first = ask_passphrase("Passphrase for the exported file: ");
    auto second = first ? ask_passphrase("The same again: ") : std::nullopt;
    if (!first || !second) {
        throw CommandFailed{exit_usage, "there is no terminal to ask on: give --passphrase-file"};
    }
    if (as_text(first->bytes()) != as_text(second->bytes())) {
        throw CommandFailed{exit_refused, "the two passphrases differ"};
    }
    return *std::move(first);
}

struct ExportOptions {
    std::string name, output, passphrase_file;
    bool legacy = false;
};

void export_file(CommandContext& context, const ExportOptions& options) {
    const CatalogEntry entry = CertificateCatalog(context.config()).find_with_key(options.name);
    const SecureBytes passphrase = new_passphrase(options.passphrase_file);
    if (passphrase.empty()) throw CommandFailed{exit_refused, "the passphrase is empty"};
    std::vector<ByteSpan> chain;
    for (const CertificatePtr& issuer : entry.bundle->chain) chain.push_back(issuer->der());
    const auto file = write_pkcs12(options.name, entry.bundle->pkcs8.bytes(),
                                   entry.bundle->leaf->der(), chain, as_text(passphrase.bytes()),
                                   options.legacy ? Pkcs12Form::legacy : Pkcs12Form::modern);
    if (!file) throw CommandFailed{exit_refused, options.name + ": " + file.error().what};
    write_secret_file(options.output, *file);
    if (context.json) {
        fmt::print("{}\n", json{{"ok", true},
                                {"name", options.name},
                                {"output", options.output},
                                {"bytes", file->size()},
                                {"chain", chain.size()}}
                               .dump(2));
    } else {
        fmt::print("{}: {} bytes, with the private key and {} issuer(s)\n", options.output,
                   file->size(), chain.size());
    }
}

void remove(CommandContext& context, const std::string& name) {
    const CertificateCatalog catalog(context.config());
    catalog.check_writable(name);
    (void)catalog.find(name);
    const std::vector<std::string> users = catalog.used_by(name);
    if (!users.empty()) {
        throw CommandFailed{exit_refused,
                            fmt::format("{} is in use by {}", name, fmt::join(users, ", "))};
    }
    if (auto removed = catalog.store().remove(name); !removed) {
        throw CommandFailed{exit_refused, removed.error().what};
    }
    if (context.json) {
        fmt::print("{}\n", json{{"ok", true}, {"deleted", name}}.dump(2));
    } else {
        fmt::print("{} deleted, with its private key\n", name);
    }
}

void add_export(CLI::App& cert, CommandContext& context) {
    auto options = std::make_shared<ExportOptions>();
    CLI::App* command =
        cert.add_subcommand("export", "Write certificate, chain and key as PKCS#12");
    command->add_option("NAME", options->name, "The certificate")->required();
    command->add_option("--output", options->output, "File to write; only you may read it")
        ->required();
    command->add_option("--passphrase-file", options->passphrase_file,
                        "Its first line is the passphrase; asked for on the terminal without it");
    command->add_flag("--legacy", options->legacy,
                      "3DES and SHA-1 in place of AES-256 and SHA-256, for readers that know no "
                      "better (GnuPG before 2.2.41, old Windows and macOS)");
    command->callback([&context, options] { export_file(context, *options); });
}

}  // namespace

void add_cert_commands(CLI::App& app, CommandContext& context) {
    CLI::App* cert = app.add_subcommand("cert", "The gateway's certificates and private keys");
    cert->require_subcommand(1);
    add_cert_changes(*cert, context);
    cert->add_subcommand("list", "List certificates")->callback([&context] { list(context); });

    auto name = std::make_shared<std::string>();
    CLI::App* show_command = cert->add_subcommand("show", "Show one certificate");
    show_command->add_option("NAME", *name, "The certificate")->required();
    show_command->callback([&context, name] { show(context, *name); });

    add_export(*cert, context);

    CLI::App* delete_command =
        cert->add_subcommand("delete", "Delete a certificate and its key; refused while in use");
    delete_command->add_option("NAME", *name, "The certificate")->required();
    delete_command->callback([&context, name] { remove(context, *name); });
}

}  // namespace sealgate

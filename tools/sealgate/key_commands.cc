// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate key add | remove | promote`.
#include "tools/sealgate/key_commands.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "crypto/certificate_bundle.h"
#include "crypto/key_file.h"
#include "crypto/pem.h"
#include "crypto/pkcs12.h"
#include "crypto/pkcs12_key.h"
#include "smtp/key_report.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/key_channel.h"

namespace sealgate {
namespace {

using nlohmann::json;

bool has_private_key(ByteSpan file) {
    if (looks_like_pkcs12(file)) return true;
    const auto blocks = read_pem(file);
    if (blocks && !blocks->empty())
        return std::any_of(blocks->begin(), blocks->end(), [](const PemBlock& block) {
            return block.is_private_key() || block.label == "PKCS12";
        });
    return read_private_key(file, {}).has_value();
}

[[noreturn]] void refuse(const CommandContext& context, const std::string& what,
                         const std::string& error, const std::string& reason) {
    if (context.json)
        fmt::print("{}\n", json{{"ok", false}, {"error", error}, {"reason", reason}}.dump(2));
    throw CommandFailed{exit_refused, fmt::format("{}: {} ({})", what, error, reason)};
}

// Of a file that cannot be read as certificates.
const char* reason_of_unreadable(ByteSpan file) {
    const auto blocks = read_pem(file);
    const bool is_pem = blocks && !blocks->empty();
    const auto parsed = Certificate::parse(is_pem ? blocks->front().der.bytes() : file);
    const bool is_unsupported = !parsed && parsed.error().kind == ErrorKind::unsupported;
    return to_word(is_unsupported ? Reason::unsupported_algorithm : Reason::malformed);
}

// The certificate of a person or a host in the file; authorities that lie beside it are left out.
CertificatePtr read_certificate(const CommandContext& context, const std::string& path) {
    const auto file = read_small_file(path);
    if (!file) throw CommandFailed{exit_refused, file.error().what};
    if (has_private_key(file->bytes()))
        refuse(context, path,
               "there is a private key in it! Whoever has it reads the mail; it should never have "
               "come here. Add the certificate alone",
               to_word(KeyFileEntry::Problem::private_key));
    const auto certificates = read_certificates(file->bytes());
    if (!certificates)
        refuse(context, path, certificates.error().what, reason_of_unreadable(file->bytes()));
    const auto leaf = std::find_if(certificates->begin(), certificates->end(),
                                   [](const auto& other) { return !other->is_authority(); });
    if (certificates->size() > 1)
        fmt::print(stderr,
                   "warning: {}: {} certificates; taken is the first that is no authority's\n",
                   path, certificates->size());
    return leaf == certificates->end() ? certificates->front() : *leaf;
}

void check_name(const std::string& name) {
    if (!is_key_name(name))
        throw CommandFailed{exit_usage, to_sentence(KeyFileEntry::Problem::bad_name)};
}

void tell_added(CommandContext& context, const KeyChannel& channel, json answer) {
    answer["in_effect"] = channel.by_gateway();
    if (context.json) {
        fmt::print("{}\n", answer.dump(2));
        return;
    }
    fmt::print("{} {}\n", answer["key"].value("name", ""), answer.value("outcome", ""));
    print_key_details(answer["key"]);
    if (channel.by_gateway()) fmt::print("The running gateway uses it from now on.\n");
}

void add(CommandContext& context, const std::string& name, const std::string& path) {
    check_name(name);
    const auto config = context.config();
    const CertificatePtr certificate = read_certificate(context, path);
    KeyChannel channel(*config, StoredKeysNeed::manual);
    json answer =
        channel.ask({{"command", "key.add"}, {"name", name}, {"pem", pem_of(*certificate)}},
                    KeyChannel::Refusal::is_answer);
    if (answer.value("ok", false)) return tell_added(context, channel, std::move(answer));
    refuse(context, path, answer.value("error", ""), answer.value("reason", ""));
}

void remove(CommandContext& context, const std::string& name) {
    KeyChannel channel(*context.config(), StoredKeysNeed::manual);
    const json answer =
        channel.ask({{"command", "key.remove"}, {"name", name}}, KeyChannel::Refusal::is_answer);
    if (!answer.value("ok", false))
        refuse(context, name, answer.value("error", ""), answer.value("reason", ""));
    if (context.json) {
        fmt::print("{}\n", answer.dump(2));
    } else {
        fmt::print("{} removed\n", name);
    }
}

void promote(CommandContext& context, const std::string& address, const std::string& name) {
    check_name(name);
    KeyChannel channel(*context.config(), StoredKeysNeed::harvested);
    json answer = channel.ask({{"command", "key.promote"}, {"address", address}, {"name", name}},
                              KeyChannel::Refusal::is_answer);
    if (answer.value("ok", false)) return tell_added(context, channel, std::move(answer));
    refuse(context, address, answer.value("error", ""), answer.value("reason", ""));
}

}  // namespace

void add_key_commands(CLI::App& app, CommandContext& context) {
    CLI::App* key = app.add_subcommand("key", "Public keys of correspondents, to encrypt to");
    key->require_subcommand(1);

    struct Words {
        std::string name, file, address;
    };
    auto words = std::make_shared<Words>();
    CLI::App* add_command =
        key->add_subcommand("add", "Add a certificate; one of the same name is replaced");
    add_command->add_option("NAME", words->name, "What it is called here")->required();
    add_command->add_option("FILE", words->file, "The certificate: PEM, DER or PKCS#7")->required();
    add_command->callback([&context, words] { add(context, words->name, words->file); });

    add_key_lists(*key, context);

    CLI::App* remove_command = key->add_subcommand("remove", "Remove a manual key");
    remove_command->add_option("NAME", words->name, "The key")->required();
    remove_command->callback([&context, words] { remove(context, words->name); });

    add_key_transfer(*key, context);

    CLI::App* promote_command =
        key->add_subcommand("promote", "Make a harvested key a manual one, which stays");
    promote_command->add_option("ADDRESS", words->address, "Its owner: an address, or @domain")
        ->required();
    promote_command->add_option("--name", words->name, "What it is called here")->required();
    promote_command->callback([&context, words] { promote(context, words->address, words->name); });
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate smime verify | decrypt`: what the gateway would make of a message in a file.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <map>

#include "core/loop.h"
#include "core/workers.h"
#include "crypto/wolf.h"
#include "smtp/smime_file.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/smime_inputs.h"
#include "tools/sealgate/smime_report.h"
#include "tools/sealgate/time_argument.h"

namespace sealgate {
namespace {

using nlohmann::json;

struct Words {
    SmimeInputWords inputs;
    std::string message, at, revocation, from, policy, signature, output;
    std::string identity = "from";
};

const std::map<std::string, TrustOptions::Revocation> revocations = {
    {"off", TrustOptions::Revocation::off},
    {"prefer", TrustOptions::Revocation::prefer},
    {"require", TrustOptions::Revocation::require}};
const std::map<std::string, SmimeFileOptions::Identity> identities = {
    {"from", SmimeFileOptions::Identity::from},
    {"envelope", SmimeFileOptions::Identity::envelope},
    {"off", SmimeFileOptions::Identity::off}};

// Whose way with signatures and protected headers counts; null: nobody's.
const MailFlowPolicyOptions* find_policy(const GatewayState* state, const std::string& name) {
    if (!state) return nullptr;
    const auto& policies = state->config->mail_flow_policies;
    if (!name.empty()) {
        const auto found = policies.find(name);
        if (found == policies.end())
            throw CommandFailed{exit_refused, "there is no mail-flow policy " + name};
        return &found->second;
    }
    const auto verifies = std::find_if(policies.begin(), policies.end(), [](const auto& policy) {
        return policy.second.smime_verify_decrypt;
    });
    return verifies == policies.end() ? nullptr : &verifies->second;
}

std::string without_brackets(const std::string& path) {
    const bool has_both = path.size() >= 2 && path.front() == '<' && path.back() == '>';
    return has_both ? path.substr(1, path.size() - 2) : path;
}

SmimeFileOptions file_options(const Words& words, const SmimeInputs& inputs) {
    SmimeFileOptions options;
    options.identity = identities.at(words.identity);
    if (!words.from.empty()) options.envelope_sender = without_brackets(words.from);
    options.keys = inputs.keys();
    options.verify = inputs.verify();
    options.output = words.output;
    bool remove = words.signature == "remove";
    if (const MailFlowPolicyOptions* policy = find_policy(inputs.state(), words.policy)) {
        if (words.signature.empty())
            remove = policy->smime_signature == MailFlowPolicyOptions::Signature::remove;
        options.use_protected_headers = policy->smime_protected_headers_use;
    }
    options.signatures = remove ? SmimeReader::Signatures::remove : SmimeReader::Signatures::keep;
    if (inputs.state()) options.hostname = inputs.state()->config->gateway.hostname;
    return options;
}

void run(const CommandContext& context, const Words& words, SmimeQuestion question) {
    if (!init_wolfssl()) throw CommandFailed{exit_refused, "wolfSSL cannot be used"};
    Loop loop;
    WorkerPool workers(loop, 1);
    const SmimeInputs inputs(loop, workers, words.inputs);
    const auto verdict = read_smime_file(loop, workers, words.message, file_options(words, inputs));
    inputs.check_known_keys();
    if (!verdict) throw CommandFailed{exit_refused, verdict.error().what};
    if (context.json) {
        fmt::print("{}\n", to_json(*verdict).dump(2, ' ', false, json::error_handler_t::replace));
    } else {
        fmt::print("{}", smime_report_text(*verdict, question));
    }
    std::fflush(stdout);
    if (!verdict->smime.is_smime || !verdict->smime.verified) throw CommandFailed{exit_refused, ""};
}

void check_usage(const Words& words, bool with_configuration) {
    if (!words.policy.empty() && !with_configuration)
        throw CommandFailed{exit_usage, "--policy is one of a configuration: give -c, too"};
    if (!words.from.empty() && words.identity != "envelope")
        throw CommandFailed{exit_usage, "--from is for --identity envelope"};
}

// One value each time it is given, so that MESSAGE may stand behind it.
void add_files(CLI::App& command, const char* name, std::vector<std::string>& files,
               const char* what) {
    command.add_option(name, files, what)->type_name("FILE")->allow_extra_args(false);
}

void add_input_options(CLI::App& command, Words& words) {
    SmimeInputWords& inputs = words.inputs;
    add_files(command, "--ca", inputs.ca_files,
              "Authorities to trust, PEM; may be repeated. Without it, and without -c, nobody is "
              "trusted");
    add_files(command, "--key", inputs.key_files,
              "A private key with its certificate, PEM or PKCS#12; may be repeated");
    command
        .add_option("--passphrase-file", inputs.passphrase_file,
                    "Its first line is the passphrase of the keys")
        ->type_name("FILE");
    add_files(command, "--cert", inputs.certificate_files,
              "A correspondent's certificate: trusted as itself, as one of `key add`, and used "
              "where a signature brings none; also the one that a --key lacks. May be repeated");
    add_files(command, "--crl", inputs.crl_files,
              "Revocation lists, PEM or DER; may be repeated. Where nothing else is said, they "
              "mean --revocation prefer");
    command
        .add_option("--revocation", words.revocation,
                    "In place of the configuration's; without one, off")
        ->check(CLI::IsMember(revocations));
    command
        .add_option("--at", words.at, "The time to judge by, such as 2026-11-21T00:00:00Z (now)")
        ->type_name("TIME")
        ->check([](const std::string& text) -> std::string {
            return parse_time(text) ? "" : text + " is no time like 2026-11-21T00:00:00Z";
        });
    command.add_flag("--allow-weak", inputs.allow_weak,
                     "Old mail: SHA-1 and RSA from 1024 bits count as valid; MD5 never does");
}

void add_options(CLI::App& command, Words& words) {
    command.add_option("MESSAGE", words.message, "The message; its lines may end in LF")
        ->type_name("FILE")
        ->required();
    add_input_options(command, words);
    command
        .add_option("--identity", words.identity,
                    "Whom a signature must cover: the From field's only address, the envelope "
                    "sender (--from, else Return-Path), or nobody")
        ->check(CLI::IsMember(identities))
        ->capture_default_str();
    command
        .add_option("--from", words.from,
                    "With --identity envelope: the sender, <> for the null one")
        ->type_name("ADDRESS");
    command
        .add_option("--policy", words.policy,
                    "With -c: the mail-flow policy whose smime-signature and "
                    "smime-protected-headers count; else the first, by name, that verifies")
        ->type_name("NAME");
    command
        .add_option("--signature", words.signature,
                    "What --output does with it, in place of the policy's word; without one, keep")
        ->check(CLI::IsMember({"keep", "remove"}));
    command
        .add_option("--output", words.output,
                    "Write there what would be delivered: what is inside, or the message as it "
                    "came, byte for byte; only you may read it")
        ->type_name("FILE");
    command.footer(
        "With -c PATH keys, trust and known keys are those of that configuration, beside what the "
        "options name; keys of correspondents are asked of the running gateway, else read from "
        "its store. Without -c the options are all there is.\n\nExit status: 0 verified, that is "
        "every layer was decrypted or verified; 1 not.");
}

void add_command(CLI::App& smime, CommandContext& context, const CLI::Option* config,
                 const char* name, const char* what, SmimeQuestion question) {
    auto words = std::make_shared<Words>();
    CLI::App* command = smime.add_subcommand(name, what);
    add_options(*command, *words);
    command->callback([&context, config, words, question] {
        check_usage(*words, config->count() > 0);
        if (config->count() > 0) words->inputs.config_path = context.config_path;
        if (!words->at.empty()) words->inputs.at = parse_time(words->at);
        if (!words->revocation.empty())
            words->inputs.revocation = revocations.at(words->revocation);
        run(context, *words, question);
    });
}

}  // namespace

void add_smime_commands(CLI::App& app, CommandContext& context) {
    CLI::App* smime =
        app.add_subcommand("smime", "Open and judge a message in a file, as the gateway would");
    smime->require_subcommand(1);
    const CLI::Option* config = app.get_option("--config");
    add_command(*smime, context, config, "verify",
                "Tell whether a message is verified, and why not: layers, signers, trust",
                SmimeQuestion::verify);
    add_command(*smime, context, config, "decrypt",
                "The same, telling first whether it could be decrypted", SmimeQuestion::decrypt);
}

}  // namespace sealgate

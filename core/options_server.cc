// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of what comes in: the gateway itself, its listeners, and who may send what to whom.
#include "core/options_patterns.h"
#include "core/options_table.h"

namespace sealgate {

namespace {

// The rows below are a table.
// clang-format off

using namespace option_units;
using Naming = SectionKind::Naming;

constexpr const char* starttls = "TLS";

SectionKind gateway() {
    using G = GatewayOptions;
    SectionKind kind{.kind = "gateway", .doc = "The process as a whole."};
    kind.rows = {
        {.key = "hostname", .syntax = Syntax::host_name, .access = field<&G::hostname>(),
         .computed = "the machine's full name",
         .doc = "The name in banner, EHLO, Received and DSNs, and the authserv-id of "
                "Authentication-Results."},
        {.key = "data-dir", .syntax = Syntax::path, .access = field<&G::data_dir>(),
         .initial = "/var/lib/sealgate", .restart = true,
         .doc = "Spool, keys, certificates, quarantine."},
        {.key = "control-socket", .syntax = Syntax::path, .access = field<&G::control_socket>(),
         .computed = "`<data-dir>/control.sock`", .restart = true,
         .doc = "Unix socket of the command line; mode 0600, at most 107 bytes."},
        {.key = "crypto-threads", .syntax = Syntax::count, .access = field<&G::crypto_threads>(),
         .computed = "cores - 1, at least 1", .min = 1, .max = 256, .unit = "threads",
         .restart = true,
         .doc = "Threads for public-key work and bulk ciphers. More than the cores only adds "
                "latency."},
        {.key = "connections-max", .syntax = Syntax::count, .access = field<&G::connections_max>(),
         .initial = "20000", .min = 1, .max = 1'000'000, .unit = "sessions",
         .doc = "Sessions in and out together; above it new ones get 421."},
        {.key = "memory-max", .syntax = Syntax::size, .access = field<&G::memory_bytes_max>(),
         .initial = "2G", .min = 16 * mega, .max = 1024 * giga,
         .doc = "Budget for message bytes in flight. At it, sockets stop being read; nothing is "
                "dropped."},
        {.key = "shutdown-grace", .syntax = Syntax::duration,
         .access = field<&G::shutdown_grace_ms>(), .initial = "30s", .min = 0, .max = hour,
         .doc = "How long SIGTERM waits for messages between end-of-data and the reply."},
        {.key = "user", .access = field<&G::user>(), .restart = true,
         .doc = "Account to become after the ports are bound."},
        {.key = "rsa-engine", .syntax = Syntax::choice, .access = field<&G::rsa_engine>(),
         .initial = "auto", .choices = "auto wolfcrypt openssl", .restart = true,
         .doc = "Who does RSA private operations; `auto` is measured at start, per key size."},
        {.key = "key-passphrase-file", .syntax = Syntax::path,
         .access = field<&G::key_passphrase_file>(), .restart = true,
         .doc = "Private keys under data-dir are encrypted with the passphrase in this file."},
    };
    open_one<&Config::gateway>(kind);
    return kind;
}

SectionKind listener() {
    using L = ListenerOptions;
    SectionKind kind{.kind = "listener", .naming = Naming::by_name,
                     .doc = "Addresses that accept SMTP. There must be at least one listener."};
    kind.rows = {
        {.key = "address", .syntax = Syntax::endpoints, .access = field<&L::addresses>(),
         .required = true, .restart = true,
         .doc = "One or more, such as `127.0.0.1:2525, [::1]:2525`."},
        {.key = "type", .syntax = Syntax::choice, .access = field<&L::type>(),
         .initial = "public", .choices = "public private",
         .doc = "`public`: recipients must pass [recipient-access]; `private`: for own senders."},
        {.key = "certificate", .syntax = Syntax::name, .access = field<&L::certificate>(),
         .initial = "demo", .later = starttls, .accepted = "none", .inert = true,
         .doc = "Name of a certificate for STARTTLS; `none` hides STARTTLS."},
        {.key = "tls-on-connect", .syntax = Syntax::boolean, .access = field<&L::tls_on_connect>(),
         .initial = "no", .later = starttls, .doc = "TLS from the first byte (port 465)."},
        {.key = "sender-groups", .syntax = Syntax::names, .access = field<&L::sender_groups>(),
         .refers = "sender-group",
         .doc = "In order, the Host Access Table of this listener. First match wins."},
        {.key = "default-policy", .syntax = Syntax::name, .access = field<&L::default_policy>(),
         .initial = "ACCEPTED", .refers = "mail-flow-policy",
         .doc = "Mail-flow policy for whoever matches no group (the implicit ALL)."},
        {.key = "proxy-protocol", .syntax = Syntax::networks, .access = field<&L::proxy_protocol>(),
         .initial = "off", .none_word = "off", .later = "the PROXY protocol",
         .doc = "Networks whose PROXY v1/v2 header is believed."},
        {.key = "command-timeout", .syntax = Syntax::duration,
         .access = field<&L::command_timeout_ms>(), .initial = "5m", .min = second, .max = day,
         .doc = "Silence after which a session ends between commands (RFC 5321 §4.5.3.2.7)."},
        {.key = "data-timeout", .syntax = Syntax::duration, .access = field<&L::data_timeout_ms>(),
         .initial = "10m", .min = second, .max = day,
         .doc = "The same while a message comes in (RFC 5321 §4.5.3.2)."},
    };
    open_listed<&Config::listeners>(kind);
    return kind;
}

SectionKind sender_group() {
    using S = SenderGroupOptions;
    SectionKind kind{.kind = "sender-group", .naming = Naming::by_name,
                     .doc = "Clients, by address or by name, and the policy for them."};
    kind.rows = {
        {.key = "hosts", .syntax = Syntax::hosts, .access = field<&S::hosts>(), .required = true,
         .doc = "IPv4, IPv6, CIDR (`10.1.0.0/16`, short `10.1/16`), partial (`10.1.`), ranges "
                "(`10.1.1.10-40`, `10.1-3`), host name (`mx.example.com`), `.partial.example` "
                "(every host below), `ALL`. Names match only a forward-confirmed PTR."},
        {.key = "policy", .syntax = Syntax::name, .access = field<&S::policy>(),
         .refers = "mail-flow-policy", .required = true, .doc = "Name of a mail-flow policy."},
        {.key = "comment", .access = field<&S::comment>(), .doc = "For people."},
    };
    open_listed<&Config::sender_groups>(kind);
    return kind;
}

std::vector<OptionRow> connection_rows() {
    using M = MailFlowPolicyOptions;
    return {
        {.key = "action", .syntax = Syntax::choice, .access = field<&M::action>(),
         .initial = "accept", .choices = "accept relay reject tcp-refuse continue",
         .doc = "`accept` (incoming; recipients must pass [recipient-access]), `relay` "
                "(outgoing), `reject` (554 greeting, then 503 until QUIT), `tcp-refuse` (closed "
                "without a word), `continue` (go on to the next group)."},
        {.key = "tls", .syntax = Syntax::choice, .access = field<&M::tls>(), .initial = "off",
         .choices = "off preferred required", .later = starttls, .accepted = "preferred",
         .doc = "`required`: 530 to everything but NOOP, EHLO, STARTTLS, QUIT until TLS."},
        {.key = "tls-verify-client", .syntax = Syntax::choice,
         .access = field<&M::tls_verify_client>(), .initial = "off",
         .choices = "off optional required", .later = starttls, .doc = "Client certificates."},
        {.key = "messages-per-connection-max", .syntax = Syntax::count,
         .access = field<&M::messages_per_connection_max>(), .initial = "1000", .min = 1,
         .max = count_max, .unit = "messages", .doc = "421 beyond."},
        {.key = "recipients-per-message-max", .syntax = Syntax::count,
         .access = field<&M::recipients_per_message_max>(), .initial = "1000", .min = 1,
         .max = 1'000'000, .unit = "recipients", .doc = "452 beyond."},
        {.key = "connections-per-host-max", .syntax = Syntax::count,
         .access = field<&M::connections_per_host_max>(), .initial = "1000", .min = 1,
         .max = count_max, .unit = "connections", .doc = "421 beyond."},
        {.key = "recipients-per-hour-max", .syntax = Syntax::count,
         .access = field<&M::recipients_per_hour_max>(), .initial = "unlimited", .min = 1,
         .max = count_max, .unit = "recipients", .none_word = "unlimited",
         .doc = "Per client address; 452 4.7.1 beyond."},
        {.key = "message-size-max", .syntax = Syntax::size,
         .access = field<&M::message_bytes_max>(), .initial = "100M", .min = kilo,
         .max = 16 * giga, .doc = "Announced as SIZE; 552 beyond, as early as it is known."},
    };
}

std::vector<OptionRow> incoming_smime_rows() {
    using M = MailFlowPolicyOptions;
    return {
        {.key = "smime-verify-decrypt", .syntax = Syntax::boolean,
         .access = field<&M::smime_verify_decrypt>(), .initial = "no",
         .doc = "Decrypt and verify what comes in."},
        {.key = "smime-signature", .syntax = Syntax::choice, .access = field<&M::smime_signature>(),
         .initial = "keep", .choices = "keep remove",
         .doc = "What becomes of it after verification."},
        {.key = "smime-harvest", .syntax = Syntax::boolean, .access = field<&M::smime_harvest>(),
         .initial = "no",
         .doc = "Collect public keys from signed mail. docs/keys.md says which."},
        {.key = "smime-harvest-unverified", .syntax = Syntax::boolean,
         .access = field<&M::smime_harvest_unverified>(), .initial = "no",
         .doc = "Harvest also when verification failed: then the key of the From address alone, and "
                "never in place of a verified one."},
        {.key = "smime-harvest-updates", .syntax = Syntax::boolean,
         .access = field<&M::smime_harvest_updates>(), .initial = "no",
         .doc = "Replace a stored key by a newer one of the same owner."},
        {.key = "smime-harvest-self-signed", .syntax = Syntax::boolean,
         .access = field<&M::smime_harvest_self_signed>(), .initial = "no",
         .doc = "Harvest self-signed certificates, too; where nothing else vouches for them, with "
                "`smime-harvest-unverified`."},
        {.key = "smime-harvest-expired", .syntax = Syntax::boolean,
         .access = field<&M::smime_harvest_expired>(), .initial = "no",
         .doc = "Harvest expired certificates, too; with `smime-harvest-unverified`."},
        {.key = "smime-protected-headers", .syntax = Syntax::choice,
         .access = field<&M::smime_protected_headers_use>(), .initial = "use",
         .choices = "use ignore",
         .doc = "RFC 9788: after decryption, the inner Subject and other protected fields."},
    };
}

SectionKind mail_flow_policy() {
    SectionKind kind{
        .kind = "mail-flow-policy", .naming = Naming::by_name,
        .doc = "What a client may do. Built in, and open to override key by key: `ACCEPTED` "
               "(accept), `RELAYED` (relay), `BLOCKED` (reject), `TRUSTED` (accept), `THROTTLED` "
               "(accept, with messages-per-connection-max 20, recipients-per-message-max 50, "
               "connections-per-host-max 10, recipients-per-hour-max 200, message-size-max 10M)."};
    kind.rows = connection_rows();
    for (OptionRow& row : incoming_smime_rows()) kind.rows.push_back(row);
    open_mapped<&Config::mail_flow_policies, &MailFlowPolicyOptions::name>(kind);
    return kind;
}

SectionKind recipient_access() {
    SectionKind kind{
        .kind = "recipient-access",
        .doc = "One row per key: `example.com = accept`, `.example.com = accept`, "
               "`user@example.com = reject 550 5.1.1 No such user`, `ALL = reject`. Most specific "
               "wins; without a row for ALL, ALL is rejected (550 5.7.1). A reply has a code of "
               "4xx or 5xx, an enhanced code of the same class and a text. Only public listeners "
               "with action `accept` look at it."};
    kind.take_free = take_recipient_access;
    kind.free_rows = recipient_access_rows;
    return kind;
}

// clang-format on

}  // namespace

std::vector<SectionKind> server_sections() {
    return {gateway(), listener(), sender_group(), mail_flow_policy(), recipient_access()};
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of what surrounds mail: DNS, log, alerts, administration.
#include "core/options_table.h"

namespace sealgate {

namespace {

// The rows below are a table.
// clang-format off

using namespace option_units;

constexpr const char* http = "HTTP administration";

SectionKind dns() {
    using D = DnsOptions;
    SectionKind kind{.kind = "dns", .doc = "The resolver."};
    kind.rows = {
        {.key = "servers", .syntax = Syntax::dns_servers, .access = field<&D::servers>(),
         .doc = "Addresses, with `@port` where it is not 53. Empty: those of the system."},
        {.key = "trust-anchor-file", .syntax = Syntax::path,
         .access = field<&D::trust_anchor_file>(), .doc = "DNSSEC trust anchors."},
        {.key = "timeout", .syntax = Syntax::duration, .access = field<&D::timeout_ms>(),
         .initial = "5s", .min = second, .max = 2 * minute, .doc = "For one question."},
        {.key = "cache-size", .syntax = Syntax::size, .access = field<&D::cache_bytes>(),
         .initial = "64M", .min = mega, .max = 64 * giga, .doc = "Memory for answers."},
    };
    open_one<&Config::dns>(kind);
    return kind;
}

SectionKind alerts() {
    using A = AlertOptions;
    SectionKind kind{.kind = "alerts",
                     .doc = "Who is told when something needs a person. Without `to` and "
                            "`webhook`, nobody: then alerts are in the mail log and in "
                            "`sealgate alerts` alone. docs/alerts.md names them."};
    kind.rows = {
        {.key = "to", .syntax = Syntax::mail_addresses, .access = field<&A::to>(),
         .doc = "Addresses that get alerts by mail, past all filters and limits."},
        {.key = "from", .syntax = Syntax::mail_address, .access = field<&A::from>(),
         .computed = "postmaster@ the gateway's hostname",
         .doc = "The From of that mail; its envelope has the null sender."},
        {.key = "severity-min", .syntax = Syntax::choice, .access = field<&A::severity_min>(),
         .initial = "warning", .choices = "info warning critical",
         .doc = "What is below it is only logged."},
        {.key = "webhook", .syntax = Syntax::web_url, .access = field<&A::webhook>(),
         .secret = true, .doc = "URL, `https://` or `http://`, that alerts are posted to as JSON."},
        {.key = "tls-required-failure", .syntax = Syntax::boolean,
         .access = field<&A::tls_required_failure>(), .initial = "yes",
         .doc = "Alert when required TLS was not reached."},
        {.key = "throttle", .syntax = Syntax::duration, .access = field<&A::throttle_ms>(),
         .initial = "15m", .min = 0, .max = 30 * day,
         .doc = "The same alert about the same subject at most once in it."},
    };
    open_one<&Config::alerts>(kind);
    return kind;
}

SectionKind log() {
    using L = LogOptions;
    SectionKind kind{.kind = "log", .doc = "The mail log."};
    kind.rows = {
        {.key = "mail-log", .syntax = Syntax::path, .access = field<&L::mail_log>(),
         .initial = "-", .doc = "A file, or `-` for standard output."},
        {.key = "format", .syntax = Syntax::choice, .access = field<&L::format>(),
         .initial = "text", .choices = "text json", .doc = "One event a line in both."},
        {.key = "level", .syntax = Syntax::choice, .access = field<&L::level>(),
         .initial = "info", .choices = "debug info warning error", .doc = "Below it, no line."},
    };
    open_one<&Config::log>(kind);
    return kind;
}

SectionKind admin() {
    using A = AdminOptions;
    SectionKind kind{.kind = "admin",
                     .doc = "Metrics and health over HTTP. While `http-address` is off, the other "
                            "keys do nothing."};
    kind.rows = {
        {.key = "http-address", .access = field<&A::http_address>(), .initial = "off",
         .none_word = "off", .later = http, .doc = "Address and port."},
        {.key = "certificate", .syntax = Syntax::name, .access = field<&A::certificate>(),
         .doc = "Certificate for HTTPS."},
        {.key = "users-file", .syntax = Syntax::path, .access = field<&A::users_file>(),
         .doc = "Who may sign in."},
    };
    open_one<&Config::admin>(kind);
    return kind;
}

// clang-format on

}  // namespace

std::vector<SectionKind> service_sections() { return {dns(), alerts(), log(), admin()}; }

}  // namespace sealgate

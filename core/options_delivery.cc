// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of what goes out: routes, destinations, retries and bounces.
#include "core/options_patterns.h"
#include "core/options_table.h"

namespace sealgate {

namespace {

// The rows below are a table.
// clang-format off

using namespace option_units;
using Naming = SectionKind::Naming;

SectionKind smtp_routes() {
    SectionKind kind{
        .kind = "smtp-routes",
        .doc = "One row per key: `example.com = mx1.example.com/pri=0, "
               "mx2.example.com:2525/pri=10`, `.example.com = ...` (every domain below), "
               "`ALL = ...`. Hosts are names or `[address]`, with an optional `:port` (default "
               "25); lower `pri` first (default 0), equal ones in turn. `/dev/null` discards; "
               "`USEDNS` means MX. Most specific wins, and there is no fallback to MX. Without a "
               "matching row, MX."};
    kind.take_free = take_smtp_route;
    kind.free_rows = smtp_route_rows;
    return kind;
}

SectionKind destination() {
    using D = DestinationOptions;
    SectionKind kind{
        .kind = "destination", .naming = Naming::by_domain,
        .doc = "How mail is delivered to a domain. What `[destination:DOMAIN]` does not say is as "
               "in `[destination:default]`. This version delivers in clear text."};
    kind.rows = {
        {.key = "connections-max", .syntax = Syntax::count, .access = field<&D::connections_max>(),
         .initial = "100", .min = 1, .max = 100'000, .unit = "connections",
         .doc = "At once to this destination."},
        {.key = "messages-per-connection-max", .syntax = Syntax::count,
         .access = field<&D::messages_per_connection_max>(), .initial = "1000", .min = 1,
         .max = count_max, .unit = "messages", .doc = "Then the connection is closed."},
        {.key = "recipients-per-minute-max", .syntax = Syntax::count,
         .access = field<&D::recipients_per_minute_max>(), .initial = "unlimited", .min = 1,
         .max = count_max, .unit = "recipients", .none_word = "unlimited",
         .doc = "The rest waits in the queue."},
        {.key = "tls", .syntax = Syntax::choice, .access = field<&D::tls>(),
         .initial = "preferred",
         .choices = "none preferred required preferred-verify required-verify "
                    "required-verify-hosted",
         .later = "TLS", .accepted = "none",
         .doc = "What must be reached before mail is handed over."},
        {.key = "dane", .syntax = Syntax::choice, .access = field<&D::dane>(),
         .initial = "opportunistic", .choices = "off opportunistic mandatory", .later = "DANE",
         .accepted = "off", .doc = "`opportunistic` uses TLSA where it exists."},
        {.key = "mta-sts", .syntax = Syntax::boolean, .access = field<&D::mta_sts>(),
         .initial = "yes", .doc = "Honour MTA-STS policies, once TLS is there."},
        {.key = "certificate", .syntax = Syntax::name, .access = field<&D::certificate>(),
         .later = "TLS", .doc = "Client certificate to offer."},
        {.key = "bounce-profile", .syntax = Syntax::name, .access = field<&D::bounce_profile>(),
         .initial = "default", .refers = "bounce-profile", .doc = "Retries and DSNs."},
    };
    open_mapped<&Config::destinations, &D::domain, Model::default_section>(kind);
    return kind;
}

SectionKind bounce_profile() {
    using B = BounceProfileOptions;
    SectionKind kind{
        .kind = "bounce-profile", .naming = Naming::by_name,
        .doc = "How long delivery is tried, and who hears of it. What a profile does not say is "
               "as in `[bounce-profile:default]`."};
    kind.rows = {
        {.key = "retries-max", .syntax = Syntax::count, .access = field<&B::retries_max>(),
         .initial = "100", .min = 0, .max = 10'000, .unit = "retries",
         .doc = "Then the message bounces."},
        {.key = "queue-time-max", .syntax = Syntax::duration,
         .access = field<&B::queue_time_max_ms>(), .initial = "3d", .min = second, .max = 30 * day,
         .doc = "Then the message bounces."},
        {.key = "retry-first", .syntax = Syntax::duration, .access = field<&B::retry_first_ms>(),
         .initial = "60s", .min = second, .max = day, .doc = "Wait before the first retry."},
        {.key = "retry-max", .syntax = Syntax::duration, .access = field<&B::retry_max_ms>(),
         .initial = "1h", .min = second, .max = day,
         .doc = "Longest wait between retries; it doubles from retry-first up to here."},
        {.key = "delay-warning", .syntax = Syntax::duration,
         .access = field<&B::delay_warning_ms>(), .initial = "off", .min = minute, .max = 30 * day,
         .none_word = "off",
         .doc = "After this time in the queue the sender gets a DSN `delayed`."},
        {.key = "notify", .syntax = Syntax::boolean, .access = field<&B::notify>(),
         .initial = "yes", .doc = "Send a DSN when a message bounces."},
    };
    open_mapped<&Config::bounce_profiles, &B::name, Model::default_section>(kind);
    return kind;
}

// clang-format on

}  // namespace

std::vector<SectionKind> delivery_sections() {
    return {smtp_routes(), destination(), bounce_profile()};
}

}  // namespace sealgate

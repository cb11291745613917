// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of policy: which filters see which mail. Their language itself is not known here.
#include "core/options_table.h"

namespace sealgate {

namespace {

// The rows below are a table.
// clang-format off

using namespace option_units;
using Naming = SectionKind::Naming;

SectionKind message_filters() {
    SectionKind kind{.kind = "message-filters", .doc = "Filters that see every message whole."};
    kind.rows = {
        {.key = "file", .syntax = Syntax::path, .access = field<&Config::message_filters_file>(),
         .later = "message filters", .doc = "A file in the filter language."},
    };
    kind.open = [](Config& config, const std::string&, const ConfigPlace&) -> void* {
        return &config;
    };
    kind.each = [](const Config& config, const SectionKind::Visit& visit) { visit("", &config); };
    return kind;
}

SectionKind content_filter() {
    using F = ContentFilterOptions;
    SectionKind kind{.kind = "content-filter", .naming = Naming::by_name,
                     .doc = "A condition and what happens to the messages that meet it."};
    kind.rows = {
        {.key = "direction", .syntax = Syntax::choice, .access = field<&F::direction>(),
         .choices = "outgoing incoming", .required = true,
         .doc = "Outgoing is what came in under a policy with action `relay`."},
        {.key = "condition", .access = field<&F::condition>(),
         .place = [](void* section, const IniEntry& entry) {
             static_cast<F*>(section)->condition_place = entry.place;
             static_cast<F*>(section)->condition_lines = entry.lines;
         },
         .doc = "An expression of the filter language; empty: always."},
        {.key = "actions", .access = field<&F::actions>(), .required = true,
         .place = [](void* section, const IniEntry& entry) {
             static_cast<F*>(section)->actions_place = entry.place;
             static_cast<F*>(section)->actions_lines = entry.lines;
         },
         .doc = "Actions of the filter language, such as `smime-gateway(\"profile\");`."},
    };
    open_listed<&Config::content_filters>(kind);
    return kind;
}

// DEFAULT may leave its direction open, so this is not field<>(): none is a third answer.
OptionAccess policy_direction() {
    using M = MailPolicyOptions;
    return {
        [](void* section, OptionValue value) {
            auto& policy = *static_cast<M*>(section);
            const auto* index = std::get_if<std::uint64_t>(&value);
            policy.any_direction = index == nullptr;
            if (index) policy.direction = static_cast<Direction>(*index);
        },
        [](const void* section) -> OptionValue {
            const auto& policy = *static_cast<const M*>(section);
            if (policy.any_direction) return std::string();
            return static_cast<std::uint64_t>(policy.direction);
        },
    };
}

SectionKind mail_policy() {
    using M = MailPolicyOptions;
    SectionKind kind{
        .kind = "mail-policy", .naming = Naming::by_name,
        .doc = "Policies are tried in the order of the file, per recipient; the first whose "
               "senders and recipients match wins. `[mail-policy:DEFAULT]` is last; without a "
               "direction it is for both. Patterns are `user@domain`, `user@`, `@domain`, "
               "`@.domain` and `ALL`."};
    kind.rows = {
        {.key = "direction", .syntax = Syntax::choice, .access = policy_direction(),
         .choices = "outgoing incoming",
         .needed = [](const std::string& name, const void*) { return name != "DEFAULT"; },
         .doc = "Needed, except for DEFAULT."},
        {.key = "senders", .syntax = Syntax::mail_patterns, .access = field<&M::senders>(),
         .initial = "ALL", .doc = "Envelope sender or From."},
        {.key = "recipients", .syntax = Syntax::mail_patterns, .access = field<&M::recipients>(),
         .initial = "ALL", .doc = "Envelope recipient."},
        {.key = "not-senders", .syntax = Syntax::mail_patterns, .access = field<&M::not_senders>(),
         .doc = "Senders the policy is not for."},
        {.key = "not-recipients", .syntax = Syntax::mail_patterns,
         .access = field<&M::not_recipients>(), .doc = "Recipients the policy is not for."},
        {.key = "content-filters", .syntax = Syntax::names, .access = field<&M::content_filters>(),
         .refers = "content-filter", .doc = "Names in order; of the policy's direction."},
    };
    open_listed<&Config::mail_policies>(kind);
    kind.open = [](Config& config, const std::string& name, const ConfigPlace& place) -> void* {
        MailPolicyOptions& policy = config.mail_policies.emplace_back();
        policy.name = name;
        policy.place = place;
        policy.any_direction = true;  // until one is written
        return &policy;
    };
    return kind;
}

SectionKind quarantine() {
    using Q = QuarantineOptions;
    SectionKind kind{.kind = "quarantine", .naming = Naming::by_name,
                     .doc = "Where filters put messages for a person to look at.",
                     .later = "a quarantine"};
    kind.rows = {
        {.key = "retention", .syntax = Syntax::duration, .access = field<&Q::retention_ms>(),
         .initial = "10d", .min = hour, .max = 3650 * day, .doc = "Then a message is deleted."},
        {.key = "size-max", .syntax = Syntax::size, .access = field<&Q::bytes_max>(),
         .initial = "1G", .min = mega, .max = 1024 * giga, .doc = "Of all its messages."},
        {.key = "on-full", .syntax = Syntax::choice, .access = field<&Q::on_full>(),
         .initial = "reject-new", .choices = "reject-new delete-oldest",
         .doc = "What happens at size-max."},
    };
    open_mapped<&Config::quarantines, &Q::name>(kind);
    return kind;
}

// clang-format on

}  // namespace

std::vector<SectionKind> policy_sections() {
    return {message_filters(), content_filter(), mail_policy(), quarantine()};
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What a filter says, as a tree: expressions of rules, and lists of actions.
//
// The tables in core/filter_tables.cc are the language's vocabulary: a new rule or action is a row
// there and a case in core/filter_evaluate.cc. A row may say what it needs that this version does
// not have; then its use is a complaint, never a rule that is silently false.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/host_pattern.h"
#include "core/regex.h"

namespace sealgate {

enum class RuleId : std::uint8_t {
    subject,
    mail_from,
    rcpt_to,
    header,
    remote_ip,
    recv_listener,
    sendergroup,
    rcpt_count,
    true_,
    smime_gateway_message,
    smime_gateway_verified,
    is_signed,
    is_encrypted,
    later,  // a rule of the language that this version cannot evaluate
};

// How a rule is written.
enum class RuleForm : std::uint8_t {
    flag,     // true
    text,     // subject == "re"
    header,   // header("X"), header("X") == "re"
    address,  // remote-ip == "10.1.1.0/24"
    number,   // rcpt-count > 5
    call,     // body-contains("re"[, n])
};

struct RuleRow {
    const char* name;
    RuleId id;
    RuleForm form;
    const char* needs;  // what this version lacks for it; null: nothing
};

enum class ActionId : std::uint8_t {
    smime_gateway,
    smime_gateway_deferred,
    later,  // an action of the language that this version cannot do
};

struct ActionRow {
    const char* name;
    ActionId id;
    unsigned arguments_min;
    unsigned arguments_max;
    bool final;
    const char* needs;  // as above
};

const std::vector<RuleRow>& filter_rules();
const std::vector<ActionRow>& filter_actions();

enum class Comparison : std::uint8_t { present, equal, unequal, less, at_most, greater, at_least };

struct FilterExpression {
    enum class Kind : std::uint8_t { and_, or_, not_, rule };

    Kind kind = Kind::rule;
    std::vector<FilterExpression> operands;  // two for and/or, one for not

    const RuleRow* rule = nullptr;
    std::string name;  // header's
    Comparison comparison = Comparison::present;
    std::string text;  // what is compared with
    std::uint64_t number = 0;
    std::size_t at = 0;          // offset of the rule in the source
    std::size_t text_at = 0;     // offset of the text
    std::optional<Regex> regex;  // compiled text
    std::optional<HostPattern> network;
};

struct FilterAction {
    const ActionRow* row = nullptr;
    std::vector<std::string> arguments;
    std::size_t at = 0;
    std::vector<std::size_t> argument_at;
};

// `NAME: if (EXPR) { … } else { … }`
struct MessageFilter {
    std::string name;
    std::size_t at = 0;
    FilterExpression condition;
    std::vector<FilterAction> actions;
    std::vector<FilterAction> otherwise;
};

}  // namespace sealgate

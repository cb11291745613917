// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/filter_evaluate.h"

#include <algorithm>

#include "core/result.h"

namespace sealgate {
namespace {

template <typename Values>
bool any_matches(const FilterExpression& rule, const Values& values) {
    const bool any = std::any_of(values.begin(), values.end(),
                                 [&](const auto& value) { return rule.regex->matches(value); });
    return any == (rule.comparison == Comparison::equal);
}

bool matches(const FilterExpression& rule, std::string_view value) {
    return rule.regex->matches(value) == (rule.comparison == Comparison::equal);
}

bool compare(Comparison comparison, std::uint64_t left, std::uint64_t right) {
    switch (comparison) {
    case Comparison::present: return true;
    case Comparison::equal: return left == right;
    case Comparison::unequal: return left != right;
    case Comparison::less: return left < right;
    case Comparison::at_most: return left <= right;
    case Comparison::greater: return left > right;
    case Comparison::at_least: return left >= right;
    }
    return false;
}

bool evaluate_header(const FilterExpression& rule, const MessageFacts& facts) {
    const std::vector<std::string> values = facts.header(rule.name);
    if (rule.comparison == Comparison::present) return !values.empty();
    return any_matches(rule, values);
}

bool evaluate_rule(const FilterExpression& rule, const MessageFacts& facts) {
    switch (rule.rule->id) {
    case RuleId::subject: return matches(rule, facts.subject());
    case RuleId::mail_from: return matches(rule, facts.envelope_sender());
    case RuleId::rcpt_to: return any_matches(rule, facts.recipients());
    case RuleId::header: return evaluate_header(rule, facts);
    case RuleId::remote_ip:
        return rule.network->matches(facts.remote_ip(), "") ==
               (rule.comparison == Comparison::equal);
    case RuleId::recv_listener: return matches(rule, facts.listener());
    case RuleId::sendergroup: return matches(rule, facts.sender_group());
    case RuleId::rcpt_count:
        return compare(rule.comparison, facts.recipients().size(), rule.number);
    case RuleId::true_: return true;
    case RuleId::smime_gateway_message: return facts.smime().is_message;
    case RuleId::smime_gateway_verified: return facts.smime().verified;
    case RuleId::is_signed: return facts.smime().is_signed;
    case RuleId::is_encrypted: return facts.smime().is_encrypted;
    case RuleId::later: break;
    }
    check_failed("rules this version lacks are refused by the parser", __FILE__, __LINE__);
}

const char* to_text(Comparison comparison) {
    switch (comparison) {
    case Comparison::present: return "";
    case Comparison::equal: return "==";
    case Comparison::unequal: return "!=";
    case Comparison::less: return "<";
    case Comparison::at_most: return "<=";
    case Comparison::greater: return ">";
    case Comparison::at_least: return ">=";
    }
    return "";
}

bool wants_regex(const FilterExpression& rule) {
    if (rule.comparison == Comparison::present) return false;
    return rule.rule->form == RuleForm::text || rule.rule->form == RuleForm::header;
}

// Addresses are compared without case: domains have none, and no one counts on that of local parts.
Regex::Case case_of(const FilterExpression& rule) {
    const bool address = rule.rule->id == RuleId::rcpt_to;
    return address ? Regex::Case::fold : Regex::Case::sensitive;
}

}  // namespace

bool compile_regexes(FilterExpression& expression, const FilterSource& source,
                     Complaints& complaints) {
    bool all = true;
    for (FilterExpression& operand : expression.operands)
        all = compile_regexes(operand, source, complaints) && all;
    if (expression.kind != FilterExpression::Kind::rule || !wants_regex(expression)) return all;
    std::string why;
    Result<Regex> regex = Regex::compile(expression.text, case_of(expression), &why);
    if (!regex) {
        complaints.push_back(source.complain(
            expression.text_at,
            "not a regular expression: " + in_quotes(expression.text) + ": " + why));
        return false;
    }
    expression.regex = *std::move(regex);
    return all;
}

bool evaluate(const FilterExpression& expression, const MessageFacts& facts) {
    const auto holds = [&](const FilterExpression& operand) { return evaluate(operand, facts); };
    const auto& operands = expression.operands;
    switch (expression.kind) {
    case FilterExpression::Kind::and_: return std::all_of(operands.begin(), operands.end(), holds);
    case FilterExpression::Kind::or_: return std::any_of(operands.begin(), operands.end(), holds);
    case FilterExpression::Kind::not_: return !evaluate(operands[0], facts);
    case FilterExpression::Kind::rule: return evaluate_rule(expression, facts);
    }
    return false;
}

std::string to_text(const FilterExpression& rule) {
    std::string text = rule.rule->name;
    if (rule.rule->form == RuleForm::header) text += "(\"" + rule.name + "\")";
    if (rule.comparison == Comparison::present) return text;
    text += std::string(" ") + to_text(rule.comparison) + " ";
    return text + (rule.rule->form == RuleForm::number ? std::to_string(rule.number)
                                                       : "\"" + rule.text + "\"");
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/policy.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/filter_evaluate.h"
#include "core/filter_parser.h"
#include "core/ini.h"
#include "core/mail_pattern.h"

namespace sealgate {
namespace {

struct ContentFilter {
    std::string name;
    Direction direction = Direction::outgoing;
    std::optional<FilterExpression> condition;  // none: always
    std::string condition_text;
    std::vector<FilterAction> actions;
};

struct MailPolicy {
    std::string name;
    Direction direction = Direction::outgoing;
    bool any_direction = false;
    std::vector<MailPattern> senders, recipients, not_senders, not_recipients;
    std::vector<const ContentFilter*> filters;

    bool applies(Direction to) const { return any_direction || direction == to; }
};

std::vector<MailPattern> patterns(const std::vector<std::string>& texts) {
    std::vector<MailPattern> compiled;
    for (const std::string& text : texts) {
        Result<MailPattern> pattern = MailPattern::parse(text);
        // The options table complains of bad ones; a draft may hold them all the same.
        if (pattern) compiled.push_back(*std::move(pattern));
    }
    return compiled;
}

bool any_matches(const std::vector<MailPattern>& patterns, std::string_view address) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const MailPattern& pattern) { return pattern.matches(address); });
}

// The envelope sender or a From address.
bool any_sender_matches(const std::vector<MailPattern>& patterns, const MessageFacts& facts) {
    if (any_matches(patterns, facts.envelope_sender())) return true;
    const auto& from = facts.from_addresses();
    return std::any_of(from.begin(), from.end(),
                       [&](const std::string& address) { return any_matches(patterns, address); });
}

FilterSource source_of(const std::string& text, const std::vector<ConfigLine>& lines,
                       const ConfigPlace& begin) {
    FilterSource source;
    source.text = text;
    source.place = [lines, begin](std::size_t offset, Complaint& complaint) {
        complaint.file = begin.file;
        complaint.line = begin.line;
        if (lines.empty()) return;
        const ConfigLine place = locate(lines, offset);
        complaint.line = place.line;
        complaint.column = place.column;
    };
    return source;
}

class Compiler {
public:
    Compiler(const Config& config, Complaints& complaints)
        : config_(config), complaints_(complaints) {}

    ContentFilter compile(const ContentFilterOptions& options) {
        ContentFilter filter;
        filter.name = options.name;
        filter.direction = options.direction;
        filter.condition_text = trimmed(options.condition);
        const FilterSource condition =
            source_of(options.condition, options.condition_lines, options.condition_place);
        if (!trimmed(options.condition).empty()) {
            filter.condition = parse_condition(condition, complaints_);
            if (filter.condition) compile_regexes(*filter.condition, condition, complaints_);
        }
        const FilterSource actions =
            source_of(options.actions, options.actions_lines, options.actions_place);
        if (auto parsed = parse_actions(actions, complaints_)) {
            for (const FilterAction& action : *parsed) check_profile(action, actions);
            filter.actions = *std::move(parsed);
        }
        return filter;
    }

private:
    void check_profile(const FilterAction& action, const FilterSource& source) {
        const std::string& name = action.arguments[0];
        if (config_.sending_profiles.contains(name)) return;
        std::vector<std::string> known;
        for (const auto& [profile, options] : config_.sending_profiles) known.push_back(profile);
        const std::string near = nearest_name(name, known);
        complaints_.push_back(source.complain(
            action.argument_at[0], "there is no [sending-profile:" + name + "]" +
                                       (near.empty() ? "" : " (nearest known: " + near + ")")));
    }

    const Config& config_;
    Complaints& complaints_;
};

void add_rules(const FilterExpression& expression, const MessageFacts& facts,
               std::vector<FilterLook::Rule>& rules) {
    for (const FilterExpression& operand : expression.operands) add_rules(operand, facts, rules);
    if (expression.kind == FilterExpression::Kind::rule)
        rules.push_back({to_text(expression), evaluate(expression, facts)});
}

FilterLook look_at(const std::string& policy, const ContentFilter& filter,
                   const MessageFacts& facts, bool holds) {
    FilterLook look{policy, filter.name, filter.condition_text, holds, {}};
    if (filter.condition) add_rules(*filter.condition, facts, look.rules);
    return look;
}

}  // namespace

struct PolicyTable::State {
    std::map<std::string, ContentFilter> filters;
    std::vector<MailPolicy> policies;

    // The policy for one recipient whose sender side was checked before; null: none.
    const MailPolicy* find(const MessageFacts& facts, const std::vector<bool>& sender_matches,
                           const std::string& recipient) const;
    void apply_filters(const MailPolicy& policy, const MessageFacts& facts,
                       PolicyDecision& decision, std::vector<FilterLook>* looks) const;
};

const MailPolicy* PolicyTable::State::find(const MessageFacts& facts,
                                           const std::vector<bool>& sender_matches,
                                           const std::string& recipient) const {
    for (std::size_t i = 0; i < policies.size(); ++i) {
        const MailPolicy& policy = policies[i];
        if (!sender_matches[i] || !policy.applies(facts.direction())) continue;
        if (any_matches(policy.recipients, recipient) &&
            !any_matches(policy.not_recipients, recipient))
            return &policy;
    }
    return nullptr;
}

void PolicyTable::State::apply_filters(const MailPolicy& policy, const MessageFacts& facts,
                                       PolicyDecision& decision,
                                       std::vector<FilterLook>* looks) const {
    for (const ContentFilter* filter : policy.filters) {
        if (filter->direction != facts.direction()) continue;  // DEFAULT may name both kinds
        const bool holds = !filter->condition || evaluate(*filter->condition, facts);
        if (looks) looks->push_back(look_at(policy.name, *filter, facts, holds));
        if (!holds) continue;
        for (const FilterAction& action : filter->actions) {
            decision.content_filter = filter->name;
            decision.profile = action.arguments[0];
            decision.deferred = action.row->id == ActionId::smime_gateway_deferred;
            if (action.row->final) return;
        }
    }
}

PolicyTable::PolicyTable() : state_(std::make_unique<State>()) {}
PolicyTable::~PolicyTable() = default;

std::shared_ptr<const PolicyTable> PolicyTable::compile(const Config& config,
                                                        Complaints& complaints) {
    std::shared_ptr<PolicyTable> table(new PolicyTable());
    Compiler compiler(config, complaints);
    for (const ContentFilterOptions& options : config.content_filters)
        table->state_->filters.emplace(options.name, compiler.compile(options));
    for (const MailPolicyOptions& options : config.mail_policies) {
        MailPolicy& policy = table->state_->policies.emplace_back();
        policy.name = options.name;
        policy.direction = options.direction;
        policy.any_direction = options.any_direction;
        policy.senders = patterns(options.senders);
        policy.recipients = patterns(options.recipients);
        policy.not_senders = patterns(options.not_senders);
        policy.not_recipients = patterns(options.not_recipients);
        for (const std::string& name : options.content_filters)
            if (const auto filter = table->state_->filters.find(name);
                filter != table->state_->filters.end())
                policy.filters.push_back(&filter->second);
    }
    return table;
}

std::vector<PolicyDecision> PolicyTable::decide(const MessageFacts& facts,
                                                std::vector<FilterLook>* looks) const {
    const auto& policies = state_->policies;
    std::vector<bool> sender_matches(policies.size());
    for (std::size_t i = 0; i < policies.size(); ++i)
        sender_matches[i] = any_sender_matches(policies[i].senders, facts) &&
                            !any_sender_matches(policies[i].not_senders, facts);

    const auto& recipients = facts.recipients();
    std::map<const MailPolicy*, PolicyDecision> taken;
    for (std::size_t rid = 0; rid < recipients.size(); ++rid)
        taken[state_->find(facts, sender_matches, recipients[rid])].recipients.push_back(rid);

    std::vector<PolicyDecision> decisions;
    for (const MailPolicy& policy : policies) {
        const auto part = taken.find(&policy);
        if (part == taken.end()) continue;
        part->second.policy = policy.name;
        state_->apply_filters(policy, facts, part->second, looks);
        decisions.push_back(std::move(part->second));
    }
    if (const auto rest = taken.find(nullptr); rest != taken.end()) {
        rest->second.policy = "DEFAULT";
        decisions.push_back(std::move(rest->second));
    }
    return decisions;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/explain.h"

#include <algorithm>
#include <set>

#include "core/text.h"
#include "smtp/destination_queue.h"
#include "smtp/path.h"

namespace sealgate {
namespace {

constexpr std::size_t recipients_max = 1000;
constexpr std::size_t considered_max = 10;
constexpr int considered_pages_max = 8;  // a page costs the loop about a millisecond

std::string_view without_brackets(std::string_view text) {
    if (text.size() >= 2 && text.front() == '<' && text.back() == '>')
        return text.substr(1, text.size() - 2);
    return text;
}

// The name of a "Name: value" that can stand in a header as one line; empty: it is none.
std::string field_name(std::string_view field) {
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos || colon == 0) return "";
    const bool clean = std::all_of(field.begin(), field.end(), [](char c) {
        return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    });
    const std::string_view name = field.substr(0, colon);
    const bool visible =
        std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    return clean && visible ? std::string(name) : "";
}

class QuestionMaker {
public:
    QuestionMaker(const ExplainWords& words, std::string* why) : words_(words), why_(why) {}

    Result<ExplainQuestion> make(MessageOrigin origin) {
        ExplainQuestion question;
        question.origin = std::move(origin);
        const std::string_view sender = without_brackets(words_.from);
        if (!sender.empty()) TRY(check(sender));
        question.envelope.sender = sender;
        for (const auto* list : {&words_.to, &words_.bcc}) TRY(add(*list, question.envelope));
        if (question.envelope.recipients.empty()) return refuse("there is no recipient");
        if (question.envelope.recipients.size() > recipients_max)
            return refuse("there are more than 1000 recipients");
        const std::string text = TRY(header_text(sender));
        question.header = Header::parse(Chunk::copy_of(text));
        return question;
    }

private:
    tl::unexpected<Error> refuse(const std::string& why) {
        if (why_) *why_ = why;
        return malformed("not a message that could be explained");
    }
    Result<void> check(std::string_view address) {
        bool non_ascii = false;
        if (is_mailbox(address, &non_ascii)) return {};
        return refuse(in_quotes(address) + " is not an address");
    }
    Result<void> add(const std::vector<std::string>& addresses, Envelope& envelope) {
        for (const std::string& text : addresses) {
            const std::string_view address = without_brackets(text);
            TRY(check(address));
            envelope.recipients.emplace_back().address = address;
        }
        return {};
    }
    Result<std::string> header_text(std::string_view sender) {
        std::string text;
        std::set<std::string> given;
        for (const std::string& field : words_.fields) {
            const std::string name = field_name(field);
            if (name.empty()) return refuse(in_quotes(field) + " is not a header field");
            given.insert(lower_case(name));
            text += field + "\r\n";
        }
        const auto add = [&](const char* name, const std::string& value) {
            if (!value.empty() && !given.contains(lower_case(name)))
                text += std::string(name) + ": " + value + "\r\n";
        };
        std::string to;
        for (const std::string& address : words_.to)
            to += (to.empty() ? "<" : ", <") + std::string(without_brackets(address)) + ">";
        if (field_name("Subject: " + words_.subject).empty())
            return refuse("the subject is not one line of text");
        add("From", sender.empty() ? "" : "<" + std::string(sender) + ">");
        add("To", to);
        add("Subject", words_.subject);
        return text + "\r\n";
    }

    const ExplainWords& words_;
    std::string* why_;
};

}  // namespace

Result<ExplainQuestion> make_question(const ExplainWords& words, MessageOrigin origin,
                                      std::string* why) {
    return QuestionMaker(words, why).make(std::move(origin));
}

Explainer::Explainer(KeySources sources, GatewayStatePtr state, ExplainQuestion question,
                     std::int64_t wall_seconds)
    : sources_(sources),
      state_(std::move(state)),
      question_(std::move(question)),
      wall_seconds_(wall_seconds) {}

bool Explainer::start(std::function<void()> done) {
    const HeaderFacts facts(question_.header, question_.envelope, question_.origin);
    // A table of our own: asking must not give a host its turn.
    RouteTable routes(state_->config);
    for (const Recipient& recipient : question_.envelope.recipients)
        explanation_.routes.push_back(
            routes.find(destination_of(recipient.address, state_->config->gateway.hostname)));
    for (PolicyDecision& decision : state_->policies->decide(facts, &explanation_.looks))
        explanation_.decided.push_back({std::move(decision), {}, {}});
    // What is deferred is planned at delivery, by the same planner.
    for (const Explanation::Decided& one : explanation_.decided) {
        planners_.push_back(std::make_unique<OutgoingPlanner>(
            sources_, *state_, question_.header, question_.envelope, one.decision.profile,
            one.decision.recipients, wall_seconds_));
        const bool planned = planners_.back()->start([this, done] {
            if (--plans_pending_ == 0) done();
        });
        if (!planned) ++plans_pending_;
    }
    return plans_pending_ == 0;
}

Explanation Explainer::take() {
    for (std::size_t i = 0; i < planners_.size(); ++i) {
        explanation_.decided[i].keys = planners_[i]->key_answers();
        explanation_.decided[i].parts = planners_[i]->take_parts();
    }
    planners_.clear();
    return std::move(explanation_);
}

std::vector<KeyConsidered> keys_considered(KeyRing& ring, const std::string& address,
                                           std::int64_t wall_seconds) {
    std::vector<KeyConsidered> considered;
    const auto judge = [&](KeyConsidered key) {
        key.covers = key.certificate->covers(address);
        key.reason = usable_for_encryption(*key.certificate, wall_seconds);
        considered.push_back(std::move(key));
    };
    const std::string domain = lower_case(address_domain(address));
    for (const std::string& owner : {lower_case(address), "@" + domain})
        if (auto key = ring.harvested(owner))
            judge({RecipientKey::Source::harvested, key->owner, key->certificate});
    std::set<std::string> seen;
    const std::size_t dot = domain.find('.');
    const std::string parent = dot == std::string::npos ? domain : "*" + domain.substr(dot);
    for (const std::string& search : {lower_case(address), domain, parent}) {
        std::optional<std::string> after = "";
        for (int page = 0; after && page < considered_pages_max; ++page) {
            auto listed = ring.list_manual(search, *after, considered_max);
            for (KeyRing::Manual& key : listed.rows)
                if (considered.size() < considered_max && seen.insert(key.name).second)
                    judge({RecipientKey::Source::manual, key.name, key.certificate});
            after = listed.next;
        }
    }
    return considered;
}

}  // namespace sealgate

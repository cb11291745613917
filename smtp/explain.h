// SPDX-License-Identifier: GPL-3.0-or-later
// What would become of a message: `sealgate explain`, as a value.
//
// The message is made up of a sender, recipients and header fields; then the very parts that decide
// for real mail decide here: PolicyTable, OutgoingPlanner, RouteTable. No rule is written twice, so
// that what is said cannot differ from what is done. Nothing is sent, stored or logged. Loop
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "smtp/header_facts.h"
#include "smtp/outgoing.h"
#include "smtp/routes.h"

namespace sealgate {

// How a message is described; addresses with or without angle brackets.
struct ExplainWords {
    std::string from;              // envelope and From; empty or "<>": the null sender
    std::vector<std::string> to;   // in the To field
    std::vector<std::string> bcc;  // in no field
    std::string subject;
    std::vector<std::string> fields;  // "Name: value"; one that is given here replaces ours
};

struct ExplainQuestion {
    Envelope envelope;
    Header header;
    MessageOrigin origin;
};

// `why` says what is no address or no header field.
Result<ExplainQuestion> make_question(const ExplainWords& words, MessageOrigin origin,
                                      std::string* why);

struct Explanation {
    struct Decided {
        PolicyDecision decision;
        std::vector<OutgoingPart> parts;
        std::vector<KeyAnswer> keys;  // for decision.recipients; empty: none were wanted
    };
    std::vector<Decided> decided;   // each recipient is in one of them
    std::vector<FilterLook> looks;  // of all decisions
    std::vector<Route> routes;      // by recipient
};

class Explainer {
public:
    Explainer(KeySources sources, GatewayStatePtr state, ExplainQuestion question,
              std::int64_t wall_seconds);

    // As OutgoingPlanner::start(): true, or `done` is called once, later.
    bool start(std::function<void()> done);
    Explanation take();

    const ExplainQuestion& question() const { return question_; }
    const GatewayState& state() const { return *state_; }

private:
    KeySources sources_;
    GatewayStatePtr state_;
    ExplainQuestion question_;
    std::int64_t wall_seconds_;
    Explanation explanation_;
    std::vector<std::unique_ptr<OutgoingPlanner>> planners_;
    std::size_t plans_pending_ = 0;
};

// Local keys that an operator may have meant, and why each is none for the address: those that
// cover it, and those of its domain. A bounded look, so perhaps not all.
struct KeyConsidered {
    RecipientKey::Source source{};
    std::string name;  // of a manual key; the owner of a harvested one
    CertificatePtr certificate;
    bool covers = false;
    Reason reason = Reason::ok;  // why it cannot be used, when it covers
};
std::vector<KeyConsidered> keys_considered(KeyRing& ring, const std::string& address,
                                           std::int64_t wall_seconds);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Mail policies and content filters: what happens to a message, per recipient.
//
// A recipient takes the first mail policy (in the order of the file, DEFAULT last) whose senders
// and recipients match; one part of the message is made per policy that took some recipients. The
// policy's content filters then run in order; an action that is final ends them. Compiled once per
// configuration, immutable, shared. spec/policy.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/complaint.h"
#include "core/config.h"

namespace sealgate {

// What of a message's S/MIME rules may ask (spec/smime.md, Incoming 8).
struct SmimeFacts {
    bool is_message = false;    // smime-gateway-message: the root is, or was, S/MIME
    bool verified = false;      // smime-gateway-verified: every layer was decrypted or verified
    bool is_signed = false;     // signed, encrypted: a layer is, or was; of a message that was not
    bool is_encrypted = false;  // opened, what its root says
};

// What rules may ask about a message at the end of its header; of a message whose S/MIME layers are
// opened, at its end. Loop thread.
class MessageFacts {
public:
    virtual ~MessageFacts() = default;
    virtual Direction direction() const = 0;
    virtual std::string_view envelope_sender() const = 0;
    virtual const std::vector<std::string>& from_addresses() const = 0;  // addr-specs of From
    virtual const std::vector<std::string>& recipients() const = 0;      // envelope, in RID order
    virtual std::string subject() const = 0;                             // decoded
    // Values of all fields of that name, unfolded and decoded, in order.
    virtual std::vector<std::string> header(std::string_view name) const = 0;
    virtual const IpAddress& remote_ip() const = 0;
    virtual std::string_view listener() const = 0;
    virtual std::string_view sender_group() const = 0;
    virtual SmimeFacts smime() const = 0;
};

// One part of the message: some recipients, and what to do for them.
struct PolicyDecision {
    std::string policy;                   // the mail policy's name; "DEFAULT" when none matched
    std::vector<std::size_t> recipients;  // indexes (RIDs), ascending
    std::string content_filter;           // the filter whose action decided; empty: none did
    std::string profile;    // smime-gateway("profile") or the deferred one; empty: relayed as it is
    bool deferred = false;  // S/MIME is done at delivery: smime-gateway-deferred("profile")
};

// How one content filter of a policy was looked at, for people who ask why.
struct FilterLook {
    std::string policy;
    std::string filter;
    std::string condition;  // as written; empty: always
    bool holds = false;
    struct Rule {
        std::string text;  // of the condition, such as `subject == "re"`
        bool holds = false;
    };
    std::vector<Rule> rules;  // of the condition, in order
};

class PolicyTable {
public:
    // Parses every condition and action; what is wrong in them is a complaint with its column.
    static std::shared_ptr<const PolicyTable> compile(const Config& config, Complaints& complaints);
    ~PolicyTable();

    // Covers every recipient exactly once; in the order of the policies. `looks`, if wanted: every
    // filter that was looked at, in order; those behind a final action were not.
    std::vector<PolicyDecision> decide(const MessageFacts& facts,
                                       std::vector<FilterLook>* looks = nullptr) const;

private:
    PolicyTable();
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/explain_report.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "smtp/key_report.h"

namespace sealgate {
namespace {

using nlohmann::json;
using Kind = OutgoingPlan::Kind;

// Looking for keys that an operator may have meant takes milliseconds each time.
constexpr int closer_looks_max = 5;

const char* to_word(Kind kind) {
    switch (kind) {
    case Kind::relay: return "relay";
    case Kind::seal: return "seal";
    case Kind::bounce: return "bounce";
    case Kind::drop: return "drop";
    case Kind::wait: return "wait";
    }
    return "";
}

const char* to_word(SmimeNote note) {
    switch (note) {
    case SmimeNote::none: return "";
    case SmimeNote::already_smime: return "already-smime";
    case SmimeNote::left_clear: return "left-clear";
    }
    return "";
}

const char* to_word(SendingProfileOptions::MissingKey missing) {
    switch (missing) {
    case SendingProfileOptions::MissingKey::bounce: return "bounce";
    case SendingProfileOptions::MissingKey::drop: return "drop";
    case SendingProfileOptions::MissingKey::split: return "split";
    }
    return "";
}

// What the certificate is, by the words of `sealgate key`.
json certificate_json(const CertificatePtr& certificate, const SmimeCapabilities& capabilities) {
    json row = to_json(KeyRing::Manual{"", certificate, capabilities});
    row.erase("name");
    return row;
}

json to_json(const RecipientKey& key) {
    json row = certificate_json(key.certificate, key.capabilities);
    row["source"] = to_text(key.source);
    row["match"] = to_text(key.match);
    row["name"] = key.name;
    return row;
}

json to_json(const Route& route) {
    switch (route.kind) {
    case Route::Kind::mx: return {{"kind", "mx"}};
    case Route::Kind::discard: return {{"kind", "discard"}};
    case Route::Kind::hosts: break;
    }
    json hosts = json::array();
    for (const RouteHost& host : route.hosts)
        hosts.push_back({{"host", host.host}, {"port", host.port}, {"priority", host.priority}});
    return {{"kind", "hosts"}, {"hosts", std::move(hosts)}};
}

json to_json(const FilterLook& look) {
    json rules = json::array();
    for (const FilterLook::Rule& rule : look.rules)
        rules.push_back({{"text", rule.text}, {"holds", rule.holds}});
    return {{"policy", look.policy},
            {"filter", look.filter},
            {"condition", look.condition},
            {"holds", look.holds},
            {"rules", std::move(rules)}};
}

json to_json(const KeyConsidered& key) {
    std::string why_not = "it is not for this address";
    if (key.covers)
        why_not = key.reason == Reason::ok ? "key-sources does not name local"
                                           : why_not_usable(*key.certificate, key.reason);
    return {{"source", to_text(key.source)},
            {"name", key.name},
            {"subject", key.certificate->subject()},
            {"serial", key.certificate->serial()},
            {"covers", key.covers},
            {"reason", sealgate::to_word(key.reason)},
            {"why_not", std::move(why_not)}};
}

std::string transport_of(const EncryptRecipient& recipient) {
    if (recipient.certificate->key_kind() != KeyKind::rsa) return "ecdh";
    return recipient.transport == RsaTransport::oaep ? "rsa-oaep" : "rsa-pkcs1";
}

// The layers, from the inside out.
std::string does(const OutgoingPlan& plan) {
    if (plan.kind != Kind::seal) return "";
    std::string text = plan.sign ? "signed" : "";
    if (plan.encrypt) text += text.empty() ? "encrypted" : ", encrypted";
    if (plan.sign_outside) text += ", signed";
    return text;
}

class Report {
public:
    Report(const Explanation& explanation, const Explainer& explainer, KeyRing& ring,
           std::int64_t wall_seconds)
        : explanation_(explanation),
          question_(explainer.question()),
          state_(explainer.state()),
          ring_(ring),
          wall_seconds_(wall_seconds) {}

    json make() {
        json rows(question_.envelope.recipients.size(), json());
        json signing = json::array(), filters = json::array();
        for (const Explanation::Decided& decided : explanation_.decided) {
            for (const OutgoingPart& part : decided.parts) add_part(decided, part, rows);
            if (json signer = signer_of(decided); !signer.is_null())
                signing.push_back(std::move(signer));
        }
        for (const FilterLook& look : explanation_.looks) filters.push_back(to_json(look));
        const bool outgoing = question_.origin.direction == Direction::outgoing;
        return {{"ok", true},
                {"would_fail", would_fail_},
                {"direction", outgoing ? "outgoing" : "incoming"},
                {"from", question_.envelope.sender},
                {"recipients", std::move(rows)},
                {"signing", std::move(signing)},
                {"filters", std::move(filters)}};
    }

private:
    const std::string& address(std::size_t rid) const {
        return question_.envelope.recipients[rid].address;
    }
    const SendingProfileOptions* profile_of(const Explanation::Decided& decided) const {
        const std::string& name = decided.decision.profile;
        return name.empty() ? nullptr : &state_.config->sending_profiles.at(name);
    }

    void add_part(const Explanation::Decided& decided, const OutgoingPart& part, json& rows) {
        would_fail_ = would_fail_ || part.plan.kind == Kind::bounce || part.plan.kind == Kind::drop;
        json together = json::array();
        for (const std::size_t rid : part.recipients) together.push_back(address(rid));
        for (std::size_t i = 0; i < part.recipients.size(); ++i) {
            const std::size_t rid = part.recipients[i];
            json& row = rows[rid] = row_of(decided, part.plan, rid);
            row["envelope"] = together;
            if (part.plan.encrypt) add_encryption(part, i, row);
            add_key(decided, rid, row);
            if (part.plan.reason == Reason::no_key && !row.contains("no_key"))
                row["sentence"] = "no key for another recipient";
        }
    }

    json row_of(const Explanation::Decided& decided, const OutgoingPlan& plan,
                std::size_t rid) const {
        json row = {{"address", address(rid)},
                    {"policy", decided.decision.policy},
                    {"content_filter", decided.decision.content_filter},
                    {"deferred", decided.decision.deferred},
                    {"profile", decided.decision.profile},
                    {"outcome", to_word(plan.kind)},
                    {"does", does(plan)},
                    {"reason", sealgate::to_word(plan.reason)},
                    {"route", to_json(explanation_.routes[rid])}};
        if (const SendingProfileOptions* profile = profile_of(decided))
            row["mode"] = to_text(profile->mode);
        if (plan.reason != Reason::ok) row["sentence"] = to_sentence(plan.reason);
        if (plan.note != SmimeNote::none) row["note"] = to_word(plan.note);
        return row;
    }

    // The planner puts the recipients' certificates in their order, and its own behind them.
    static void add_encryption(const OutgoingPart& part, std::size_t position, json& row) {
        const EncryptPlan& encrypt = *part.plan.encrypt;
        row["cipher"] = to_text(encrypt.cipher);
        row["key_transport"] = transport_of(encrypt.recipients[position]);
        row["to_self"] = encrypt.recipients.size() > part.recipients.size();
    }

    void add_key(const Explanation::Decided& decided, std::size_t rid, json& row) {
        if (decided.keys.empty()) return;
        const auto& rids = decided.decision.recipients;
        const auto position = std::find(rids.begin(), rids.end(), rid) - rids.begin();
        const KeyAnswer& answer = decided.keys[static_cast<std::size_t>(position)];
        row["key_search"] = answer.why;
        if (answer.outcome == KeyAnswer::Outcome::found) row["key"] = to_json(answer.key);
        if (answer.outcome != KeyAnswer::Outcome::none) return;
        row["no_key"] = {{"missing_key", to_word(profile_of(decided)->missing_key)},
                         {"considered", json::array()}};
        if (closer_looks_++ >= closer_looks_max) return;
        for (const KeyConsidered& key : keys_considered(ring_, address(rid), wall_seconds_))
            row["no_key"]["considered"].push_back(to_json(key));
    }

    json signer_of(const Explanation::Decided& decided) const {
        const SendingProfileOptions* profile = profile_of(decided);
        if (!profile || profile->mode == SendingProfileOptions::Mode::encrypt) return nullptr;
        Reason reason = Reason::ok;
        for (const OutgoingPart& part : decided.parts) {
            if (part.plan.note == SmimeNote::already_smime) return nullptr;
            if (part.plan.kind == Kind::bounce && part.plan.reason != Reason::no_key)
                reason = part.plan.reason;
        }
        json row = {{"profile", profile->name},
                    {"certificate", profile->certificate},
                    {"reason", sealgate::to_word(reason)},
                    {"sentence", to_sentence(reason)}};
        const IdentityPtr identity = state_.identities->find(profile->certificate);
        if (!identity) return row;
        const json told = certificate_json(identity->leaf, {});
        for (const char* name : {"subject", "serial", "not_before", "not_after"})
            row[name] = told[name];
        row["covers"] = told["emails"];
        for (const json& domain : told["domains"])
            row["covers"].push_back("@" + domain.get<std::string>());
        return row;
    }

    const Explanation& explanation_;
    const ExplainQuestion& question_;
    const GatewayState& state_;
    KeyRing& ring_;
    std::int64_t wall_seconds_;
    bool would_fail_ = false;
    int closer_looks_ = 0;
};

}  // namespace

json to_json(const Explanation& explanation, const Explainer& explainer, KeyRing& ring,
             std::int64_t wall_seconds) {
    return Report(explanation, explainer, ring, wall_seconds).make();
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/outgoing.h"

#include <algorithm>

#include "smtp/addresses.h"
#include "smtp/smime_kind.h"

namespace sealgate {
namespace {

using Kind = OutgoingPlan::Kind;
using Mode = SendingProfileOptions::Mode;
using MissingKey = SendingProfileOptions::MissingKey;
using PerRecipient = SendingProfileOptions::PerRecipient;

// The address that the signing certificate must cover; empty when the message has not exactly one.
std::string sender_to_cover(const SendingProfileOptions& profile, const Header& header,
                            const Envelope& envelope) {
    if (profile.sender_match == SendingProfileOptions::SenderMatch::envelope)
        return envelope.sender;
    return sole_from_address(header).value_or("");
}

SignPlan sign_plan(const SendingProfileOptions& profile, IdentityPtr identity,
                   std::int64_t wall_seconds) {
    SignPlan plan;
    plan.identity = std::move(identity);
    plan.sign_mode = profile.sign_mode;
    plan.digest = profile.digest;
    plan.scheme = profile.scheme;
    plan.include_chain = profile.include_chain;
    plan.signing_time = wall_seconds;
    return plan;
}

RsaTransport rsa_transport(SendingProfileOptions::KeyTransport wanted, const RecipientKey& key) {
    switch (wanted) {
    case SendingProfileOptions::KeyTransport::rsa_pkcs1: return RsaTransport::pkcs1;
    case SendingProfileOptions::KeyTransport::rsa_oaep: return RsaTransport::oaep;
    case SendingProfileOptions::KeyTransport::automatic: break;
    }
    return key.capabilities.rsa_oaep ? RsaTransport::oaep : RsaTransport::pkcs1;
}

EncryptPlan encrypt_plan(const SendingProfileOptions& profile,
                         const std::vector<const RecipientKey*>& keys, const Identity* self) {
    EncryptPlan plan;
    std::vector<SmimeCapabilities> capabilities;
    for (const RecipientKey* key : keys) {
        capabilities.push_back(key->capabilities);
        plan.recipients.push_back({key->certificate, rsa_transport(profile.key_transport, *key)});
    }
    if (profile.encrypt_to_self && self) {
        const bool oaep = profile.key_transport == SendingProfileOptions::KeyTransport::rsa_oaep;
        plan.recipients.push_back({self->leaf, oaep ? RsaTransport::oaep : RsaTransport::pkcs1});
    }
    plan.cipher = choose_cipher(profile.cipher, capabilities);
    return plan;
}

// Domains have no case; local parts have one that nobody uses.
bool same_address(std::string_view a, std::string_view b) { return equal_ignoring_case(a, b); }

bool signs(Mode mode) { return mode != Mode::encrypt; }

}  // namespace

const char* to_text(Mode mode) {
    switch (mode) {
    case Mode::sign: return "sign";
    case Mode::encrypt: return "encrypt";
    case Mode::sign_encrypt: return "sign-encrypt";
    case Mode::triple: return "triple";
    }
    return "";
}

SmimeRoot smime_root(const ContentType& type) {
    if (is_pkcs7_mime(type)) {
        const std::string kind = lower_case(type.parameter("smime-type"));
        if (kind == "enveloped-data" || kind == "authenveloped-data") return SmimeRoot::encrypted;
        return kind == "signed-data" ? SmimeRoot::is_signed : SmimeRoot::other;
    }
    if (!type.is("multipart", "signed")) return SmimeRoot::none;
    return is_pkcs7_signature(type.parameter("protocol")) ? SmimeRoot::is_signed : SmimeRoot::none;
}

OutgoingPlan waiting_plan(const GatewayState& state, const std::string& profile) {
    OutgoingPlan plan;
    plan.kind = Kind::wait;
    plan.profile = profile;
    plan.mode = state.config->sending_profiles.at(profile).mode;
    return plan;
}

OutgoingPlanner::OutgoingPlanner(KeySources sources, const GatewayState& state,
                                 const Header& header, const Envelope& envelope,
                                 std::string profile, std::vector<std::size_t> recipients,
                                 std::int64_t wall_seconds)
    : sources_(sources),
      state_(state),
      header_(header),
      envelope_(envelope),
      profile_name_(std::move(profile)),
      recipients_(std::move(recipients)),
      wall_seconds_(wall_seconds) {
    if (!profile_name_.empty()) profile_ = &state.config->sending_profiles.at(profile_name_);
}

bool OutgoingPlanner::encrypts() const { return profile_ && profile_->mode != Mode::sign; }

bool OutgoingPlanner::start(std::function<void()> done) {
    const SmimeRoot root = profile_ ? smime_root(header_.content_type()) : SmimeRoot::none;
    // What is signed already is not signed again, but its text must not leave where the profile
    // wants it encrypted.
    if (root == SmimeRoot::encrypted || (root != SmimeRoot::none && !encrypts())) {
        parts_.push_back(part(Kind::relay, recipients_));
        parts_.back().plan.note = SmimeNote::already_smime;
        return true;
    }
    if (!profile_) {
        parts_.push_back(part(Kind::relay, recipients_));
        return true;
    }
    if (signs(profile_->mode) && !sign_or_bounce()) return true;
    if (root != SmimeRoot::none) sign_.reset();
    if (!encrypts()) {
        parts_.push_back(part(Kind::seal, recipients_));
        return true;
    }
    std::vector<std::string> addresses;
    for (const std::size_t index : recipients_)
        addresses.push_back(envelope_.recipients[index].address);
    search_ =
        std::make_unique<KeySearch>(sources_.ring, sources_.directories, profile_->key_sources,
                                    std::move(addresses), wall_seconds_);
    const bool found = search_->start([this, done = std::move(done)] {
        divide();
        done();
    });
    if (found) divide();
    return found;
}

std::vector<OutgoingPart> OutgoingPlanner::take_parts() { return std::move(parts_); }

std::vector<KeyAnswer> OutgoingPlanner::key_answers() const {
    return search_ ? search_->answers() : std::vector<KeyAnswer>();
}

bool OutgoingPlanner::sign_or_bounce() {
    const IdentityPtr identity = state_.identities->find(profile_->certificate);
    const bool check_sender = profile_->sender_match != SendingProfileOptions::SenderMatch::off;
    const Reason reason =
        may_sign_for(identity.get(), sender_to_cover(*profile_, header_, envelope_), check_sender,
                     wall_seconds_);
    if (reason != Reason::ok) {
        parts_.push_back(part(Kind::bounce, recipients_));
        parts_.back().plan.reason = reason;
        return false;
    }
    sign_ = sign_plan(*profile_, identity, wall_seconds_);
    if (profile_->mode == Mode::triple) sign_outside_ = sign_;
    return true;
}

OutgoingPart OutgoingPlanner::part(Kind kind, std::vector<std::size_t> recipients) const {
    OutgoingPart made;
    made.recipients = std::move(recipients);
    made.plan.kind = kind;
    made.plan.profile = profile_name_;
    if (profile_) made.plan.mode = profile_->mode;
    if (kind == Kind::seal) made.plan.sign = sign_;
    return made;
}

// All answers are there: who can be encrypted for, together and alone, and who cannot.
void OutgoingPlanner::divide() {
    const std::vector<KeyAnswer>& answers = search_->answers();
    std::vector<std::size_t> together, alone, without;
    if (profile_->envelope_per_recipient == PerRecipient::hidden_only) {
        for (const char* field : {"To", "Cc", "Resent-To", "Resent-Cc"})
            for (std::string& address : addresses_of(header_, field).list.addresses)
                shown_.push_back(std::move(address));
    }
    for (std::size_t i = 0; i < recipients_.size(); ++i) {
        const KeyAnswer& answer = answers[i];
        if (answer.outcome == KeyAnswer::Outcome::temporary) {
            parts_.assign(1, part(Kind::wait, recipients_));
            parts_.front().plan.why = answer.why;
            return;
        }
        if (answer.outcome == KeyAnswer::Outcome::none)
            without.push_back(i);
        else if (is_hidden(envelope_.recipients[recipients_[i]].address))
            alone.push_back(i);
        else
            together.push_back(i);
    }
    if (!without.empty() && profile_->missing_key != MissingKey::split)
        return add_without_keys(std::move(without));
    if (!together.empty()) add_encrypted(std::move(together));
    for (const std::size_t i : alone) add_encrypted({i});
    if (!without.empty()) add_without_keys(std::move(without));
}

// `positions`: in recipients_ and in the answers.
void OutgoingPlanner::add_encrypted(std::vector<std::size_t> positions) {
    std::vector<const RecipientKey*> keys;
    std::vector<std::size_t> recipients;
    for (const std::size_t i : positions) {
        keys.push_back(&search_->answers()[i].key);
        recipients.push_back(recipients_[i]);
    }
    const IdentityPtr self = state_.identities->find(profile_->certificate);
    OutgoingPart made = part(Kind::seal, std::move(recipients));
    made.plan.encrypt = encrypt_plan(*profile_, keys, self.get());
    made.plan.sign_outside = sign_outside_;
    parts_.push_back(std::move(made));
}

// spec/smime.md, Outgoing 6. Bounce and drop take the whole message with them.
void OutgoingPlanner::add_without_keys(std::vector<std::size_t> positions) {
    std::vector<std::size_t> recipients;
    for (const std::size_t i : positions) recipients.push_back(recipients_[i]);
    if (profile_->missing_key == MissingKey::split) {
        OutgoingPart made = part(sign_ ? Kind::seal : Kind::relay, std::move(recipients));
        made.plan.note = SmimeNote::left_clear;
        made.plan.mode = sign_ ? Mode::sign : profile_->mode;
        parts_.push_back(std::move(made));
        return;
    }
    const bool bounce = profile_->missing_key == MissingKey::bounce;
    parts_.assign(1, part(bounce ? Kind::bounce : Kind::drop, recipients_));
    parts_.front().plan.reason = Reason::no_key;
    parts_.front().without_key = std::move(recipients);
}

bool OutgoingPlanner::is_hidden(const std::string& address) const {
    switch (profile_->envelope_per_recipient) {
    case PerRecipient::always: return true;
    case PerRecipient::never: return false;
    case PerRecipient::hidden_only: break;
    }
    return std::none_of(shown_.begin(), shown_.end(),
                        [&](const std::string& shown) { return same_address(shown, address); });
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/outgoing.h"

#include "smtp/addresses.h"

namespace sealgate {
namespace {

// The address that the signing certificate must cover; empty when the message has not exactly one.
std::string sender_to_cover(const SendingProfileOptions& profile, const Header& header,
                            const Envelope& envelope) {
    if (profile.sender_match == SendingProfileOptions::SenderMatch::envelope)
        return envelope.sender;
    return sole_from_address(header).value_or("");
}

}  // namespace

bool is_smime(const ContentType& type) {
    if (type.is("application", "pkcs7-mime") || type.is("application", "x-pkcs7-mime")) return true;
    if (!type.is("multipart", "signed")) return false;
    const std::string protocol = lower_case(type.parameter("protocol"));
    return protocol == "application/pkcs7-signature" || protocol == "application/x-pkcs7-signature";
}

OutgoingPlan plan_outgoing(const GatewayState& state, const std::string& profile_name,
                           const Header& header, const Envelope& envelope,
                           std::int64_t wall_seconds) {
    OutgoingPlan plan;
    plan.profile = profile_name;
    if (profile_name.empty()) return plan;
    if (is_smime(header.content_type())) {
        plan.already_smime = true;
        return plan;
    }
    const SendingProfileOptions& profile = state.config->sending_profiles.at(profile_name);
    const IdentityPtr identity = state.identities->find(profile.certificate);
    const bool check_sender = profile.sender_match != SendingProfileOptions::SenderMatch::off;
    plan.reason = may_sign_for(identity.get(), sender_to_cover(profile, header, envelope),
                               check_sender, wall_seconds);
    if (plan.reason != Reason::ok) {
        plan.kind = OutgoingPlan::Kind::bounce;
        return plan;
    }
    plan.kind = OutgoingPlan::Kind::sign;
    plan.sign.identity = identity;
    plan.sign.sign_mode = profile.sign_mode;
    plan.sign.digest = profile.digest;
    plan.sign.scheme = profile.scheme;
    plan.sign.include_chain = profile.include_chain;
    plan.sign.signing_time = wall_seconds;
    return plan;
}

SplitHeader split_header(const Header& header) {
    SplitHeader split;
    for (const HeaderField& field : header.fields()) {
        const std::string_view name = header.name(field);
        if (name.empty() || equal_ignoring_case(name, "MIME-Version")) continue;
        const bool mime = equal_ignoring_case(name.substr(0, 8), "Content-");
        (mime ? split.inside : split.outside).append(header.slice(field));
    }
    split.inside.append(Chunk::literal("\r\n"));
    return split;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/gateway_state.h"

#include "core/options.h"
#include "crypto/signing_key.h"

namespace sealgate {
namespace {

// A profile's scheme must be one its key can do: rsa-pss with an EC key is found here, not at the
// first message.
void check_algorithms(const GatewayState& state, Complaints& complaints) {
    for (const auto& [name, profile] : state.config->sending_profiles) {
        const IdentityPtr identity = state.identities->find(profile.certificate);
        if (!identity) continue;
        const auto algorithm =
            signature_algorithm_for(identity->key.kind, profile.scheme, profile.digest);
        if (algorithm) continue;
        complaints.push_back({profile.place.file, profile.place.line, 0,
                              "[sending-profile:" + name + "] signature-scheme does not fit the " +
                                  to_text(identity->key.kind) + " key of certificate " +
                                  profile.certificate + ": " + algorithm.error().what});
    }
}

// What a profile encrypts to itself with must be able to.
void check_own_keys(const GatewayState& state, Complaints& complaints) {
    for (const auto& [name, profile] : state.config->sending_profiles) {
        if (!profile.encrypt_to_self || profile.mode == SendingProfileOptions::Mode::sign) continue;
        const IdentityPtr identity = state.identities->find(profile.certificate);
        if (!identity && !profile.certificate.empty()) continue;  // complained of already
        const Reason reason = identity ? identity->leaf->may_encrypt() : Reason::no_certificate;
        if (reason == Reason::ok) continue;
        complaints.push_back(
            {profile.place.file, profile.place.line, 0,
             "[sending-profile:" + name + "] encrypt-to-self: " + to_sentence(reason)});
    }
}

CheckedState check(LoadedConfig loaded, DemoCertificate demo) {
    CheckedState checked;
    checked.complaints = std::move(loaded.complaints);
    checked.warnings = std::move(loaded.warnings);
    if (!loaded.draft) return checked;
    // A draft with complaints is looked at as well, but nothing is made for it.
    const bool make_demo = demo == DemoCertificate::make && checked.complaints.empty();
    auto state = std::make_shared<GatewayState>();
    state->config = loaded.draft;
    state->identities =
        IdentityStore::load(*loaded.draft, make_demo, checked.complaints, checked.warnings);
    check_algorithms(*state, checked.complaints);
    check_own_keys(*state, checked.complaints);
    state->policies = PolicyTable::compile(*loaded.draft, checked.complaints);
    state->trust_smime = TrustAnchors::load(loaded.draft->trust_smime, "[trust:smime]",
                                            checked.complaints, checked.warnings);
    state->crl_files_smime = CrlFiles::load(loaded.draft->trust_smime, "[trust:smime]",
                                            checked.complaints, checked.warnings);
    state->decryption_keys = DecryptionKeys::of(state->identities->all());
    state->directories = DirectoryBook::load(*loaded.draft, checked.complaints);
    if (checked.complaints.empty()) checked.state = std::move(state);
    return checked;
}

}  // namespace

CheckedState check_configuration(const std::string& path, DemoCertificate demo) {
    return check(load_config(path), demo);
}

CheckedState check_configuration_text(const std::string& text, const std::string& name,
                                      DemoCertificate demo) {
    return check(parse_config(text, name), demo);
}

CheckedState check_configuration_texts(const std::vector<ConfigText>& texts, DemoCertificate demo) {
    return check(parse_config(texts), demo);
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/gateway_state.h"

#include "core/options.h"

namespace sealgate {
namespace {

CheckedState check(LoadedConfig loaded, DemoCertificate demo) {
    CheckedState checked;
    checked.complaints = std::move(loaded.complaints);
    checked.warnings = std::move(loaded.warnings);
    if (!loaded.config) return checked;
    auto state = std::make_shared<GatewayState>();
    state->config = loaded.config;
    state->identities = IdentityStore::load(*loaded.config, demo == DemoCertificate::make, checked.complaints,
                                            checked.warnings);
    state->policies = PolicyTable::compile(*loaded.config, checked.complaints);
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

}  // namespace sealgate

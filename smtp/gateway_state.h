// SPDX-License-Identifier: GPL-3.0-or-later
// One configuration in force: the checked options with all that is made of them.
//
// Immutable and shared. A reload makes a new one, whole or not at all; sessions and messages under
// way keep the one they began with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/complaint.h"
#include "core/config.h"
#include "core/policy.h"
#include "crypto/decryption_keys.h"
#include "crypto/identity.h"
#include "crypto/trust_crl_files.h"
#include "crypto/trust_path.h"
#include "smtp/directory_book.h"

namespace sealgate {

struct ConfigText;  // core/options.h

struct GatewayState {
    std::shared_ptr<const Config> config;
    std::shared_ptr<const IdentityStore> identities;
    std::shared_ptr<const PolicyTable> policies;
    std::shared_ptr<const TrustAnchors> trust_smime;
    std::shared_ptr<const CrlFiles> crl_files_smime;
    std::shared_ptr<const DecryptionKeys> decryption_keys;  // of all identities
    DirectoryBookPtr directories;
};
using GatewayStatePtr = std::shared_ptr<const GatewayState>;

struct CheckedState {
    GatewayStatePtr state;  // null when there are complaints
    Complaints complaints;
    Complaints warnings;
};

// Whether the self-signed `demo` certificate is made when it is missing: at a start and a reload it
// is; `config check` writes nothing.
enum class DemoCertificate : std::uint8_t { make, leave };

// Loads and checks everything that a start or a reload needs. Blocks: files, certificates, regular
// expressions. `config check` calls it, too, so that what it passes also starts.
CheckedState check_configuration(const std::string& path, DemoCertificate demo);
// The same for a text, for the built-in configuration of `sealgate run --demo`.
CheckedState check_configuration_text(const std::string& text, const std::string& name,
                                      DemoCertificate demo);
// The same for several texts, as files of a directory: what a change would make of them.
CheckedState check_configuration_texts(const std::vector<ConfigText>& texts, DemoCertificate demo);

}  // namespace sealgate

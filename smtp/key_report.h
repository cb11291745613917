// SPDX-License-Identifier: GPL-3.0-or-later
// Keys of correspondents as the control socket and --json tell them, and why one is refused.
//
// {"name" or "owner", "subject", "issuer", "serial", "self_signed", "emails", "domains", "key",
//  "bits", "not_before", "not_after", "usable": "ok" or a reason word, "capabilities": null when
//  not known, "sha256"}; of harvested ones "signing_time", "last_used" and "verified", too. Any
// thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

#include "crypto/key_ring.h"

namespace sealgate {

nlohmann::json to_json(const KeyRing::Manual& key);
nlohmann::json to_json(const KeyRing::Harvested& key);
std::string pem_of(const Certificate& certificate);

// What usable_for_encryption() found, in a sentence for the operator who wants to add it.
std::string why_not_usable(const Certificate& certificate, Reason reason);

}  // namespace sealgate

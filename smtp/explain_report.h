// SPDX-License-Identifier: GPL-3.0-or-later
// An explanation (smtp/explain.h) as the control socket and --json tell it.
//
// {"ok": true, "would_fail": whether something would bounce or be dropped, "direction", "from",
//  "recipients": [{"address", "policy", "content_filter", "deferred", "profile", "mode",
//      "outcome": "relay" | "seal" | "bounce" | "drop" | "wait", "does": "signed, encrypted",
//      "reason", "sentence", "note", "key", "no_key", "cipher", "key_transport", "to_self",
//      "envelope": all recipients of the same message, "route"}],
//  "signing": [{"profile", "certificate", "subject", "serial", "not_after", "covers", "reason"}],
//  "filters": [{"policy", "filter", "condition", "holds", "rules": [{"text", "holds"}]}]}
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "smtp/explain.h"

namespace sealgate {

nlohmann::json to_json(const Explanation& explanation, const Explainer& explainer, KeyRing& ring,
                       std::int64_t wall_seconds);

}  // namespace sealgate

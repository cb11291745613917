// SPDX-License-Identifier: GPL-3.0-or-later
// An alert as JSON: what webhooks are sent, and what `sealgate alerts --json` lists.
//
// {"alert": "smime.key-updated-often", "severity": "warning", "host", "subject": what it is about,
//  "message": the sentence, "text": "[Warning-HOST] (System) smime.key-updated-often: …" (the
//  member that chat services show), "time": "2026-11-21T19:47:40Z", "number": from 1 since the
//  start, "missed": how many like it were held back since the one before it, "repeated": since it}
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/alerts.h"

namespace sealgate {

nlohmann::json to_json(const Alert& alert);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The verdict on a message in a file, for programs and for people.
//
// {"smime", "verified", "result", "reason", "coverage", "layers": [
//    {"type": "encrypted", "content_type", "cipher", "key_transport", "recipient_serial",
//    "reason"},
//    {"type": "signed", "sign_mode": "detached" | "opaque", "reason", "signers": [
//        {"subject", "serial", "emails", "domains", "digest", "scheme", "signing_time": null where
//        it
//         does not say, "signature", "chain", "identity", "reason"}]},
//    {"type": "other", "content_type", "reason"}]}
//
// "why", on each level, where there is more to say; "identifier" of a signer whose certificate is
// not there. spec/smime.md "The offline tool".
#pragma once

#include <nlohmann/json.hpp>

#include <string>

#include "smtp/smime_file.h"

namespace sealgate {

nlohmann::json to_json(const SmimeFileVerdict& verdict);

// What a person asked for: the first line answers it.
enum class SmimeQuestion : std::uint8_t { verify, decrypt };
std::string smime_report_text(const SmimeFileVerdict& verdict, SmimeQuestion question);

}  // namespace sealgate

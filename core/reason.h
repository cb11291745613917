// SPDX-License-Identifier: GPL-3.0-or-later
// The one stable word for each S/MIME outcome: in log lines, Authentication-Results, metrics, DSNs.
// (spec: "Refusals and reasons".) New words go at the end; none is ever renamed.
#pragma once

#include <cstdint>

namespace sealgate {

enum class Reason : std::uint8_t {
    ok,
    no_key,
    no_certificate,
    sender_mismatch,
    expired,
    not_yet_valid,
    untrusted,
    revoked,
    revocation_unknown,
    bad_key_usage,
    weak_digest,
    weak_key,
    bad_signature,
    bad_digest,
    no_signer,
    no_recipient_info,
    decrypt_failed,
    malformed,
    too_many_layers,
    unsupported_algorithm,
    limit,
};
inline constexpr int reason_count = 21;

const char* to_word(Reason reason);      // "sender-mismatch"
const char* to_sentence(Reason reason);  // for DSNs and people: one sentence, no full stop

}  // namespace sealgate

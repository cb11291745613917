// SPDX-License-Identifier: GPL-3.0-or-later
// The signing stages: a MIME entity in, the signed MIME entity out, as it streams.
//
// Input: one canonical entity (its Content-* fields, a blank line, the body; CRLF line ends only;
// for `detached` 7-bit unless the sender's structure forbids it). Output: the new entity, beginning
// with its own `MIME-Version` and `Content-Type` fields. Detached: RFC 8551 §3.5.3, the content
// passes through unchanged while it is hashed, smime.p7s follows. Opaque: RFC 8551 §3.5.2, BER of
// indefinite length, base64, constant memory. The private-key operation runs on the worker pool
// after finish(); below.finish() is called when the signature has been written, and
// above.on_failed() when it could not be made. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/config.h"
#include "core/stage.h"
#include "core/workers.h"
#include "crypto/identity.h"

namespace sealgate {

// Chosen once per message, at the end of its header.
struct SignPlan {
    IdentityPtr identity;
    SendingProfileOptions::SignMode sign_mode = SendingProfileOptions::SignMode::detached;
    SendingProfileOptions::Digest digest = SendingProfileOptions::Digest::sha256;
    SendingProfileOptions::Scheme scheme = SendingProfileOptions::Scheme::automatic;
    bool include_chain = true;      // up to, not including, the root
    std::int64_t signing_time = 0;  // seconds since 1970
    std::string boundary;  // of a detached signature; empty: 128 random bits (tests fix it)
};

// May `identity` sign for `sender_address` now? (no_certificate, bad_key_usage, weak_key, expired,
// not_yet_valid, sender_mismatch). An empty address is covered by nothing; with `check_sender`
// false it is not looked at.
Reason may_sign_for(const Identity* identity, std::string_view sender_address, bool check_sender,
                    std::int64_t wall_seconds);

std::unique_ptr<Sink> make_sign_stage(SignPlan plan, WorkerPool& workers, Sink& below,
                                      Source& above);

}  // namespace sealgate

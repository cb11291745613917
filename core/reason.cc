// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/reason.h"

namespace sealgate {
namespace {

struct Row {
    const char* word;
    const char* sentence;
};

// In the order of the enumeration.
constexpr Row rows[reason_count] = {
    {"ok", "done"},
    {"no-key", "no usable public key of the recipient is known"},
    {"no-certificate", "the profile's certificate or its private key cannot be used"},
    {"sender-mismatch", "the sender's address is not covered by the signing certificate"},
    {"expired", "the certificate has expired"},
    {"not-yet-valid", "the certificate is not valid yet"},
    {"untrusted", "the certificate does not lead to a trusted authority"},
    {"revoked", "the certificate was revoked"},
    {"revocation-unknown", "the certificate's revocation state could not be learned"},
    {"bad-key-usage", "the certificate may not be used for this"},
    {"weak-digest", "the digest algorithm is too weak"},
    {"weak-key", "the key is too weak"},
    {"bad-signature", "the signature is wrong"},
    {"bad-digest", "the content is not what was signed"},
    {"no-signer", "the message names no signer"},
    {"no-recipient-info", "the message is not encrypted for a key of this gateway"},
    {"decrypt-failed", "the message could not be decrypted"},
    {"malformed", "the S/MIME structure is malformed"},
    {"too-many-layers", "the message has too many S/MIME layers"},
    {"unsupported-algorithm", "the algorithm is not supported"},
    {"limit", "a limit of the gateway was passed"},
};

}  // namespace

const char* to_word(Reason reason) { return rows[static_cast<int>(reason)].word; }
const char* to_sentence(Reason reason) { return rows[static_cast<int>(reason)].sentence; }

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The encrypting stage: a MIME entity in, the enveloped MIME entity out, as it streams.
//
// Input: one entity (its Content-* fields, a blank line, the body); a signing stage above it gives
// one that begins with `MIME-Version`. Output: the new entity, beginning with its own
// `MIME-Version` and `Content-Type: application/pkcs7-mime` fields, in base64: EnvelopedData for
// CBC (RFC 5652 §6), AuthEnvelopedData for GCM (RFC 5083, 5084), BER of indefinite length, constant
// memory. The content is encrypted once, whatever the number of recipients
// (Counter::content_encryptions proves it). Public-key work, and the cipher where it pays, are done
// on the worker pool, in order; until the worker has answered, at most
// limits::encrypt_waiting_bytes_max of content waits here and write() says full. below.finish() is
// called when the last byte has been written, and above.on_failed() when it could not be made. Loop
// thread.
#pragma once

#include <memory>
#include <vector>

#include "core/config.h"
#include "core/stage.h"
#include "core/workers.h"
#include "crypto/certificate.h"
#include "crypto/key_transport.h"
#include "crypto/smime_capabilities.h"

namespace sealgate {

// EC and X25519 keys always use ephemeral-static ECDH (RFC 5753, RFC 8418).
struct EncryptRecipient {
    CertificatePtr certificate;  // Certificate::may_encrypt() is ok
    RsaTransport transport = RsaTransport::pkcs1;
};

// Chosen once per message.
struct EncryptPlan {
    ContentCipher cipher = ContentCipher::aes_256_cbc;
    std::vector<EncryptRecipient>
        recipients;  // at least one; a certificate named twice counts once
};

// What feeds the chain hears of it by `above`. It is also the Source of what is below it: a store
// that has room again tells this stage (on_drain), which passes it on when it has room itself.
class EncryptStage : public Sink, public Source {};

std::unique_ptr<EncryptStage> make_encrypt_stage(EncryptPlan plan, WorkerPool& workers, Sink& below,
                                                 Source& above);

}  // namespace sealgate

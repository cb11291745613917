// SPDX-License-Identifier: GPL-3.0-or-later
// What was found in the S/MIME layers of a message: values, for log, header, filters, harvest,
// JSON.
//
// Filled in by the stages that read (crypto/smime_decrypt.h, crypto/smime_verify.h), put together
// by smtp/smime_reader.h. spec/smime.md "Incoming", "The offline tool".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/reason.h"
#include "crypto/certificate.h"
#include "crypto/smime_capabilities.h"

namespace sealgate {

// One SignerInfo. Each of the three judgements is `ok` or says why not; a judgement that was not
// reached (the signature is bad, so nobody asked for a path) repeats what kept from it.
struct SignerReport {
    CertificatePtr certificate;     // null: neither in the message nor known
    std::string identifier;         // of a certificate that is not there, for people
    std::string digest;             // "sha256"; of unknown ones the dotted OID
    std::string scheme;             // "rsa-pkcs1", "rsa-pss", "ecdsa", "ed25519", or the dotted OID
    std::int64_t signing_time = 0;  // seconds since 1970; 0: it does not say

    Reason signature = Reason::bad_signature;   // are the bytes as they were signed
    Reason chain = Reason::untrusted;           // path, time, usage, revocation
    Reason identity = Reason::sender_mismatch;  // does the certificate cover the sender
    std::string why;                            // for people, of the first that is not ok

    // For harvesting: what it says it reads, and the certificate to encrypt to, when encrypKeyPref
    // names another one that came along (null: its own).
    SmimeCapabilities capabilities;
    CertificatePtr encryption_certificate;
    // Whether that other certificate is trusted (path, time, usage, revocation), judged by itself:
    // the attribute names it by issuer and serial number, and the certificates that come with a
    // message are not signed, so anybody on the way can put in one of those names with a key of his
    // own. What nobody judged is untrusted, and is not harvested from verified mail.
    Reason encryption_chain = Reason::untrusted;

    // The first of the three that is not ok.
    Reason reason() const {
        if (signature != Reason::ok) return signature;
        return chain != Reason::ok ? chain : identity;
    }
};

struct LayerReport {
    enum class Type : std::uint8_t { signed_, encrypted, other };
    Type type = Type::other;
    Reason reason = Reason::malformed;
    std::string why;           // for people; empty when ok. Never says why decryption failed.
    std::string content_type;  // "signedData", "envelopedData", "authEnvelopedData"

    // encrypted
    std::string cipher;            // "aes-256-gcm", "3des-cbc", "rc2-40-cbc", or the dotted OID
    std::string key_transport;     // "rsa-pkcs1", "rsa-oaep", "ecdh"; of our RecipientInfo
    std::string recipient_serial;  // "0A12": of the certificate whose key opened it
    bool weak_cipher = false;      // 3DES, RC2: read, and told

    // signed
    bool detached = false;
    std::vector<SignerReport> signers;
};

}  // namespace sealgate

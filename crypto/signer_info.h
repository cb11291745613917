// SPDX-License-Identifier: GPL-3.0-or-later
// A SignerInfo, taken apart: who signed, how, and what the signature covers. RFC 5652 §5.3.
//
// Syntax alone: nothing is verified or believed here, and an algorithm or attribute that is not
// known is no error. Input is what CmsReader gives (definite lengths). The signed attributes are
// read apart from the rest, so that a report can name a signer whose attributes are bad. All spans
// lie in the input. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/certificate.h"
#include "crypto/signature_algorithm.h"
#include "crypto/smime_capabilities.h"

namespace sealgate {

// How a certificate is named: by issuer and serial number, or by its key.
struct SignerIdentifier {
    ByteSpan issuer, serial;  // DER with headers; empty: by the key
    ByteSpan key_id;          // the subjectKeyIdentifier's octets

    bool names(const Certificate& certificate) const;
    // The same of a certificate that nothing here can read (a DSA key); by issuer and number only.
    bool names_unread(ByteSpan certificate_der) const;
    std::string to_text() const;  // "serial 0A12 of CN=Example CA", "key 5F0E": for people
};

struct SignerInfo {
    SignerIdentifier signer;
    ReadDigestAlgorithm digest;
    ReadSignatureAlgorithm algorithm;
    ByteSpan digest_der, algorithm_der;  // the same, AlgorithmIdentifiers
    ByteSpan attributes;                 // the signed ones with their [0] tag; empty: none
    ByteSpan unsigned_attributes;        // with their [1] tag
    ByteSpan signature;
};
Result<SignerInfo> parse_signer_info(ByteSpan der);

struct SignedAttributes {
    ByteSpan content_type;          // the OBJECT IDENTIFIER with its header
    ByteSpan message_digest;        // the octets
    std::int64_t signing_time = 0;  // seconds since 1970; 0: not there, or unreadable
    SmimeCapabilities capabilities;
    // encrypKeyPref, or else Microsoft's older attribute.
    std::optional<SignerIdentifier> encryption_certificate;
    // signingCertificate (RFC 2634 §5.4) and signingCertificateV2 (RFC 5035 §3): the first of each,
    // which is the signer's.
    struct CertificateHash {
        std::optional<ReadDigest> digest;  // none: unknown
        ByteSpan hash;
    };
    std::vector<CertificateHash> certificate_hashes;
    // CMSAlgorithmProtection, RFC 6211: what the signer meant; the contents of
    // AlgorithmIdentifiers.
    struct Protection {
        ByteSpan digest, signature;
    };
    std::optional<Protection> protection;
};
// `attributes`: as in SignerInfo. An error where RFC 5652 §11 or RFC 8551 §2.5 say that the
// signature fails: contentType or messageDigest missing, one of those known here given twice, or
// with no or several values. Times, capabilities and preferences that are there once and cannot be
// read are as not given.
Result<SignedAttributes> parse_signed_attributes(ByteSpan attributes);

// An error where one is among the unsigned that must be signed (RFC 5652 §11).
Result<void> check_unsigned_attributes(ByteSpan attributes);

// What was signed: RFC 5652 §5.4, "a separate encoding", with the tag of a SET OF. As received; and
// in the order of DER, for signers that sorted before they signed and not before they wrote (Bouncy
// Castle takes both).
Bytes attributes_as_received(ByteSpan attributes);
Bytes attributes_in_order(ByteSpan attributes);

}  // namespace sealgate

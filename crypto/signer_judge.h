// SPDX-License-Identifier: GPL-3.0-or-later
// Judges the SignerInfos of a SignedData: what needs no loop, no network and no key ring.
//
// For each: its certificate is found, the content's digest compared, the signature checked, the
// path to a trusted authority searched. Who may be believed without a path, who has been revoked
// and whom the certificate covers is decided behind it (crypto/smime_verify.h). A value in, a value
// out; a signer takes some 100 µs, so it is for worker threads.
//
// RFC 5652 §5.6 and §11, RFC 8551 §2.5, RFC 5035 (signing certificates), RFC 6211; spec/smime.md,
// "Incoming" 4.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "crypto/certificate.h"
#include "crypto/read_digest.h"
#include "crypto/smime_report.h"
#include "crypto/trust_path.h"

namespace sealgate {

// What of a SignedData is judged, as it was read.
struct SignedDataParts {
    Bytes content_type;                    // an OBJECT IDENTIFIER with its header
    bool has_content = false;              // here or, of a detached signature, beside it
    Bytes content_begin;                   // its first octets, signed_content_begin_bytes of them
    std::vector<ReadDigestValue> digests;  // of the content
    std::vector<Bytes> certificates;       // DER
    std::vector<Bytes> signer_infos;
};
// Enough to see whether the content is what attributes look like.
inline constexpr std::size_t signed_content_begin_bytes = 16;

struct JudgeRules {
    std::shared_ptr<const TrustAnchors> anchors;  // null: nobody is trusted
    std::int64_t wall_seconds = 0;
    bool allow_weak = false;
};

// `report` has all but `identity` where there is a certificate; where there is none `identity` says
// so, too.
struct JudgedSigner {
    SignerReport report;
    // Whether the certificate alone, with no path, may sign now; and the other encrypt.
    Reason by_itself = Reason::untrusted;
    Reason encryption_by_itself = Reason::untrusted;
    // Where chain, or encryption_chain, is ok: the leaf first, the anchor last.
    std::vector<CertificatePtr> path, encryption_path;
};

// `known`: certificates that may be meant, beside those that came along.
std::vector<JudgedSigner> judge_signers(const SignedDataParts& parts, const JudgeRules& rules,
                                        const std::vector<CertificatePtr>& known);

}  // namespace sealgate

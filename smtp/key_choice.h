// SPDX-License-Identifier: GPL-3.0-or-later
// Which of the certificates that a directory or the DNS gave is the recipient's key.
//
// The rule of spec/smime.md "Whose key": valid now, allowed to encrypt, covering the address; of
// several the latest notBefore. Runs on a worker, because certificates are parsed and chains are
// built; a value in, a value out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/trust_path.h"
#include "smtp/key_search.h"

namespace sealgate {

// Whether a certificate leads to an anchor of [trust:smime]; `others` came with it and may hold
// issuers. Called on workers, several at once.
using TrustJudge = std::function<TrustVerdict(const CertificatePtr& leaf,
                                              const std::vector<CertificatePtr>& others,
                                              std::int64_t wall_seconds)>;
TrustJudge judge_by(std::shared_ptr<const TrustAnchors> anchors);
// Believes nobody: for where a judge is needed and there is none.
TrustJudge trust_nobody();

struct KeyChoice {
    std::string source;   // "directory:staff", "smimea": begins the answer's `why`
    std::string name;     // of the directory; becomes RecipientKey::name
    std::string address;  // local@domain
    std::int64_t wall_seconds = 0;
    TrustJudge judge;  // empty: certificates need not be trusted by anybody
};

// `found` or `none`, never `temporary`.
KeyAnswer choose_key(const KeyChoice& choice, RecipientKey::Source source,
                     const std::vector<CertificatePtr>& certificates);

// How the certificate covers the address; it does (Certificate::covers).
RecipientKey::Match match_of(const Certificate& certificate, std::string_view address);

}  // namespace sealgate

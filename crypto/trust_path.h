// SPDX-License-Identifier: GPL-3.0-or-later
// The judge of trust: does a certificate lead to an authority that the operator trusts?
//
// Path validation (RFC 5280 §6) by libcrypto: signatures, dates, basic constraints, path lengths,
// key usage, name constraints, policies where an authority demands one; extended key usage down the
// whole path, since RFC 5280 leaves it to the application. Of several certificates of one issuer
// (cross-signed, renewed, two authorities with one name) each is tried. Keys and digests below 112
// bits of security are weak (NIST SP 800-57: RSA 2048, SHA-224).
//
// Every certificate of the operator's files is an anchor, a root or not; so an intermediate alone
// may be trusted. An anchor's dates count, too.
//
// Values in, a value out. Who asks says for what (TrustPurpose). Revocation is not looked at: it
// may take a fetch, so whoever asks takes the path that was found to crypto/revocation.h. A
// judgement takes about 100 µs for RSA and as much as milliseconds with large EC keys: off the
// loop. Any thread, several at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/complaint.h"
#include "core/config.h"
#include "core/reason.h"
#include "crypto/certificate.h"

namespace sealgate {

enum class TrustPurpose : std::uint8_t {
    smime_encryption,  // Certificate::may_encrypt(); emailProtection or any, where there is an EKU
    smime_signing,     // Certificate::may_sign(), and the same
};

struct TrustVerdict {
    Reason reason = Reason::untrusted;
    std::string why{};  // for people, printable, never text of the certificate; empty when ok
    // When ok: the way that was found, the leaf first, the anchor last; an anchor itself: one.
    std::vector<CertificatePtr> path{};
};

struct JudgeOptions {
    // For old mail, by the offline tool: SHA-1 and RSA from 1024 bits count. MD5 never does.
    bool allow_weak = false;
};

class TrustAnchors {
public:
    // Reads `ca-files` and `ca-system` of `section` ("[trust:smime]"). A file that cannot be read
    // or holds no certificate is a complaint at its line; a certificate in it that is no authority
    // is a warning, and no anchor. Blocks.
    static std::shared_ptr<const TrustAnchors> load(const TrustOptions& options,
                                                    const std::string& section,
                                                    Complaints& complaints, Complaints& warnings);
    ~TrustAnchors();
    TrustAnchors(const TrustAnchors&) = delete;
    TrustAnchors& operator=(const TrustAnchors&) = delete;

    std::size_t count() const;

    // `others` came with the leaf and may hold its issuers, among anything else; those over
    // limits::trust_others_max are not looked at.
    TrustVerdict judge(const CertificatePtr& leaf, const std::vector<CertificatePtr>& others,
                       std::int64_t wall_seconds, TrustPurpose purpose,
                       JudgeOptions options = {}) const;

    struct State;

private:
    explicit TrustAnchors(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Takes correspondents' keys from signed mail that came in: spec/smime.md "Harvesting".
//
// From each SignerInfo the certificate that mail to its owner can be encrypted to: the one that
// encrypKeyPref names, when that is trusted by itself, else the signer's own. It is filed under the
// addresses and domains that the signer's certificate names, as far as it covers them itself.
//
// Of mail that was verified, all of them. Of other mail, with smime-harvest-unverified, only the
// one address of From: whoever wrote it says that he is that one, and nobody vouches for more. Then
// encrypKeyPref and capabilities count only where the signature is right; a revoked certificate is
// never taken. A key of verified mail is not replaced by one of other mail.
//
// The newest signingTime wins; one that lies in the future is now, so that nobody can keep out what
// comes later. Loop thread; RFC 8551 §2.5.2, §2.5.3.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/alerts.h"
#include "core/config.h"
#include "core/mail_log.h"
#include "core/spool.h"
#include "crypto/key_ring.h"
#include "crypto/smime_report.h"
#include "smtp/key_updates.h"

namespace sealgate {

// What is known of the message as a whole.
struct SignedMail {
    MessageId mid = 0;
    std::string from;       // the address of From when it is exactly one; else empty
    bool verified = false;  // every layer, and the sender is covered
};

class Harvester {
public:
    using Clock = std::function<std::int64_t()>;  // wall seconds

    // All must outlive it. Reads notes of the key ring: blocks, so at start only.
    Harvester(KeyRing& ring, Alerts& alerts, MailLog& log, Clock clock);
    ~Harvester();
    Harvester(const Harvester&) = delete;
    Harvester& operator=(const Harvester&) = delete;

    // Does what the policy says; nothing without smime_harvest. How many keys are new or replaced.
    std::size_t harvest(const SignedMail& mail, const std::vector<LayerReport>& layers,
                        const MailFlowPolicyOptions& policy);

    // Owners that one certificate is filed under; each has a copy of it. More are passed over.
    static constexpr std::size_t owners_max = 100;

private:
    struct Find;
    struct Replaced;

    std::size_t take(const SignedMail& mail, const Find& find, const MailFlowPolicyOptions& policy,
                     std::vector<Replaced>& replaced);
    void tell_of(const std::vector<Replaced>& replaced);
    void on_eviction();

    KeyRing& ring_;
    Alerts& alerts_;
    MailLog& log_;
    Clock clock_;
    KeyUpdates updates_;
    std::int64_t full_told_ = 0;  // wall seconds
};

}  // namespace sealgate

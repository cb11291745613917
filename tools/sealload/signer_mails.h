// SPDX-License-Identifier: GPL-3.0-or-later
// Mails that each have another signer: what a gateway that harvests keys is filled with.
//
// Unlike all other mail (mail_pool.h) they are made one by one, while messages are sent: each has a
// certificate and a signature of its own, of one content. That takes two signatures by elliptic
// curves, a tenth of a millisecond, where RSA would take ten times as much. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "crypto/digest.h"
#include "crypto/identity.h"
#include "tools/sealload/mail_template.h"
#include "tools/sealload/signer_authority.h"

namespace sealgate {

class SignerMails {
public:
    struct Plan {
        std::uint64_t text_bytes = 4096;
        std::size_t certificate_bytes = 1400;  // at least
        std::int64_t signing_time = 0;         // seconds since 1970; 0: now
    };
    SignerMails(SignerAuthority authority, const Plan& plan);

    // Detached (RFC 8551 §3.5.3), From the address that the certificate names.
    Result<std::shared_ptr<const MailTemplate>> make(std::uint64_t signer,
                                                     const std::string& address) const;

private:
    Result<IdentityPtr> identity(std::uint64_t signer, const std::string& address) const;

    SignerAuthority authority_;
    Plan plan_;
    std::string content_;       // the signed entity
    std::string digest_field_;  // of its body
    DigestValue content_digest_{DigestAlgorithm::sha256};
};

}  // namespace sealgate

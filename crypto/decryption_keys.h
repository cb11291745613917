// SPDX-License-Identifier: GPL-3.0-or-later
// The gateway's own keys as messages name them: what can be decrypted.
//
// By issuer and serial number, and by subject key identifier; expired certificates as any other,
// for mail to them still comes. Immutable and shared: a message keeps the set it began with, while
// a reload makes another. RFC 5652 §6.2.1, §6.2.2. Any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "crypto/identity.h"

namespace sealgate {

class DecryptionKeys {
public:
    // Of two that a message would name in the same way, the first counts.
    explicit DecryptionKeys(const std::vector<IdentityPtr>& identities);
    static std::shared_ptr<const DecryptionKeys> of(const std::vector<IdentityPtr>& identities) {
        return std::make_shared<const DecryptionKeys>(identities);
    }

    bool empty() const { return by_issuer_.empty(); }
    // `issuer_and_serial`: the contents of an IssuerAndSerialNumber, octet for octet those of the
    // certificate. Null: not ours.
    IdentityPtr find_by_issuer(ByteSpan issuer_and_serial) const;
    IdentityPtr find_by_subject_key_id(ByteSpan subject_key_id) const;

private:
    using Index = std::map<std::string, IdentityPtr, std::less<>>;
    Index by_issuer_;
    Index by_subject_key_id_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What verification asks of the keys that are known already.
//
// An interface, so that a file on the command line can stand in for the key ring. Loop thread.
#pragma once

#include <string_view>
#include <vector>

#include "crypto/certificate.h"

namespace sealgate {

class KeyRing;

class KnownKeys {
public:
    virtual ~KnownKeys() = default;
    // Whether an operator put in this very certificate: then it is trusted as itself, with no path.
    virtual bool is_manual(const Certificate& certificate) const = 0;
    // Certificates of an address, for signers that do not send theirs along; some, at most.
    virtual std::vector<CertificatePtr> certificates_of(std::string_view address) const = 0;
};

// The key ring's manual keys, and its harvested ones.
class KeyRingKeys final : public KnownKeys {
public:
    explicit KeyRingKeys(KeyRing& ring) : ring_(ring) {}
    bool is_manual(const Certificate& certificate) const override;
    std::vector<CertificatePtr> certificates_of(std::string_view address) const override;

private:
    KeyRing& ring_;
};

}  // namespace sealgate

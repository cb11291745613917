// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/known_keys.h"

#include "crypto/key_ring.h"

namespace sealgate {

bool KeyRingKeys::is_manual(const Certificate& certificate) const {
    return ring_.is_manual(certificate);
}

std::vector<CertificatePtr> KeyRingKeys::certificates_of(std::string_view address) const {
    return ring_.certificates_of(address);
}

}  // namespace sealgate

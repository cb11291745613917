// SPDX-License-Identifier: GPL-3.0-or-later
// What crypto/trust_crl.cc and crypto/trust_crl_judge.cc share of libcrypto. Nobody else includes
// this.
#pragma once

#include <map>
#include <mutex>

#include "crypto/trust_crl.h"
#include "crypto/trust_library.h"

namespace sealgate {

struct RevocationList::State {
    // Remembered, because 10 MB take 10 ms: libcrypto then does it once more, and only for lists
    // that are. One that is not yet known takes one off `signatures_left`; at 0 it is not looked
    // at.
    bool is_signed_by(X509* issuer, int& signatures_left) const;

    LibraryPtr<X509_CRL> list;
    std::int64_t this_update = 0;
    std::int64_t next_update = 0;
    std::size_t memory_bytes = 0;
    bool is_indirect = false;

    static constexpr std::size_t verdicts_max = 8;
    mutable std::mutex mutex;
    mutable std::map<Bytes, bool> verdicts;  // by public key
};

}  // namespace sealgate

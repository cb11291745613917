// SPDX-License-Identifier: GPL-3.0-or-later
// What crypto/trust_judge*.cc share. Nobody else includes this.
#pragma once

#include <vector>

#include "core/bytes.h"
#include "crypto/trust_cms_internal.h"
#include "crypto/trust_judge.h"

namespace sealgate {

struct KnownCertificate {
    cms_judge::X509Ptr certificate;
    EVP_PKEY* key = nullptr;  // one of State::keys, or none
    std::vector<std::string> names;
};

struct CmsJudge::State {
    cms_judge::StorePtr trusted;  // null: chains are not looked at
    std::vector<cms_judge::KeyPtr> keys;
    std::vector<KnownCertificate> known;

    Result<void> add_file(ByteSpan bytes, const Passphrase& passphrase);
    bool match_keys();
    std::string open_layer(const cms_judge::Entity& root, CmsLayer& layer) const;
};

}  // namespace sealgate

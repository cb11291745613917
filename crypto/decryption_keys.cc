// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/decryption_keys.h"

namespace sealgate {
namespace {

IdentityPtr find(const std::map<std::string, IdentityPtr, std::less<>>& index, ByteSpan name) {
    const auto found = index.find(as_text(name));
    return found == index.end() ? nullptr : found->second;
}

}  // namespace

DecryptionKeys::DecryptionKeys(const std::vector<IdentityPtr>& identities) {
    for (const IdentityPtr& identity : identities) {
        const Certificate& leaf = *identity->leaf;
        std::string issuer_and_serial(as_text(leaf.issuer_der()));
        issuer_and_serial += as_text(leaf.serial_der());
        by_issuer_.emplace(std::move(issuer_and_serial), identity);
        if (leaf.subject_key_id().empty()) continue;
        by_subject_key_id_.emplace(as_text(leaf.subject_key_id()), identity);
    }
}

IdentityPtr DecryptionKeys::find_by_issuer(ByteSpan issuer_and_serial) const {
    return find(by_issuer_, issuer_and_serial);
}

IdentityPtr DecryptionKeys::find_by_subject_key_id(ByteSpan subject_key_id) const {
    return find(by_subject_key_id_, subject_key_id);
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_ring_manual.h"

#include <algorithm>

#include "core/text.h"

namespace sealgate {

ManualKey ManualKey::of(const Certificate& certificate, std::uint8_t capabilities) {
    ManualKey key;
    key.der.assign(certificate.der().begin(), certificate.der().end());
    key.owners = owners_of_certificate(certificate);
    key.search = lower_case(certificate.subject() + '\n' + certificate.serial());
    key.not_before = certificate.not_before();
    key.not_after = certificate.not_after();
    key.capabilities = capabilities;
    return key;
}

bool ManualKeys::LatestFirst::operator()(const Entry* a, const Entry* b) const {
    if (a->second.not_before != b->second.not_before)
        return a->second.not_before > b->second.not_before;
    return a->first < b->first;
}

void ManualKeys::put(const std::string& name, ManualKey key) {
    remove(name);
    const Entry& entry = *by_name_.emplace(name, std::move(key)).first;
    for (const std::string& owner : entry.second.owners) by_owner_[owner].insert(&entry);
}

bool ManualKeys::remove(std::string_view name) {
    const auto entry = by_name_.find(name);
    if (entry == by_name_.end()) return false;
    for (const std::string& owner : entry->second.owners) {
        const auto filed = by_owner_.find(owner);
        filed->second.erase(&*entry);
        if (filed->second.empty()) by_owner_.erase(filed);
    }
    by_name_.erase(entry);
    return true;
}

const ManualKey* ManualKeys::find(std::string_view name) const {
    const auto entry = by_name_.find(name);
    return entry == by_name_.end() ? nullptr : &entry->second;
}

const ManualKeys::OfOwner& ManualKeys::of_owner(std::string_view owner) const {
    static const OfOwner none;
    const auto filed = by_owner_.find(owner);
    return filed == by_owner_.end() ? none : filed->second;
}

bool ManualKeys::matches(const Entry& entry, std::string_view search) {
    if (search.empty() || lower_case(entry.first).find(search) != std::string::npos) return true;
    if (entry.second.search.find(search) != std::string::npos) return true;
    return std::any_of(
        entry.second.owners.begin(), entry.second.owners.end(),
        [&](const std::string& owner) { return owner.find(search) != std::string::npos; });
}

}  // namespace sealgate

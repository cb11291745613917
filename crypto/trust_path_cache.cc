// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/trust_path_cache.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/digest.h"

namespace sealgate {

// Whatever an answer depends on must be in the key.
static_assert(sizeof(JudgeOptions) == sizeof(bool));

std::string TrustPathCache::key_of(const Certificate& leaf,
                                   const std::vector<CertificatePtr>& others, TrustPurpose purpose,
                                   const JudgeOptions& options) {
    // DER says where it ends, so no two lists of certificates are the same octets.
    Digest digest(DigestAlgorithm::sha256);
    const std::array<std::uint8_t, 2> asked = {static_cast<std::uint8_t>(purpose),
                                               static_cast<std::uint8_t>(options.allow_weak)};
    digest.update(asked);
    digest.update(leaf.der());
    for (const CertificatePtr& other : others) digest.update(other->der());
    const DigestValue value = digest.finish();
    return std::string(as_text(value.bytes()));
}

std::optional<std::vector<CertificatePtr>> TrustPathCache::find(const std::string& key,
                                                                std::int64_t wall_seconds) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    const Rows::iterator row = found->second;
    // Who asks may have another time than who asked before: an old path stays for them.
    const bool is_valid = std::ranges::all_of(row->path, [&](const CertificatePtr& member) {
        return member->valid_at(wall_seconds) == Reason::ok;
    });
    if (!is_valid) return std::nullopt;
    rows_.splice(rows_.begin(), rows_, row);
    return row->path;
}

void TrustPathCache::keep(const std::string& key, std::vector<CertificatePtr> path) {
    std::size_t bytes = 0;
    for (const CertificatePtr& member : path) bytes += member->der().size();
    if (bytes > bytes_max_) return;
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) drop(found->second);
    while (bytes_ + bytes > bytes_max_) drop(std::prev(rows_.end()));
    rows_.push_front({key, std::move(path), bytes});
    by_key_.emplace(key, rows_.begin());
    bytes_ += bytes;
}

std::size_t TrustPathCache::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

void TrustPathCache::drop(Rows::iterator row) {
    bytes_ -= row->bytes;
    by_key_.erase(row->key);
    rows_.erase(row);
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Paths that were found, so that the next message of the same signer is not searched one again.
//
// A path is good for the certificates it was asked for, those that came with them, and a purpose;
// beside that a judgement depends on the anchors, which are the owner's and never change, and on
// the time: a path is given out only while each of its certificates is within its dates. What was
// not found is not kept: it is searched again. Revocation is no part of it (crypto/trust_path.h):
// who asks looks at it each time. The least recently used goes first. Any thread.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/trust_path.h"

namespace sealgate {

class TrustPathCache {
public:
    // Bytes of certificates that are kept in all; a path has some 4 KB of them.
    static constexpr std::size_t bytes_max = std::size_t{8} << 20;

    explicit TrustPathCache(std::size_t most_bytes = bytes_max) : bytes_max_(most_bytes) {}

    // All that a judgement depends on but the anchors and the time, as a SHA-256.
    static std::string key_of(const Certificate& leaf, const std::vector<CertificatePtr>& others,
                              TrustPurpose purpose, const JudgeOptions& options);

    // Nothing: it must be searched.
    std::optional<std::vector<CertificatePtr>> find(const std::string& key,
                                                    std::int64_t wall_seconds);
    void keep(const std::string& key, std::vector<CertificatePtr> path);
    std::size_t bytes() const;

private:
    struct Row {
        std::string key;
        std::vector<CertificatePtr> path;
        std::size_t bytes = 0;
    };
    using Rows = std::list<Row>;  // the one used last in front

    void drop(Rows::iterator row);

    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    Rows rows_;
    std::unordered_map<std::string, Rows::iterator> by_key_;
    std::size_t bytes_ = 0;
};

}  // namespace sealgate

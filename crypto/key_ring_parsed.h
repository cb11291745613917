// SPDX-License-Identifier: GPL-3.0-or-later
// The parsed certificates of keys in frequent use; the key ring itself holds DER.
//
// Parsing costs tens of microseconds and several times the memory of the DER, so a few are kept,
// the least recently used go first. Its bytes are an estimate from the sizes of what a Certificate
// holds. One thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <list>
#include <unordered_map>

#include "crypto/certificate.h"

namespace sealgate {

class ParsedKeys {
public:
    explicit ParsedKeys(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

    // By the generation of the record, which no other has. Null: not here.
    CertificatePtr find(std::uint32_t generation);
    // Kept when it comes a second time within some thousand others: one that is used once would
    // push out one that is used often.
    void keep(std::uint32_t generation, CertificatePtr certificate);

    void set_bytes_max(std::uint64_t bytes_max);
    std::uint64_t bytes() const { return bytes_; }

private:
    struct Entry {
        std::uint32_t generation;
        std::uint64_t bytes;
        CertificatePtr certificate;
    };
    bool came_before(std::uint32_t generation);
    void drop_oldest();

    std::bitset<4096> came_;  // generations, by their last bits, since came_count_ was 0
    std::size_t came_count_ = 0;
    std::uint64_t bytes_max_;
    std::uint64_t bytes_ = 0;
    std::list<Entry> by_use_;  // newest first
    std::unordered_map<std::uint32_t, std::list<Entry>::iterator> by_generation_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Manual keys in memory: by name, and by each address and domain that they name.
//
// Held as DER with what decides and what is searched; 100,000 of them are 100 to 200 MB. Knows no
// disk. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/bytes.h"
#include "crypto/key_ring_owner.h"

namespace sealgate {

struct ManualKey {
    Bytes der;
    std::vector<std::string> owners;  // owners_of_certificate()
    std::string search;               // subject and serial number, in lower case
    std::int64_t not_before = 0;
    std::int64_t not_after = 0;
    std::uint8_t capabilities = 0;  // SmimeCapabilities::to_bits()
    std::uint32_t generation = 0;   // another for each put()

    static ManualKey of(const Certificate& certificate, std::uint8_t capabilities);
};

class ManualKeys {
public:
    using Map = std::map<std::string, ManualKey, std::less<>>;
    using Entry = Map::value_type;

    // Replaces an equal name.
    void put(const std::string& name, ManualKey key);
    bool remove(std::string_view name);
    const ManualKey* find(std::string_view name) const;
    struct LatestFirst {
        bool operator()(const Entry* a, const Entry* b) const;
    };
    // Those filed under the owner, the latest notBefore first. A set: one owner may have thousands.
    using OfOwner = std::set<const Entry*, LatestFirst>;
    const OfOwner& of_owner(std::string_view owner) const;
    const Map& by_name() const { return by_name_; }

    // `search`: in lower case.
    static bool matches(const Entry& entry, std::string_view search);

private:
    struct Equal : std::equal_to<> {};
    Map by_name_;
    std::unordered_map<std::string, OfOwner, OwnerHash, Equal> by_owner_;
};

}  // namespace sealgate

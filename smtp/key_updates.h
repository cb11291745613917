// SPDX-License-Identifier: GPL-3.0-or-later
// How often correspondents' domains change their keys: one replacement is a renewal, two within 48
// hours want a person's eye.
//
// Of each domain it keeps when a key was last replaced and when that was last told. Notes of the
// key ring carry both over a restart. At most domains_max domains, the ones replaced longest ago go
// first; what is older than 48 hours is forgotten. Loop thread. spec/smime.md "Harvesting".
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/result.h"

namespace sealgate {

class KeyRing;

class KeyUpdates {
public:
    static constexpr std::int64_t window_seconds = std::int64_t{48} * 3600;
    // Domains that replace keys within two days; each takes some 200 bytes.
    static constexpr std::size_t domains_max = 10'000;

    // Reads the notes; blocks. Both must outlive it.
    KeyUpdates(KeyRing& ring, std::int64_t now);
    KeyUpdates(const KeyUpdates&) = delete;
    KeyUpdates& operator=(const KeyUpdates&) = delete;

    // A key of `domain` was replaced, `count` different ones by one message. True: that makes two
    // within 48 hours, and it has not been told for 48 hours.
    bool on_replaced(const std::string& domain, std::size_t count, std::int64_t now);

private:
    struct Domain {
        std::string name;
        std::int64_t replaced = 0;  // wall seconds, the last time
        std::int64_t told = 0;      // wall seconds; 0: not within 48 hours
    };
    using Place = std::list<Domain>::iterator;

    void load(std::int64_t now);
    void forget_old(std::int64_t now);
    void forget(Place place);
    void store(const Domain& domain);

    KeyRing& ring_;
    std::list<Domain> domains_;  // replaced longest ago first
    std::unordered_map<std::string, Place> by_name_;
};

}  // namespace sealgate

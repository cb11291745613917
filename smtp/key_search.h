// SPDX-License-Identifier: GPL-3.0-or-later
// The keys of one message's recipients: local ones at once, then directories and the DNS.
//
// A profile's `key-sources` are asked in order, each address of its own accord, until one has a
// usable key. Local keys are found inside start(); what must be asked outside is asked side by
// side for all addresses, from the cache where it is fresh, and answered later. A source that
// cannot be reached is not "no key": the answer is `temporary`, and the message waits. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "crypto/key_ring.h"
#include "crypto/recipient_key.h"

namespace sealgate {

class KeyDirectories;

struct KeyAnswer {
    enum class Outcome : std::uint8_t { found, none, temporary } outcome = Outcome::none;
    RecipientKey key;  // when found
    std::string why;   // for the log and `explain`: which source, and what it said
};

class KeySearch {
public:
    // `directories` may be null: then only `local` can be among the sources. `sources`: as in
    // SendingProfileOptions::key_sources, checked by the configuration.
    KeySearch(KeyRing& ring, KeyDirectories* directories, std::vector<std::string> sources,
              std::vector<std::string> addresses, std::int64_t wall_seconds);
    ~KeySearch();  // pending questions are dropped
    KeySearch(const KeySearch&) = delete;
    KeySearch& operator=(const KeySearch&) = delete;

    // True: all answers are there. False: `done` is called once, later.
    bool start(std::function<void()> done);
    // In the order of the addresses; complete when start() said true or `done` was called.
    const std::vector<KeyAnswer>& answers() const;

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace sealgate

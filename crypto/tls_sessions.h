// SPDX-License-Identifier: GPL-3.0-or-later
// The TLS sessions that a client may take up again: for each target the last few that it was given.
//
// A session is opaque here (the library's own encoding, with its secret) and wiped when it goes. A
// TLS 1.3 ticket is used once (RFC 8446 §C.4: else two connections can be seen to be one client's),
// a TLS 1.2 session until newer ones push it out. Loop thread only.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <string>
#include <unordered_map>

#include "core/bytes.h"

namespace sealgate {

struct TlsSession {
    enum class Use : std::uint8_t { once, often };

    SecureBytes encoded;
    Use use = Use::once;
};

class TlsSessions {
public:
    TlsSessions(std::size_t per_target_max, std::size_t targets_max)
        : per_target_max_(per_target_max), targets_max_(targets_max) {}

    void keep(const std::string& target, TlsSession session);
    // The newest one's bytes; empty when there is none.
    SecureBytes take(const std::string& target);
    void forget(const std::string& target);

    std::size_t target_count() const { return targets_.size(); }

private:
    struct Target {
        std::string name;
        std::deque<TlsSession> sessions;  // never empty; the newest last
    };
    using Place = std::list<Target>::iterator;

    const std::size_t per_target_max_, targets_max_;
    std::list<Target> targets_;  // the last used first
    std::unordered_map<std::string, Place> places_;
};

}  // namespace sealgate

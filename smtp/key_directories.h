// SPDX-License-Identifier: GPL-3.0-or-later
// Where recipients' keys are looked up beyond the gateway: SMIMEA records in the DNS.
//
// A question is asked once for everybody who waits for its answer. What was asked goes on although
// nobody waits any more. A failure is `temporary`, never `none`. Loop thread; certificates are read
// and judged on workers. RFC 8162.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/workers.h"
#include "dns/resolver.h"
#include "smtp/key_choice.h"

namespace sealgate {

class Loop;

class KeyDirectories {
public:
    // Keeps the wish for an answer. Dropping it means: never call back.
    using Ticket = WorkerPool::Ticket;
    using Done = std::function<void(KeyAnswer)>;

    // `judge` as in smtp/key_choice.h; empty: nothing is trusted that must be.
    KeyDirectories(Loop& loop, WorkerPool& workers, Resolver& resolver, TrustJudge judge);
    ~KeyDirectories();
    KeyDirectories(const KeyDirectories&) = delete;
    KeyDirectories& operator=(const KeyDirectories&) = delete;

    // `source`: "smimea". An answer that is known already comes back at once, and `done` is not
    // called; otherwise it is called later, while `ticket` is kept.
    std::optional<KeyAnswer> ask(const std::string& source, const std::string& address, Done done,
                                 Ticket& ticket);

    struct Statistics {
        std::size_t pending = 0;  // questions under way
        std::uint64_t asked = 0;  // outside, since the start
        std::uint64_t found = 0;
        std::uint64_t none = 0;
        std::uint64_t temporary = 0;
    };
    Statistics statistics() const;

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace sealgate

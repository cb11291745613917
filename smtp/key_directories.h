// SPDX-License-Identifier: GPL-3.0-or-later
// Where recipients' keys are looked up beyond the gateway: the [directory:NAME] sections (LDAP,
// HTTPS) and SMIMEA records in the DNS.
//
// A question is asked once for everybody who waits for its answer, and goes on although nobody
// waits any more. What directories answer, also "no key", is kept for their `cache`, records for as
// long as the resolver keeps them. A failure is `temporary`, never `none`: it is kept for a few
// seconds, and while a directory cannot be reached nobody else waits for its time to run out.
//
// Hosts are looked up by the gateway's resolver. Loop thread; certificates are read and judged on
// workers. RFC 4516, RFC 8162.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/fetch.h"
#include "core/workers.h"
#include "dns/resolver.h"
#include "smtp/directory_book.h"
#include "smtp/key_choice.h"

namespace sealgate {

class Loop;

class KeyDirectories {
public:
    // Keeps the wish for an answer. Dropping it means: never call back.
    using Ticket = WorkerPool::Ticket;
    using Done = std::function<void(KeyAnswer)>;

    KeyDirectories(Loop& loop, WorkerPool& workers, Resolver& resolver, Fetcher& fetcher);
    ~KeyDirectories();
    KeyDirectories(const KeyDirectories&) = delete;
    KeyDirectories& operator=(const KeyDirectories&) = delete;

    // A start or a reload. Forgets what was answered so far, since other certificates may be
    // trusted now; questions under way are answered by the old directories. `trust`: who chains to
    // [trust:smime]; empty: nobody.
    void put_in_force(DirectoryBookPtr directories, TrustJudge trust);

    // `source`: "directory:NAME" or "smimea". An answer that is known already comes back at once,
    // and `done` is not called; otherwise it is called later, while `ticket` is kept. `address` as
    // in the envelope.
    std::optional<KeyAnswer> ask(const std::string& source, const std::string& address, Done done,
                                 Ticket& ticket);

    struct Statistics {
        std::size_t pending = 0;       // questions under way
        std::size_t cached = 0;        // answers kept
        std::uint64_t asked = 0;       // outside, since the start
        std::uint64_t cache_hits = 0;  // `found` and `none` from the cache
        std::uint64_t found = 0;       // of those asked outside
        std::uint64_t none = 0;
        std::uint64_t temporary = 0;
    };
    Statistics statistics() const;

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace sealgate

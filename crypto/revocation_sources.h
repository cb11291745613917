// SPDX-License-Identifier: GPL-3.0-or-later
// Servers that are asked about revocation, and what they answered: one for the process, whatever
// the configuration.
//
// Lists by their URL, until their nextUpdate; responders' answers by certificate, likewise;
// failures for limits::revocation_failure_kept_ms. What two want to know at the same time is asked
// once, and goes on when nobody waits any more: the next one will. Reading is done by workers.
//
// Loop thread. Answers come later, never from inside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/workers.h"
#include "crypto/trust_crl.h"

namespace sealgate {

class Fetcher;
class Loop;

// A message waits less; what comes later is there for the next one.
inline constexpr std::uint64_t list_fetch_ms = 30'000;
// Lists at once, others stand in line: each may have 16 MB, twice, until it is decoded.
inline constexpr std::size_t list_fetches_max = 8;
// Questions under way or in line; beyond, "too many questions under way".
inline constexpr std::size_t revocation_questions_max = 1000;
inline constexpr std::size_t revocation_failures_max = 10'000;
// A list that does not say when the next one is due is fetched again after this.
inline constexpr std::int64_t undated_list_kept_seconds = 24 * 3600;
// Authorities move their servers and leave a redirect behind.
inline constexpr unsigned list_redirects_max = 3;

class RevocationSources {
public:
    using Ticket = WorkerPool::Ticket;
    // No lists: `what` says why, for people, printable.
    using ListsDone = std::function<void(RevocationLists lists, std::string what)>;
    using AnswerDone = std::function<void(RevocationAnswer answer)>;

    struct Statistics {
        std::uint64_t lists_fetched = 0;     // asked for, whatever came of it
        std::uint64_t responders_asked = 0;  // the same
        std::uint64_t failures = 0;
        std::size_t list_bytes_kept = 0;  // as decoded, about
        std::size_t answers_kept = 0;
    };

    // Without a fetcher nobody is asked.
    RevocationSources(Loop& loop, Fetcher* fetcher, WorkerPool& workers);
    ~RevocationSources();  // nobody is called back
    RevocationSources(const RevocationSources&) = delete;
    RevocationSources& operator=(const RevocationSources&) = delete;

    bool may_ask() const;
    // What is there and in date. No lists, nothing: ask.
    RevocationLists kept_lists(const std::string& url, std::int64_t wall_seconds);
    std::optional<RevocationAnswer> kept_answer(const Certificate& certificate,
                                                const Certificate& issuer,
                                                std::int64_t wall_seconds);

    // URLs as crypto/trust_addresses.h lets them pass.
    [[nodiscard]] Ticket fetch_lists(const std::string& url, std::int64_t wall_seconds,
                                     ListsDone done);
    [[nodiscard]] Ticket ask_responder(const std::string& url, CertificatePtr certificate,
                                       CertificatePtr issuer, std::int64_t wall_seconds,
                                       AnswerDone done);
    Statistics statistics() const;

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace sealgate

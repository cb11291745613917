// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/revocation.h"

#include <unordered_map>

#include "core/loop.h"
#include "crypto/revocation_check.h"
#include "crypto/revocation_sources.h"
#include "crypto/trust_crl_files.h"

namespace sealgate {

using Mode = TrustOptions::Revocation;

struct Revocation::State : std::enable_shared_from_this<Revocation::State> {
    State(Loop& the_loop, WorkerPool& pool) : loop(the_loop), workers(pool) {}

    void pass(std::shared_ptr<bool> wanted, Done done);
    void answer(std::uint64_t id, const bool& wanted, const Done& done, RevocationAnswer answer);

    Loop& loop;
    WorkerPool& workers;
    Mode mode = Mode::off;
    bool ocsp = false;
    bool crl_fetch = false;
    std::shared_ptr<const CrlFiles> files;
    std::shared_ptr<RevocationSources> sources;
    std::unordered_map<std::uint64_t, std::unique_ptr<RevocationCheck>> checks;
    std::uint64_t last_id = 0;
};

void Revocation::State::pass(std::shared_ptr<bool> wanted, Done done) {
    loop.defer([weak = weak_from_this(), wanted = std::move(wanted), done = std::move(done)] {
        if (const auto alive = weak.lock(); alive && *wanted) done(Reason::ok, "");
    });
}

void Revocation::State::answer(std::uint64_t id, const bool& wanted, const Done& done,
                               RevocationAnswer answer) {
    checks.erase(id);
    if (!wanted) return;
    switch (answer.status) {
    case RevocationAnswer::Status::good: return done(Reason::ok, "");
    case RevocationAnswer::Status::revoked: return done(Reason::revoked, std::move(answer.why));
    case RevocationAnswer::Status::unknown:
        if (mode == Mode::require) return done(Reason::revocation_unknown, std::move(answer.why));
        return done(Reason::ok, "");
    }
}

std::shared_ptr<Revocation> Revocation::make(Loop& loop, Fetcher* fetcher, WorkerPool& workers,
                                             const TrustOptions& options,
                                             const std::string& section, Complaints& complaints,
                                             Complaints& warnings) {
    return make(loop, fetcher, workers, options,
                CrlFiles::load(options, section, complaints, warnings));
}

std::shared_ptr<Revocation> Revocation::make(Loop& loop, Fetcher* fetcher, WorkerPool& workers,
                                             const TrustOptions& options,
                                             std::shared_ptr<const CrlFiles> files) {
    auto state = std::make_shared<State>(loop, workers);
    state->sources = std::make_shared<RevocationSources>(loop, fetcher, workers);
    return Revocation(std::move(state)).renewed(options, std::move(files));
}

std::shared_ptr<Revocation> Revocation::renewed(const TrustOptions& options,
                                                std::shared_ptr<const CrlFiles> files) const {
    auto state = std::make_shared<State>(state_->loop, state_->workers);
    state->mode = options.revocation;
    state->sources = state_->sources;
    state->ocsp = options.ocsp && state->sources->may_ask();
    state->crl_fetch = options.crl_fetch && state->sources->may_ask();
    state->files = std::move(files);
    return std::shared_ptr<Revocation>(new Revocation(std::move(state)));
}

Revocation::Revocation(std::shared_ptr<State> state) : state_(std::move(state)) {}
Revocation::~Revocation() = default;

Revocation::Ticket Revocation::check(std::vector<CertificatePtr> path,
                                     std::vector<Bytes> embedded_crls, std::int64_t wall_seconds,
                                     Done done) {
    State& state = *state_;
    auto wanted = std::make_shared<bool>(true);
    if (state.mode == Mode::off || path.size() < 2) {
        state.pass(wanted, std::move(done));
        return Ticket(std::move(wanted));
    }
    const std::uint64_t id = ++state.last_id;
    RevocationCheck::House house{state.loop,  state.workers, *state.sources,
                                 state.files, state.ocsp,    state.crl_fetch};
    auto& check = state.checks[id];
    check = std::make_unique<RevocationCheck>(
        std::move(house), std::move(path), std::move(embedded_crls), wall_seconds,
        [&state, id, wanted, done = std::move(done)](RevocationAnswer answer) {
            state.answer(id, *wanted, done, std::move(answer));
        });
    check->begin();
    return Ticket(std::move(wanted));
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The spool as a whole, on the loop thread: opening, recovery, MIDs, answers.
#include "core/spool.h"

#include <algorithm>

#include "core/limits.h"
#include "core/metrics.h"
#include "core/spool_internal.h"

namespace sealgate {
namespace {

using Kind = SpoolOperation::Kind;

// MIDs are made durable ahead, so many at a time; there are always at least as many more.
constexpr MessageId mids_ahead = 1000;

Result<void> answer_of(const SpoolOperation& operation) {
    if (operation.failed) return temporary("the spool cannot be written");
    return {};
}

void answer_unknown(Spool::State& spool, std::function<void(Result<void>)> done) {
    if (!done) return;
    spool.loop.post([alive = spool.shared_from_this(), done = std::move(done)] {
        if (!alive->closed) done(temporary("the message is not in the spool"));
    });
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(Loop& loop, const std::string& directory,
                                           std::string* why) {
    const SignalsBlocked blocked;  // for RocksDB's threads
    std::string ignored;
    auto state = std::make_shared<State>(loop);
    state->store = TRY(SpoolStore::open(directory + "/spool", why ? why : &ignored));
    const MessageId used = TRY(state->store->mid_mark());
    state->next_mid = used + 1;
    state->mid_mark = used + 2 * mids_ahead;
    SpoolBatch batch;
    batch.put_mid_mark(state->mid_mark);
    const Result<void> written = state->store->write(batch, SpoolStore::Durability::synced);
    if (!written) {
        if (why) *why = state->store->last_error();
        return tl::unexpected(written.error());
    }
    state->trouble = low_disk_text(*state->store);
    state->removal_timer =
        std::make_unique<Timer>(loop, [state = state.get()] { state->wake.raise(); });
    state->thread = start_thread("sealgate-spool", [state = state.get()] { state->serve(); });
    state->reader_thread =
        start_thread("sealgate-reader", [state = state.get()] { state->serve_reads(); });
    return std::unique_ptr<Spool>(new Spool(std::move(state)));
}

Spool::~Spool() {
    const SignalsBlocked blocked;
    state_->closed = true;
    state_->removal_timer.reset();
    state_->finish();
    state_->own_writers.clear();
    // A clean end: the MIDs that were made durable ahead need not be skipped.
    SpoolBatch batch;
    batch.put_mid_mark(state_->next_mid - 1);
    (void)state_->store->write(batch, SpoolStore::Durability::synced);  // if not, they are
    state_->store.reset();
}

Result<void> Spool::recover(const std::function<void(Recovered)>& each) {
    const SignalsBlocked blocked;
    State& state = *state_;
    const std::vector<SpoolStore::Uncommitted> uncommitted = TRY(state.store->uncommitted());
    TRY(state.store->remove_uncommitted(uncommitted));
    return state.store->each_envelope([&](SpoolStore::Committed message) {
        state.stored[message.mid] = message.extent;
        state.next_mid = std::max(state.next_mid, message.mid + 1);
        each({message.mid, message.extent.body_bytes, std::move(message.envelope)});
    });
}

MessageId Spool::next_mid() {
    State& state = *state_;
    const MessageId mid = state.next_mid++;
    if (mid + mids_ahead > state.mid_mark && !state.mid_mark_asked) {
        state.mid_mark_asked = true;
        SpoolOperation operation;
        operation.kind = Kind::mid_mark;
        operation.mid = std::max(state.mid_mark, mid) + mids_ahead;
        state.push(std::move(operation));
    }
    return mid;
}

std::unique_ptr<SpoolWriter> Spool::begin(MessageId mid) {
    return std::unique_ptr<SpoolWriter>(
        new SpoolWriter(std::make_shared<SpoolWriter::State>(state_, mid, 0)));
}

std::unique_ptr<SpoolWriter> Spool::begin_variant(MessageId mid) {
    CHECK(state_->stored.count(mid) == 0);
    SpoolVariants& variants = state_->variants[mid];
    CHECK(!variants.taken.all());
    // An index may be taken again: the removal of what it had is carried out before what it gets.
    std::uint32_t variant = 1;
    while (variants.taken[variant]) ++variant;
    variants.taken.set(variant);
    return std::unique_ptr<SpoolWriter>(
        new SpoolWriter(std::make_shared<SpoolWriter::State>(state_, mid, variant)));
}

void Spool::store(MessageId mid, ChunkList body, std::string envelope,
                  SpoolWriter::Committed committed) {
    auto writer = begin(mid);
    // Neither fails on a new writer, and its fullness is of no interest: the body is there already.
    CHECK(writer->write_all(std::move(body)));
    CHECK(writer->finish());
    writer->commit(std::move(envelope),
                   [spool = state_.get(), mid,
                    committed = std::move(committed)](Result<StoredMessage> stored) {
                       // It may go only now; `committed` stays until we are through.
                       auto node = spool->own_writers.extract(mid);
                       committed(std::move(stored));
                   });
    state_->own_writers[mid] = std::move(writer);
}

void Spool::update(MessageId mid, std::string envelope, std::function<void(Result<void>)> done) {
    const auto known = state_->stored.find(mid);
    if (known == state_->stored.end()) return answer_unknown(*state_, std::move(done));
    SpoolOperation operation;
    operation.kind = Kind::update;
    operation.mid = mid;
    operation.extent = known->second;
    operation.envelope = std::move(envelope);
    operation.done = std::move(done);
    state_->push(std::move(operation));
}

void Spool::remove(MessageId mid, std::function<void(Result<void>)> done) {
    const auto known = state_->stored.find(mid);
    if (known == state_->stored.end()) return answer_unknown(*state_, std::move(done));
    SpoolOperation operation;
    operation.kind = Kind::remove;
    operation.mid = mid;
    operation.extent = known->second;
    operation.done = std::move(done);
    state_->stored.erase(known);
    state_->push(std::move(operation));
}

std::unique_ptr<SpoolReader> Spool::read(MessageId mid) {
    auto reader = std::make_shared<SpoolReader::State>();
    reader->spool = state_;
    reader->mid = mid;
    const auto known = state_->stored.find(mid);
    reader->known = known != state_->stored.end();
    if (reader->known) reader->extent = known->second;
    return std::unique_ptr<SpoolReader>(new SpoolReader(std::move(reader)));
}

bool Spool::healthy() const { return state_->trouble.empty(); }

std::string Spool::trouble() const { return state_->trouble; }

Spool::Statistics Spool::statistics() const { return state_->statistics; }

void Spool::State::answer(SpoolRound& round) {
    if (round.synced) {
        ++statistics.commits;
        statistics.messages += round.messages;
        statistics.sync_microseconds += round.sync_microseconds;
        Metrics::instance().add(Counter::spool_commits);
        Metrics::instance().add(Counter::spool_messages_committed, round.messages);
    }
    for (SpoolOperation& operation : round.operations) {
        if (closed) return;  // also by one of the callbacks
        switch (operation.kind) {
        case Kind::piece: operation.writer->on_piece_answered(operation); break;
        case Kind::commit: operation.writer->on_commit_answered(operation); break;
        case Kind::update:
        case Kind::remove:
            if (operation.done) operation.done(answer_of(operation));
            break;
        case Kind::abort: break;
        case Kind::mid_mark:
            mid_mark_asked = false;
            if (!operation.failed) mid_mark = std::max(mid_mark, operation.mid);
            break;
        }
    }
}

}  // namespace sealgate

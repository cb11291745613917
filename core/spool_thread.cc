// SPDX-License-Identifier: GPL-3.0-or-later
// The spool thread: takes all that is waiting, writes it as one batch, syncs once, answers all.
//
// When a write fails, the whole round is answered with a temporary error and the store counts as
// failing: until mend() works nothing is written. What must go from the store all the same
// (removals, what aborted messages left) waits in a backlog, the first thing written afterwards.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/limits.h"
#include "core/metrics.h"
#include "core/spool_internal.h"

namespace sealgate {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = SpoolOperation::Kind;

// A round larger than this is written in parts, so that the batch's memory is bounded; the sync at
// the end is for all of them.
constexpr std::size_t batch_bytes_max = 4 << 20;
constexpr std::uint64_t look_at_disk_ms = 1000;
constexpr std::uint64_t removal_held_ms = 5;

struct Removal {
    MessageId mid;
    SpoolExtent extent;
    bool streamed;
    bool envelope;
};

Removal removal_of(const SpoolOperation& operation) {
    // An aborted body that was never to be committed may have a sibling that is.
    const bool envelope = operation.kind == Kind::remove || operation.commit_may_exist;
    return {operation.mid, operation.extent, operation.streamed, envelope};
}

class SpoolThread {
public:
    explicit SpoolThread(Spool::State& spool) : spool_(spool) {}
    void run();

private:
    void carry_out(std::vector<SpoolOperation> operations);
    bool write_round(SpoolRound& round);
    void add_to_batch(SpoolOperation& operation, SpoolRound& round);
    bool write_batch(SpoolStore::Durability durability);
    void give_up(SpoolRound& round);
    void remove(const Removal& removal);
    void mend();
    void tell_trouble();

    Spool::State& spool_;
    SpoolStore& store_ = *spool_.store;
    SpoolBatch batch_;
    bool failing_ = false;
    MessageId mid_mark_ = spool_.mid_mark;
    bool mid_mark_unsure_ = false;  // it was in a batch that failed
    std::vector<Removal> backlog_;
    std::string low_disk_;
    std::string told_ = spool_.trouble;
    Clock::time_point looked_at_;
};

void SpoolThread::run() {
    looked_at_ = Clock::now();
    while (!spool_.stopping.load(std::memory_order_acquire)) {
        spool_.wake.wait_for(look_at_disk_ms);
        carry_out(spool_.inbox.take_all());
        if (Clock::now() - looked_at_ < std::chrono::milliseconds(look_at_disk_ms)) continue;
        looked_at_ = Clock::now();
        if (failing_) mend();
        low_disk_ = low_disk_text(store_);
        tell_trouble();
    }
    if (failing_) mend();
    carry_out(spool_.inbox.take_all());
}

void SpoolThread::carry_out(std::vector<SpoolOperation> operations) {
    if (operations.empty()) return;
    auto round = std::make_shared<SpoolRound>();
    round->operations = std::move(operations);
    if (failing_ || !write_round(*round)) give_up(*round);
    if (spool_.stopping.load(std::memory_order_acquire)) return;  // nobody hears it
    tell_trouble();  // before the answers: who is refused should know why
    spool_.loop.post([spool = spool_.shared_from_this(), round] { spool->answer(*round); });
}

bool SpoolThread::write_round(SpoolRound& round) {
    for (SpoolOperation& operation : round.operations) {
        add_to_batch(operation, round);
        if (batch_.bytes() > batch_bytes_max && !write_batch(SpoolStore::Durability::written))
            return false;
    }
    if (!round.synced) return batch_.empty() || write_batch(SpoolStore::Durability::written);
    const auto begin = Clock::now();
    if (!write_batch(SpoolStore::Durability::synced)) return false;
    const auto spent = Clock::now() - begin;
    round.sync_microseconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(spent).count());
    return true;
}

void SpoolThread::add_to_batch(SpoolOperation& operation, SpoolRound& round) {
    const MessageId mid = operation.mid;
    switch (operation.kind) {
    case Kind::piece:
        operation.failed = operation.writer->broken.load(std::memory_order_relaxed);
        if (operation.failed) return;
        if (operation.extent.piece_count == 1) batch_.mark_uncommitted(mid, operation.extent);
        batch_.put_piece(mid, operation.extent.last_index(), operation.body);
        operation.body.clear();
        break;
    case Kind::commit:
        operation.failed = operation.writer->broken.load(std::memory_order_relaxed);
        if (operation.failed) return;
        batch_.put_head(mid, operation.extent, operation.head);
        if (!operation.body.empty())
            batch_.put_piece(mid, operation.extent.last_index(), operation.body);
        if (operation.streamed) batch_.unmark_uncommitted(mid, operation.extent);
        batch_.put_envelope(mid, operation.extent, operation.envelope);
        operation.head.clear();
        operation.body.clear();
        round.synced = true;
        ++round.messages;
        break;
    case Kind::update:
        batch_.put_envelope(mid, operation.extent, operation.envelope);
        round.synced = true;
        break;
    case Kind::abort:
        // When the commit may be on disk already, its undoing must be, too.
        if (operation.commit_may_exist) round.synced = true;
        remove(removal_of(operation));
        return;
    case Kind::remove: remove(removal_of(operation)); return;
    case Kind::mid_mark: round.synced = true; break;
    }
    // What is stored has a MID below the mark, in the same record or an earlier one.
    if (mid > mid_mark_ || mid_mark_unsure_) {
        mid_mark_ = std::max(mid_mark_, mid);
        mid_mark_unsure_ = false;
        batch_.put_mid_mark(mid_mark_);
    }
}

void SpoolThread::remove(const Removal& removal) {
    batch_.remove_pieces(removal.mid, removal.extent);
    if (removal.streamed) batch_.unmark_uncommitted(removal.mid, removal.extent);
    if (removal.envelope) batch_.remove_envelope(removal.mid);
}

bool SpoolThread::write_batch(SpoolStore::Durability durability) {
    if (store_.write(batch_, durability)) return true;
    failing_ = true;
    Metrics::instance().add(Counter::spool_errors);
    return false;
}

// All of the round failed, also what an earlier part of it wrote: the writers will abort that.
void SpoolThread::give_up(SpoolRound& round) {
    batch_.clear();
    round.synced = false;
    round.messages = 0;
    for (SpoolOperation& operation : round.operations) {
        operation.failed = true;
        operation.head.clear();
        operation.body.clear();
        if (operation.writer) operation.writer->broken.store(true, std::memory_order_relaxed);
        if (operation.kind == Kind::remove || operation.kind == Kind::abort)
            backlog_.push_back(removal_of(operation));
    }
    mid_mark_unsure_ = true;
}

void SpoolThread::mend() {
    if (!store_.mend()) return;
    for (const Removal& removal : backlog_) remove(removal);
    if (!batch_.empty() && !store_.write(batch_, SpoolStore::Durability::synced)) return;
    backlog_.clear();
    failing_ = false;
}

void SpoolThread::tell_trouble() {
    const std::string& trouble = failing_ ? store_.last_error() : low_disk_;
    if (trouble == told_) return;
    told_ = trouble;
    spool_.loop.post([spool = spool_.shared_from_this(), trouble] { spool->trouble = trouble; });
}

}  // namespace

std::string low_disk_text(const SpoolStore& store) {
    const std::uint64_t free_bytes = store.free_bytes();
    if (free_bytes >= limits::disk_free_bytes_min) return {};
    return fmt::format("the spool's disk is nearly full: {} MB are free", free_bytes >> 20);
}

void Spool::State::serve() { SpoolThread(*this).run(); }

void Spool::State::push(SpoolOperation operation) {
    if (closed) return;
    // Nobody waits for a removal: it goes with the next commit, or by itself a little later.
    const bool urgent = operation.kind != SpoolOperation::Kind::remove || operation.done;
    inbox.push(std::move(operation));
    if (wake_asked) return;
    if (!urgent) {
        if (!removal_timer->running()) removal_timer->start(removal_held_ms);
        return;
    }
    // At the end of this round of the loop: what other sessions end meanwhile shares the sync.
    wake_asked = true;
    loop.defer([state = shared_from_this()] {
        state->wake_asked = false;
        state->wake.raise();
    });
}

void Spool::State::finish() {
    stopping.store(true, std::memory_order_release);
    wake.raise();
    read_wake.raise();
    if (thread.joinable()) thread.join();
    if (reader_thread.joinable()) reader_thread.join();
    inbox.take_all();
    read_inbox.take_all();  // what waits there refers to us
}

}  // namespace sealgate

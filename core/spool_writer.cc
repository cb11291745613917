// SPDX-License-Identifier: GPL-3.0-or-later
// A message on its way into the spool: cut into pieces, held back when the disk is slow.
#include <utility>

#include "core/limits.h"
#include "core/spool_internal.h"

namespace sealgate {
namespace {

using Kind = SpoolOperation::Kind;

// Smaller chunks are copied together: each could keep a whole read block of a socket in memory,
// and a peer that sends byte by byte would have us keep one for every byte.
constexpr std::size_t copied_chunk_bytes_max = 2048;
constexpr const char* failed_text = "the spool cannot be written";

bool memory_is_plenty() {
    const BlockPool& pool = BlockPool::instance();
    return pool.in_use_bytes() < pool.budget_bytes() / 2;
}

}  // namespace

void KeptBytes::append(Chunk chunk) {
    if (chunk.size() <= copied_chunk_bytes_max) {
        small_.append(chunk.bytes());
        return;
    }
    if (!small_.empty()) list_.append(small_.take());
    list_.append(std::move(chunk));
}

void KeptBytes::append_all(const ChunkList& chunks) {
    for (const Chunk& chunk : chunks) append(chunk);
}

void KeptBytes::put_before(ChunkList bytes) {
    bytes.append(take());
    list_ = std::move(bytes);
}

ChunkList KeptBytes::take() {
    if (!small_.empty()) list_.append(small_.take());
    return std::exchange(list_, ChunkList());
}

SpoolHoldings SpoolWriter::State::holdings() const {
    const bool alone = spool->variants.empty() || spool->variants.count(mid) == 0;
    if (alone)
        return {limits::spool_piece_bytes, limits::spool_piece_bytes,
                limits::spool_unwritten_bytes_max, limits::young_message_bytes_max};
    return {limits::spool_variant_piece_bytes, limits::spool_variant_piece_bytes / 4,
            limits::spool_variant_unwritten_bytes_max, limits::young_variant_bytes_max};
}

// What is pending, and for a young message a share of it.
ChunkList SpoolWriter::State::take_pending() {
    ChunkList taken = pending.take();
    if (may_be_young) young.append(ChunkList(taken));
    return taken;
}

void SpoolWriter::State::hand_over_piece() {
    // At 32 KB each 256 GB, which no message-size-max allows.
    CHECK(extent.piece_count < (std::uint32_t{1} << spool_variant_index_bits) / 2);
    ++extent.piece_count;
    streamed = true;
    SpoolOperation operation;
    operation.kind = Kind::piece;
    operation.mid = mid;
    operation.extent = extent;
    operation.body = take_pending();
    operation.piece_bytes = operation.body.bytes();
    operation.writer = shared_from_this();
    unwritten_bytes += operation.piece_bytes;
    spool->push(std::move(operation));
}

// At the commit: with what is pending where both are one piece, which saves the store a record;
// else in pieces of its own, which are given back.
ChunkList SpoolWriter::State::take_head() {
    if (head.empty()) return {};
    ChunkList taken = std::exchange(head, ChunkList());
    if (!streamed && taken.bytes() + pending.bytes() <= limits::spool_piece_bytes) {
        pending.put_before(std::move(taken));
        return {};
    }
    const auto pieces = static_cast<std::uint32_t>((taken.bytes() + limits::spool_piece_bytes - 1) /
                                                   limits::spool_piece_bytes);
    extent.first_index -= pieces;
    extent.piece_count += pieces;
    if (may_be_young) {
        ChunkList whole(taken);
        whole.append(std::move(young));
        young = std::move(whole);
    }
    return taken;
}

// One body of a message may be committed. Where there were no variants, or none live any more,
// on_commit_answered() finds a second commit.
void SpoolWriter::State::claim_commit() {
    CHECK(!commit_asked);
    commit_asked = true;
    const auto found = spool->variants.find(mid);
    if (found == spool->variants.end()) return;
    CHECK(!found->second.commit_asked);
    found->second.commit_asked = true;
}

void SpoolWriter::State::leave_variants() {
    const auto found = spool->variants.find(mid);
    if (found == spool->variants.end()) return;
    if (commit_asked && !committed) found->second.commit_asked = false;
    if (variant == 0) return;
    found->second.taken.reset(variant);
    if (found->second.taken == 1) spool->variants.erase(found);
}

void SpoolWriter::State::on_piece_answered(const SpoolOperation& piece) {
    unwritten_bytes -= piece.piece_bytes;
    if (gone || failed) return;
    if (piece.failed) {
        failed = true;
        // When the commit is on its way its answer says so.
        if (source && !commit_asked) source->on_failed({ErrorKind::temporary, failed_text});
    } else if (full && unwritten_bytes <= holdings().unwritten_bytes_max / 2) {
        full = false;
        if (source && !finished) source->on_drain();
    }
}

void SpoolWriter::State::on_commit_answered(SpoolOperation& commit) {
    if (gone) return;  // its destructor has sent an abort after the commit
    const Committed answer = std::exchange(on_committed, nullptr);
    if (commit.failed) {
        failed = true;
        return answer(temporary(failed_text));
    }
    committed = true;
    CHECK(spool->stored.emplace(commit.mid, commit.extent).second);
    StoredMessage stored;
    stored.mid = commit.mid;
    stored.body_bytes = commit.extent.body_bytes;
    stored.envelope = std::move(commit.envelope);
    stored.in_memory = may_be_young && memory_is_plenty();
    if (stored.in_memory) stored.body = std::move(young);
    young.clear();
    answer(std::move(stored));
}

SpoolWriter::SpoolWriter(std::shared_ptr<State> state) : state_(std::move(state)) {}

SpoolWriter::~SpoolWriter() {
    State& state = *state_;
    state.gone = true;
    state.on_committed = nullptr;
    state.pending.take();
    state.head.clear();
    state.young.clear();
    state.leave_variants();
    if (state.committed || (!state.streamed && !state.commit_asked)) return;
    SpoolOperation operation;
    operation.kind = Kind::abort;
    operation.mid = state.mid;
    operation.extent = state.extent;
    operation.streamed = state.streamed;
    operation.commit_may_exist = state.commit_asked;
    state.spool->push(std::move(operation));
}

MessageId SpoolWriter::mid() const { return state_->mid; }

std::uint64_t SpoolWriter::body_bytes() const { return state_->extent.body_bytes; }

void SpoolWriter::set_source(Source* source) { state_->source = source; }

Result<Flow> SpoolWriter::write(Chunk chunk) {
    State& state = *state_;
    CHECK(!state.finished);
    if (state.failed) return temporary(failed_text);
    const SpoolHoldings holdings = state.holdings();
    state.extent.body_bytes += chunk.size();
    if (state.may_be_young && state.extent.body_bytes > holdings.young_bytes_max) {
        state.may_be_young = false;
        state.young.clear();
    }
    while (!chunk.empty()) {
        // Only when there is more: the last piece goes with the commit.
        if (state.pending.bytes() >= holdings.piece_bytes) state.hand_over_piece();
        const std::size_t room = holdings.piece_bytes - state.pending.bytes();
        if (chunk.size() <= room) {
            state.pending.append(std::move(chunk));
            break;
        }
        state.pending.append(chunk.slice(0, room));
        chunk = chunk.slice(room, chunk.size());
    }
    // What is left of a read would keep its whole block until the next one has come.
    if (state.extent.piece_count > 0 && state.pending.bytes() >= holdings.early_piece_bytes &&
        holdings.early_piece_bytes < holdings.piece_bytes)
        state.hand_over_piece();
    state.full = state.unwritten_bytes >= holdings.unwritten_bytes_max;
    return state.full ? Flow::full : Flow::open;
}

Result<Flow> SpoolWriter::finish() {
    if (state_->failed) return temporary(failed_text);
    state_->finished = true;
    return Flow::open;
}

void SpoolWriter::set_head(ChunkList head) {
    State& state = *state_;
    CHECK(state.finished && !state.commit_asked && state.head.empty());
    CHECK(head.bytes() <= limits::spool_head_bytes_max);
    state.extent.body_bytes += head.bytes();
    if (state.extent.body_bytes > limits::young_message_bytes_max) {
        state.may_be_young = false;
        state.young.clear();
    }
    KeptBytes kept;
    kept.append_all(head);
    state.head = kept.take();
}

void SpoolWriter::commit(std::string envelope, Committed committed) {
    State& state = *state_;
    CHECK(state.finished);
    state.claim_commit();
    state.on_committed = std::move(committed);
    SpoolOperation operation;
    operation.kind = Kind::commit;
    operation.mid = state.mid;
    operation.streamed = state.streamed;
    operation.head = state.take_head();
    operation.body = state.take_pending();
    if (!operation.body.empty()) ++state.extent.piece_count;
    operation.extent = state.extent;
    operation.envelope = std::move(envelope);
    operation.writer = state_;
    state.spool->push(std::move(operation));
}

}  // namespace sealgate

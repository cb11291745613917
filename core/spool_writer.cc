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

void SpoolWriter::State::append(Chunk chunk) {
    if (chunk.size() <= copied_chunk_bytes_max) {
        small.append(chunk.bytes());
        return;
    }
    if (!small.empty()) pending.append(small.take());
    pending.append(std::move(chunk));
}

// What is pending, and for a young message a share of it.
ChunkList SpoolWriter::State::take_pending() {
    if (!small.empty()) pending.append(small.take());
    if (may_be_young) young.append(ChunkList(pending));
    return std::exchange(pending, ChunkList());
}

void SpoolWriter::State::hand_over_piece(MessageId mid) {
    SpoolOperation operation;
    operation.kind = Kind::piece;
    operation.mid = mid;
    operation.piece_count = piece_count++;
    operation.body = take_pending();
    operation.body_bytes = operation.body.bytes();
    operation.writer = shared_from_this();
    unwritten_bytes += operation.body_bytes;
    spool->push(std::move(operation));
}

void SpoolWriter::State::on_piece_answered(const SpoolOperation& piece) {
    unwritten_bytes -= piece.body_bytes;
    if (gone || failed) return;
    if (piece.failed) {
        failed = true;
        // When the commit is on its way its answer says so.
        if (source && !commit_asked) source->on_failed({ErrorKind::temporary, failed_text});
    } else if (full && unwritten_bytes <= limits::spool_unwritten_bytes_max / 2) {
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
    spool->body_bytes[commit.mid] = commit.body_bytes;
    StoredMessage stored;
    stored.mid = commit.mid;
    stored.body_bytes = commit.body_bytes;
    stored.envelope = std::move(commit.envelope);
    stored.in_memory = may_be_young && memory_is_plenty();
    if (stored.in_memory) stored.body = std::move(young);
    young.clear();
    answer(std::move(stored));
}

SpoolWriter::SpoolWriter(std::shared_ptr<State> state, MessageId mid)
    : mid_(mid), state_(std::move(state)) {}

SpoolWriter::~SpoolWriter() {
    State& state = *state_;
    state.gone = true;
    state.on_committed = nullptr;
    state.pending.clear();
    state.young.clear();
    if (state.committed || (state.piece_count == 0 && !state.commit_asked)) return;
    SpoolOperation operation;
    operation.kind = Kind::abort;
    operation.mid = mid_;
    operation.piece_count = state.piece_count;
    operation.streamed = state.piece_count > 0;
    operation.commit_may_exist = state.commit_asked;
    state.spool->push(std::move(operation));
}

void SpoolWriter::set_source(Source* source) { state_->source = source; }

Result<Flow> SpoolWriter::write(Chunk chunk) {
    State& state = *state_;
    CHECK(!state.finished);
    if (state.failed) return temporary(failed_text);
    body_bytes_ += chunk.size();
    if (state.may_be_young && body_bytes_ > limits::young_message_bytes_max) {
        state.may_be_young = false;
        state.young.clear();
    }
    while (!chunk.empty()) {
        // Only when there is more: the last piece goes with the commit.
        if (state.pending_bytes() == limits::spool_piece_bytes) state.hand_over_piece(mid_);
        const std::size_t room = limits::spool_piece_bytes - state.pending_bytes();
        if (chunk.size() <= room) {
            state.append(std::move(chunk));
            break;
        }
        state.append(chunk.slice(0, room));
        chunk = chunk.slice(room, chunk.size());
    }
    state.full = state.unwritten_bytes >= limits::spool_unwritten_bytes_max;
    return state.full ? Flow::full : Flow::open;
}

Result<Flow> SpoolWriter::finish() {
    if (state_->failed) return temporary(failed_text);
    state_->finished = true;
    return Flow::open;
}

void SpoolWriter::commit(std::string envelope, Committed committed) {
    State& state = *state_;
    CHECK(state.finished && !state.commit_asked);
    state.commit_asked = true;
    state.on_committed = std::move(committed);
    SpoolOperation operation;
    operation.kind = Kind::commit;
    operation.mid = mid_;
    operation.streamed = state.piece_count > 0;
    operation.body = state.take_pending();
    if (!operation.body.empty()) ++state.piece_count;
    operation.piece_count = state.piece_count;
    operation.body_bytes = body_bytes_;
    operation.envelope = std::move(envelope);
    operation.writer = state_;
    state.spool->push(std::move(operation));
}

}  // namespace sealgate

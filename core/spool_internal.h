// SPDX-License-Identifier: GPL-3.0-or-later
// What the spool's files share: operations on their way to the spool thread, and its state.
//
// An operation is made on the loop thread, carried out on the spool thread as part of a round, and
// goes back whole with its round: what its callbacks hold on to is only touched on the loop thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/loop.h"
#include "core/mailbox.h"
#include "core/spool.h"
#include "core/spool_store.h"
#include "core/thread.h"
#include "core/timer.h"

namespace sealgate {

struct SpoolOperation;

// A writer's, shared with its operations. The loop thread's but for `broken`.
struct SpoolWriter::State : std::enable_shared_from_this<SpoolWriter::State> {
    std::shared_ptr<Spool::State> spool;
    bool gone = false;  // the SpoolWriter was destroyed
    Source* source = nullptr;
    ChunkList pending;   // not yet handed over, at most one piece
    ChunkBuilder small;  // the end of it: small chunks, copied together
    ChunkList young;     // what was handed over, while the message may be young
    bool may_be_young = true;
    bool finished = false;
    bool commit_asked = false;
    bool committed = false;
    bool failed = false;
    bool full = false;
    std::uint32_t piece_count = 0;  // handed over
    std::size_t unwritten_bytes = 0;
    Committed on_committed;
    std::atomic<bool> broken{false};  // the spool thread's: a piece of it was not written

    std::size_t pending_bytes() const { return pending.bytes() + small.bytes(); }
    void append(Chunk chunk);
    ChunkList take_pending();
    void hand_over_piece(MessageId mid);
    void on_piece_answered(const SpoolOperation& piece);
    void on_commit_answered(SpoolOperation& commit);
};

struct SpoolReader::State {
    std::shared_ptr<Spool::State> spool;
    MessageId mid = 0;
    std::uint64_t body_bytes = 0;
    bool known = false;    // a committed message when the reader was made
    bool dropped = false;  // the loop's
    std::uint32_t next_index = 0;
    Piece on_piece;
};

struct SpoolOperation {
    enum class Kind : std::uint8_t { piece, commit, update, remove, abort, mid_mark };

    Kind kind = Kind::piece;
    bool failed = false;            // the answer
    bool streamed = false;          // commit, abort: pieces were handed over before the commit
    bool commit_may_exist = false;  // abort: the commit was handed over before
    MessageId mid = 0;
    std::uint32_t piece_count = 0;  // piece: before this one; else: all of the message
    ChunkList body;                 // piece, commit: the last piece
    std::uint64_t body_bytes = 0;   // piece: of it; commit, update: of the message
    std::string envelope;
    std::shared_ptr<SpoolWriter::State> writer;  // piece, commit
    std::function<void(Result<void>)> done;      // update, remove
};

struct SpoolRound {
    std::vector<SpoolOperation> operations;
    bool synced = false;
    std::uint64_t messages = 0;
    std::uint64_t sync_microseconds = 0;
};

// Everything of a Spool; operations, writers and readers keep it while they are on their way.
struct Spool::State : std::enable_shared_from_this<Spool::State> {
    explicit State(Loop& on_loop) : loop(on_loop) {}

    Loop& loop;
    std::unique_ptr<SpoolStore> store;

    // --- the loop thread's ---
    bool closed = false;  // the Spool is gone: no callback any more
    std::unordered_map<MessageId, std::uint64_t> body_bytes;  // of every committed message
    MessageId next_mid = 1;
    MessageId mid_mark = 0;  // durable, as far as is known
    bool mid_mark_asked = false;
    bool wake_asked = false;  // at the end of this round of the loop
    std::unique_ptr<Timer> removal_timer;
    std::unordered_map<MessageId, std::unique_ptr<SpoolWriter>> own_writers;  // store()'s
    std::string trouble;
    Statistics statistics;

    // --- between the threads ---
    Mailbox<SpoolOperation> inbox;
    Semaphore wake;
    Mailbox<std::shared_ptr<SpoolReader::State>> read_inbox;
    Semaphore read_wake;
    std::atomic<bool> stopping{false};

    std::thread thread;
    std::thread reader_thread;

    void push(SpoolOperation operation);
    void ask(std::shared_ptr<SpoolReader::State> reader);
    void answer(SpoolRound& round);  // loop thread
    void serve();                    // the spool thread's life
    void serve_reads();              // the reader thread's
    void finish();                   // joins both
};

std::uint32_t piece_count_of(std::uint64_t body_bytes);
// For people, when the store's disk has too little room; otherwise empty.
std::string low_disk_text(const SpoolStore& store);

}  // namespace sealgate

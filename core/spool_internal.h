// SPDX-License-Identifier: GPL-3.0-or-later
// What the spool's files share: operations on their way to the spool thread, and its state.
//
// An operation is made on the loop thread, carried out on the spool thread as part of a round, and
// goes back whole with its round: what its callbacks hold on to is only touched on the loop thread.
#pragma once

#include <atomic>
#include <bitset>
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

// Bytes that are kept, without the blocks of small chunks among them.
class KeptBytes {
public:
    void append(Chunk chunk);
    std::size_t bytes() const { return list_.bytes() + small_.bytes(); }
    void append_all(const ChunkList& chunks);
    void put_before(ChunkList bytes);
    ChunkList take();

private:
    ChunkList list_;
    ChunkBuilder small_;  // the end of it: small chunks, copied together
};

// How much of a body is held where, by whether its message has other bodies as well.
struct SpoolHoldings {
    std::size_t piece_bytes;
    std::size_t early_piece_bytes;  // handed over at the end of a write, once pieces were
    std::size_t unwritten_bytes_max;
    std::size_t young_bytes_max;
};

// A writer's, shared with its operations. The loop thread's but for `broken`.
struct SpoolWriter::State : std::enable_shared_from_this<SpoolWriter::State> {
    State(std::shared_ptr<Spool::State> of_spool, MessageId of_mid, std::uint32_t as_variant)
        : spool(std::move(of_spool)),
          mid(of_mid),
          variant(as_variant),
          extent(empty_extent(as_variant)) {}

    const std::shared_ptr<Spool::State> spool;
    const MessageId mid;
    const std::uint32_t variant;  // 0: begin()'s
    SpoolExtent extent;           // bytes: all that was given; pieces: those handed over
    bool gone = false;            // the SpoolWriter was destroyed
    Source* source = nullptr;
    KeptBytes pending;  // not yet handed over, at most one piece
    ChunkList head;     // set, not yet handed over
    ChunkList young;    // what was handed over, while the message may be young
    bool may_be_young = true;
    bool streamed = false;  // pieces were handed over
    bool finished = false;
    bool commit_asked = false;
    bool committed = false;
    bool failed = false;
    bool full = false;
    std::size_t unwritten_bytes = 0;
    Committed on_committed;
    std::atomic<bool> broken{false};  // the spool thread's: a piece of it was not written

    SpoolHoldings holdings() const;
    ChunkList take_pending();
    void hand_over_piece();
    ChunkList take_head();
    void claim_commit();
    void leave_variants();
    void on_piece_answered(const SpoolOperation& piece);
    void on_commit_answered(SpoolOperation& commit);
};

struct SpoolReader::State {
    std::shared_ptr<Spool::State> spool;
    MessageId mid = 0;
    SpoolExtent extent;
    bool known = false;    // a committed message when the reader was made
    bool dropped = false;  // the loop's
    std::uint32_t pieces_read = 0;
    std::uint64_t bytes_read = 0;
    Piece on_piece;
};

struct SpoolOperation {
    enum class Kind : std::uint8_t { piece, commit, update, remove, abort, mid_mark };

    Kind kind = Kind::piece;
    bool failed = false;            // the answer
    bool streamed = false;          // commit, abort: pieces were handed over before the commit
    bool commit_may_exist = false;  // abort: the commit was handed over before
    MessageId mid = 0;
    SpoolExtent extent;           // piece: as far as this one; else: all of the body
    ChunkList head;               // commit
    ChunkList body;               // piece, commit: the last piece
    std::size_t piece_bytes = 0;  // piece
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

// The bodies that a message has beside begin()'s, while one of them lives.
struct SpoolVariants {
    std::bitset<limits::spool_variants_max> taken = 1;  // begin()'s index is never free
    bool commit_asked = false;
};

// Everything of a Spool; operations, writers and readers keep it while they are on their way.
struct Spool::State : std::enable_shared_from_this<Spool::State> {
    explicit State(Loop& on_loop) : loop(on_loop) {}

    Loop& loop;
    std::unique_ptr<SpoolStore> store;

    // --- the loop thread's ---
    bool closed = false;                                // the Spool is gone: no callback any more
    std::unordered_map<MessageId, SpoolExtent> stored;  // every committed message
    std::unordered_map<MessageId, SpoolVariants> variants;
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

// For people, when the store's disk has too little room; otherwise empty.
std::string low_disk_text(const SpoolStore& store);

}  // namespace sealgate

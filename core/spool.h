// SPDX-License-Identifier: GPL-3.0-or-later
// The durable store of messages: a body written as it streams, an envelope that commits it.
//
// One spool thread owns the RocksDB writes: it takes all that is waiting, writes one batch, syncs
// once if any of it is a commit, and answers all. A message without a committed envelope does not
// exist: what an abort or a crash leaves of it is removed (at once, or by recovery at start, which
// reads the store and needs no clean shutdown). The envelope is opaque here (smtp/envelope.h).
//
// A message may be written as several bodies at once, variants, while it is not known which of them
// it will be; the one that is committed is the message, and the others leave nothing. What comes
// first in a body may be given last (set_head): header fields that tell what was found in it.
//
// Threads: everything public is for the loop thread; callbacks come on the loop thread, never from
// inside the call. RocksDB is seen by core/spool* only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/chunk.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/stage.h"

namespace sealgate {

namespace limits {

// Bodies of one message that live at once, begin()'s among them. A session streams two; each has a
// range of the store's 32-bit indexes, and a bit of a word that says which are taken.
inline constexpr std::size_t spool_variants_max = 16;
// What set_head() takes: twice the largest header, for what stands before it and its rewriting.
inline constexpr std::size_t spool_head_bytes_max = 256 * 1024;
// While a message has variants: piece, unwritten bytes and young part of each, so that two together
// cost a session what one body costs it otherwise.
inline constexpr std::size_t spool_variant_piece_bytes = spool_piece_bytes / 2;
inline constexpr std::size_t spool_variant_unwritten_bytes_max = spool_unwritten_bytes_max / 2;
inline constexpr std::size_t young_variant_bytes_max = young_message_bytes_max / 4;

static_assert(spool_head_bytes_max >= 2 * header_bytes_max);

}  // namespace limits

class Loop;

using MessageId = std::uint64_t;  // the MID of the mail log; never reused, across restarts

// A committed message, as the queue takes it over.
struct StoredMessage {
    MessageId mid = 0;
    std::uint64_t body_bytes = 0;
    std::string envelope;
    ChunkList body;          // the whole body while the message is young; else empty
    bool in_memory = false;  // whether `body` is valid
};

class Spool;

// The end of a chain: the body of one message on its way into the store. Destroying it before
// commit() was answered with success leaves nothing of the message.
class SpoolWriter final : public Sink {
public:
    using Committed = std::function<void(Result<StoredMessage>)>;

    ~SpoolWriter() override;
    MessageId mid() const;
    std::uint64_t body_bytes() const;  // the head's included

    // Who hears on_drain(), and on_failed() when the store failed between calls.
    void set_source(Source* source);

    Result<Flow> write(Chunk chunk) override;
    Result<Flow> finish() override;  // the body is complete; nothing is durable yet
    // After finish(), once: what comes before all that was written.
    void set_head(ChunkList head);
    // After finish(): makes body and envelope durable; `committed` is called when they are. Of a
    // message's variants for one only, or for another once the writer that asked first is gone
    // without success.
    void commit(std::string envelope, Committed committed);

    struct State;

private:
    friend class Spool;
    explicit SpoolWriter(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;  // it may outlive the Spool, and then does nothing any more
};

// Reads a stored body in pieces, off the loop thread. One read at a time.
class SpoolReader {
public:
    // An empty list: the end.
    using Piece = std::function<void(Result<ChunkList>)>;
    ~SpoolReader();  // a pending piece is dropped
    void next(Piece piece);

    struct State;

private:
    friend class Spool;
    explicit SpoolReader(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

class Spool {
public:
    struct Recovered {
        MessageId mid;
        std::uint64_t body_bytes;
        std::string envelope;
    };

    // Opens or makes the store DIRECTORY/spool; blocks (start-up only). `why` says more for people.
    static Result<std::unique_ptr<Spool>> open(Loop& loop, const std::string& directory,
                                               std::string* why);
    ~Spool();  // writes and syncs what was handed over

    // At start: calls `each` for every committed message in MID order, removes what was left of
    // uncommitted ones. Blocks.
    Result<void> recover(const std::function<void(Recovered)>& each);

    // A MID that no message before it had, also not before a restart. (While the store is failing
    // more than a thousand may be given out unwritten; what is stored never shares one.)
    MessageId next_mid();
    std::unique_ptr<SpoolWriter> begin(MessageId mid);
    // Another body for a message that was begun and is not committed, also when the bodies it had
    // are gone. Destroying a variant, before or after another one's commit, takes its own bytes and
    // nothing else.
    std::unique_ptr<SpoolWriter> begin_variant(MessageId mid);
    // A small message that is whole in memory (DSNs): begin, write, finish, commit in one.
    void store(MessageId mid, ChunkList body, std::string envelope,
               SpoolWriter::Committed committed);

    // Replaces the envelope; durable with the next group commit, then `done` (may be empty).
    void update(MessageId mid, std::string envelope, std::function<void(Result<void>)> done);
    // Forgets the message. Not synced by itself: after a crash it may come back (and be delivered
    // twice: the one duplicate spec/operations.md allows). `done` (may be empty) after the write;
    // with an error when the store is failing: then the removal waits until it works again. Without
    // `done` nobody waits for it: it goes with the next commit, or some milliseconds later.
    void remove(MessageId mid, std::function<void(Result<void>)> done = {});
    std::unique_ptr<SpoolReader> read(MessageId mid);

    // False while the disk is full or failing: then no new message may begin (452 4.3.1).
    bool healthy() const;
    std::string trouble() const;  // for people; empty when healthy

    struct Statistics {
        std::uint64_t commits = 0;            // syncs
        std::uint64_t messages = 0;           // committed by them
        std::uint64_t sync_microseconds = 0;  // spent in them
    };
    Statistics statistics() const;

    struct State;
    State& state() { return *state_; }

private:
    explicit Spool(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;  // shared with what is on its way between the threads
};

}  // namespace sealgate

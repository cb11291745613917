// SPDX-License-Identifier: GPL-3.0-or-later
// The spool's RocksDB: keys, batches, opening, mending. Knows records, not messages on their way.
//
// One key space, so that one write-ahead log record holds a whole commit:
//
//     'B' mid index   a piece of a body, spool_piece_bytes each but the last (8 + 4 bytes)
//     'E' mid         body size (8 bytes) and envelope: the message exists; numbers big endian
//     'P' mid         pieces were written and no envelope yet: what recovery removes
//     'M' "format"    version of this layout;   'M' "mid"   no MID above it was ever used
//
// Pieces and 'P' are written once and removed by SingleDelete, so a message that is delivered
// before its memtable is flushed leaves no trace on disk but in the log. Envelopes are replaced,
// so they are removed by Delete (the two must never meet on one key: rocksdb/db.h, SingleDelete).
//
// Threads: write() and mend() by the spool thread (or at start, before it has work); the reading
// functions by any thread.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>

#include "core/chunk.h"
#include "core/result.h"
#include "core/spool.h"

namespace sealgate {

// What is written as one: after a crash all of it is there or nothing.
class SpoolBatch {
public:
    void put_piece(MessageId mid, std::uint32_t index, const ChunkList& piece);
    void remove_pieces(MessageId mid, std::uint32_t count);
    void mark_uncommitted(MessageId mid);
    void unmark_uncommitted(MessageId mid);
    void put_envelope(MessageId mid, std::uint64_t body_bytes, const std::string& envelope);
    void remove_envelope(MessageId mid);
    void put_mid_mark(MessageId mid);

    std::size_t bytes() const { return batch_.GetDataSize(); }
    bool empty() const { return batch_.Count() == 0; }
    void clear() { batch_.Clear(); }

private:
    friend class SpoolStore;
    rocksdb::WriteBatch batch_;
};

class SpoolStore {
public:
    enum class Durability : std::uint8_t { written, synced };

    // Blocks. `directory` is made when absent.
    static Result<std::unique_ptr<SpoolStore>> open(const std::string& directory, std::string* why);
    ~SpoolStore();

    // The batch is empty afterwards, also after an error; then last_error() says more.
    Result<void> write(SpoolBatch& batch, Durability durability);
    // After a failed write: brings the database back, by Resume() or by opening it again.
    Result<void> mend();
    const std::string& last_error() const { return last_error_; }

    Result<Chunk> piece(MessageId mid, std::uint32_t index) const;
    Result<void> each_envelope(const std::function<void(Spool::Recovered)>& each) const;
    Result<std::vector<MessageId>> uncommitted() const;
    // Removes all pieces a message may have, without knowing how many.
    Result<void> remove_uncommitted(const std::vector<MessageId>& mids);
    Result<MessageId> mid_mark() const;

    std::uint64_t free_bytes() const;  // of the file system, for us

private:
    explicit SpoolStore(std::string directory) : directory_(std::move(directory)) {}
    rocksdb::Status open_database();
    Result<void> check_format(std::string* why);
    Result<void> failed(const rocksdb::Status& status, const char* what);

    const std::string directory_;
    std::string last_error_;                 // the writing thread's
    std::unique_ptr<rocksdb::DB> database_;  // null while it cannot be opened again
    mutable std::shared_mutex reopening_;    // readers share it; never taken on the loop thread
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The spool's RocksDB: keys, batches, opening, mending. Knows records, not messages on their way.
//
// One key space, so that one write-ahead log record holds a whole commit:
//
//     'B' mid index   a piece of a body, spool_piece_bytes at most (8 + 4 bytes)
//     'E' mid         body size (8 bytes), its first index and number of pieces (4 bytes each), and
//                     the envelope: the message exists; numbers big endian
//     'P' mid index   pieces of the variant whose range begins there were written, and it is
//                     neither committed nor removed: what recovery removes
//     'M' "format"    version of this layout;   'M' "mid"   no MID above it was ever used
//
// Variant v of a body has the indexes from v << 24: a few for a head, which comes last and may be
// large, then the pieces as they come. A head takes those next to the pieces, so that the indexes
// of a stored body have no gap.
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

inline constexpr int spool_variant_index_bits = 24;
// Pieces that a head may take.
inline constexpr std::uint32_t spool_head_pieces_max =
    limits::spool_head_bytes_max / limits::spool_piece_bytes;
static_assert(limits::spool_head_bytes_max % limits::spool_piece_bytes == 0);
static_assert(limits::spool_variants_max <= std::size_t{1} << (32 - spool_variant_index_bits));

// Which pieces a body has.
struct SpoolExtent {
    std::uint64_t body_bytes = 0;
    std::uint32_t first_index = 0;
    std::uint32_t piece_count = 0;

    std::uint32_t last_index() const { return first_index + piece_count - 1; }
    // Where the range of its variant begins.
    std::uint32_t variant_index() const {
        return first_index >> spool_variant_index_bits << spool_variant_index_bits;
    }
};

// A body without pieces yet.
inline SpoolExtent empty_extent(std::uint32_t variant) {
    return {0, (variant << spool_variant_index_bits) + spool_head_pieces_max, 0};
}

// What is written as one: after a crash all of it is there or nothing.
class SpoolBatch {
public:
    void put_piece(MessageId mid, std::uint32_t index, const ChunkList& piece);
    // In as many pieces as it takes, the first of the extent.
    void put_head(MessageId mid, const SpoolExtent& extent, const ChunkList& head);
    void remove_pieces(MessageId mid, const SpoolExtent& extent);
    void mark_uncommitted(MessageId mid, const SpoolExtent& extent);
    void unmark_uncommitted(MessageId mid, const SpoolExtent& extent);
    void put_envelope(MessageId mid, const SpoolExtent& extent, const std::string& envelope);
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

    struct Committed {
        MessageId mid;
        SpoolExtent extent;
        std::string envelope;
    };
    struct Uncommitted {
        MessageId mid;
        SpoolExtent extent;  // all that a variant can have
    };

    Result<Chunk> piece(MessageId mid, std::uint32_t index) const;
    Result<void> each_envelope(const std::function<void(Committed)>& each) const;
    Result<std::vector<Uncommitted>> uncommitted() const;
    Result<void> remove_uncommitted(const std::vector<Uncommitted>& variants);
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

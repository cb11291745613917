// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/spool_store.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <mutex>

#include "core/limits.h"

#if defined(__SANITIZE_THREAD__)
// The distribution's RocksDB is built without the sanitizer, which therefore sees its memory but
// not the atomics that guard it (first met: obsolete files' names against the iterator that read
// them before). What is ours is checked all the same.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
    return "race:rocksdb::\nrace:librocksdb\ncalled_from_lib:librocksdb\n";
}
#endif

namespace sealgate {
namespace {

constexpr int format_version = 2;
constexpr std::string_view format_key = "Mformat";
constexpr std::string_view mid_mark_key = "Mmid";
// A body of more pieces than this (16 MB) is removed by one range tombstone. Not earlier: a range
// tombstone slows every read of its memtable, a SingleDelete takes its piece along and is gone.
constexpr std::uint32_t single_deletes_max = 256;

void put_be(char* to, std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i, value >>= 8) to[i] = static_cast<char>(value & 0xff);
}

std::uint64_t get_be(const char* from, int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(from[i]);
    return value;
}

// A key on the stack.
class Key {
public:
    Key(char kind, MessageId mid) : size_(9) {
        bytes_[0] = kind;
        put_be(&bytes_[1], mid, 8);
    }
    Key(char kind, MessageId mid, std::uint32_t index) : Key(kind, mid) {
        put_be(&bytes_[9], index, 4);
        size_ = 13;
    }
    rocksdb::Slice slice() const { return {bytes_.data(), size_}; }

private:
    std::array<char, 13> bytes_{};
    std::size_t size_;
};

// Before the envelope, in its record.
constexpr std::size_t extent_bytes = 16;

SpoolExtent extent_of(const char* numbers) {
    return {get_be(numbers, 8), static_cast<std::uint32_t>(get_be(numbers + 8, 4)),
            static_cast<std::uint32_t>(get_be(numbers + 12, 4))};
}

rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }

// Errors reach us as values. RocksDB's own log is a file on the same disk, and where that is full
// Debian's build (7.8.3, with assertions) ends the process at the second line it cannot write.
class NoLog final : public rocksdb::Logger {
public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
};

// Sizes: 3 memtables of 16 MB, 4 MB of cache, few open files: within 64 MB. Numbers behind the
// choices are bench/spool_bench.cc's.
rocksdb::Options database_options() {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = 16 << 20;
    options.max_write_buffer_number = 3;
    options.max_background_jobs = 2;
    options.max_open_files = 128;
    options.compression = rocksdb::kNoCompression;    // mail is base64 or compressed already
    options.allow_concurrent_memtable_write = false;  // one writer
    options.enable_write_thread_adaptive_yield = false;
    options.avoid_unnecessary_blocking_io = true;
    options.avoid_flush_during_shutdown = true;  // the log has it all
    // kPointInTimeRecovery: a torn end of the log, after power loss, ends what is recovered; what
    // was synced lies before it.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    options.max_bgerror_resume_count = 0;  // mend() does it, and then says so
    // Bodies that outlive their memtable go to blob files and are not rewritten by compactions.
    options.enable_blob_files = true;
    options.min_blob_size = 4096;
    options.blob_file_size = 64 << 20;
    options.enable_blob_garbage_collection = true;
    options.info_log = std::make_shared<NoLog>();
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(4 << 20);
    table.cache_index_and_filter_blocks = true;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

}  // namespace

void SpoolBatch::put_piece(MessageId mid, std::uint32_t index, const ChunkList& piece) {
    const Key key('B', mid, index);
    const rocksdb::Slice key_slice = key.slice();
    std::vector<rocksdb::Slice> parts;
    parts.reserve(piece.count());
    for (const Chunk& chunk : piece) parts.push_back(slice_of(chunk.text()));
    batch_.Put(rocksdb::SliceParts(&key_slice, 1),
               rocksdb::SliceParts(parts.data(), static_cast<int>(parts.size())));
}

void SpoolBatch::put_head(MessageId mid, const SpoolExtent& extent, const ChunkList& head) {
    std::uint32_t index = extent.first_index;
    ChunkList piece;
    for (const Chunk& chunk : head) {
        for (std::size_t begin = 0, end = 0; begin < chunk.size(); begin = end) {
            const std::size_t room = limits::spool_piece_bytes - piece.bytes();
            end = std::min(begin + room, chunk.size());
            piece.append(chunk.slice(begin, end));
            if (piece.bytes() < limits::spool_piece_bytes) continue;
            put_piece(mid, index++, piece);
            piece.clear();
        }
    }
    if (!piece.empty()) put_piece(mid, index, piece);
}

void SpoolBatch::remove_pieces(MessageId mid, const SpoolExtent& extent) {
    const std::uint32_t end = extent.first_index + extent.piece_count;
    if (extent.piece_count > single_deletes_max) {
        batch_.DeleteRange(Key('B', mid, extent.first_index).slice(), Key('B', mid, end).slice());
        return;
    }
    for (std::uint32_t index = extent.first_index; index != end; ++index)
        batch_.SingleDelete(Key('B', mid, index).slice());
}

void SpoolBatch::mark_uncommitted(MessageId mid, const SpoolExtent& extent) {
    batch_.Put(Key('P', mid, extent.variant_index()).slice(), {});
}

void SpoolBatch::unmark_uncommitted(MessageId mid, const SpoolExtent& extent) {
    batch_.SingleDelete(Key('P', mid, extent.variant_index()).slice());
}

void SpoolBatch::put_envelope(MessageId mid, const SpoolExtent& extent,
                              const std::string& envelope) {
    const Key key('E', mid);
    const rocksdb::Slice key_slice = key.slice();
    char numbers[extent_bytes];
    put_be(numbers, extent.body_bytes, 8);
    put_be(numbers + 8, extent.first_index, 4);
    put_be(numbers + 12, extent.piece_count, 4);
    const rocksdb::Slice parts[] = {{numbers, extent_bytes}, envelope};
    batch_.Put(rocksdb::SliceParts(&key_slice, 1), rocksdb::SliceParts(parts, 2));
}

void SpoolBatch::remove_envelope(MessageId mid) { batch_.Delete(Key('E', mid).slice()); }

void SpoolBatch::put_mid_mark(MessageId mid) {
    char mark[8];
    put_be(mark, mid, 8);
    batch_.Put(slice_of(mid_mark_key), {mark, 8});
}

Result<std::unique_ptr<SpoolStore>> SpoolStore::open(const std::string& directory,
                                                     std::string* why) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) {
        *why = fmt::format("{}: {}", directory, error.message());
        return temporary("the spool's directory cannot be made");
    }
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
    std::unique_ptr<SpoolStore> store(new SpoolStore(directory));
    const rocksdb::Status status = store->open_database();
    if (!status.ok()) {
        const std::string text = status.ToString();
        const bool locked = text.find("lock hold by current process") != text.npos ||
                            text.find("While lock file") != text.npos;
        *why = locked ? fmt::format("{}: already in use by another process", directory)
                      : fmt::format("{}: {}", directory, text);
        return temporary("the spool cannot be opened");
    }
    TRY(store->check_format(why));
    return store;
}

SpoolStore::~SpoolStore() = default;

rocksdb::Status SpoolStore::open_database() {
    rocksdb::DB* opened = nullptr;
    rocksdb::Status status = rocksdb::DB::Open(database_options(), directory_, &opened);
    database_.reset(opened);
    return status;
}

Result<void> SpoolStore::check_format(std::string* why) {
    std::string text;
    const rocksdb::Status status =
        database_->Get(rocksdb::ReadOptions(), slice_of(format_key), &text);
    if (status.IsNotFound()) {
        rocksdb::WriteOptions synced;
        synced.sync = true;
        const rocksdb::Status put =
            database_->Put(synced, slice_of(format_key), std::to_string(format_version));
        if (put.ok()) return {};
        *why = fmt::format("{}: {}", directory_, put.ToString());
        return temporary("the spool cannot be written");
    }
    int version = 0;
    std::from_chars(text.data(), text.data() + text.size(), version);
    if (status.ok() && version == format_version) return {};
    *why = !status.ok() ? fmt::format("{}: {}", directory_, status.ToString())
                        : fmt::format(
                              "{}: the store has format {}, this version knows format {}; "
                              "it was written by another version of sealgate",
                              directory_, text, format_version);
    return unsupported("the spool's format is not this version's");
}

Result<void> SpoolStore::failed(const rocksdb::Status& status, const char* what) {
    last_error_ = fmt::format("{}: {}", directory_, status.ToString());
    return temporary(what);
}

Result<void> SpoolStore::write(SpoolBatch& batch, Durability durability) {
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::synced;
    const rocksdb::Status status =
        database_ ? database_->Write(options, &batch.batch_)
                  : rocksdb::Status::IOError("the store is closed since it failed");
    batch.clear();
    if (!status.ok()) return failed(status, "the spool cannot be written");
    return {};
}

Result<void> SpoolStore::mend() {
    if (database_ && database_->Resume().ok()) {
        SpoolBatch probe;  // Resume() alone does not show that the log takes records again
        const Result<MessageId> mark = mid_mark();
        if (mark) probe.put_mid_mark(*mark);
        if (mark && write(probe, Durability::synced)) return {};
    }
    const std::unique_lock alone(reopening_);
    database_.reset();
    const rocksdb::Status status = open_database();
    if (!status.ok()) return failed(status, "the spool cannot be opened again");
    return {};
}

Result<Chunk> SpoolStore::piece(MessageId mid, std::uint32_t index) const {
    const std::shared_lock shared(reopening_);
    if (!database_) return temporary("the spool is failing");
    rocksdb::ReadOptions options;
    options.fill_cache = false;  // each piece is read once
    rocksdb::PinnableSlice value;
    const rocksdb::Status status = database_->Get(options, database_->DefaultColumnFamily(),
                                                  Key('B', mid, index).slice(), &value);
    if (status.IsNotFound()) return temporary("the message is no longer in the spool");
    if (!status.ok()) return temporary("the spool cannot be read");
    return Chunk::copy_of({value.data(), value.size()});
}

Result<void> SpoolStore::each_envelope(const std::function<void(Committed)>& each) const {
    const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(rocksdb::ReadOptions()));
    for (at->Seek("E"); at->Valid() && at->key().starts_with("E"); at->Next()) {
        const rocksdb::Slice key = at->key();
        const rocksdb::Slice value = at->value();
        if (key.size() != 9 || value.size() < extent_bytes)
            return internal("the spool has a torn envelope");
        each({get_be(key.data() + 1, 8), extent_of(value.data()),
              std::string(value.data() + extent_bytes, value.size() - extent_bytes)});
    }
    if (!at->status().ok()) return temporary("the spool cannot be read");
    return {};
}

Result<std::vector<SpoolStore::Uncommitted>> SpoolStore::uncommitted() const {
    constexpr std::uint32_t all = std::uint32_t{1} << spool_variant_index_bits;
    std::vector<Uncommitted> variants;
    const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(rocksdb::ReadOptions()));
    for (at->Seek("P"); at->Valid() && at->key().starts_with("P"); at->Next())
        if (at->key().size() == 13)
            variants.push_back(
                {get_be(at->key().data() + 1, 8),
                 {0, static_cast<std::uint32_t>(get_be(at->key().data() + 9, 4)), all}});
    if (!at->status().ok()) return temporary("the spool cannot be read");
    return variants;
}

Result<void> SpoolStore::remove_uncommitted(const std::vector<Uncommitted>& variants) {
    SpoolBatch batch;
    for (const auto& [mid, extent] : variants) {
        batch.remove_pieces(mid, extent);
        batch.unmark_uncommitted(mid, extent);
    }
    return batch.empty() ? Result<void>() : write(batch, Durability::synced);
}

Result<MessageId> SpoolStore::mid_mark() const {
    if (!database_) return MessageId{0};
    std::string value;
    const rocksdb::Status status =
        database_->Get(rocksdb::ReadOptions(), slice_of(mid_mark_key), &value);
    if (status.IsNotFound()) return MessageId{0};
    if (!status.ok() || value.size() != 8) return temporary("the spool cannot be read");
    return get_be(value.data(), 8);
}

std::uint64_t SpoolStore::free_bytes() const {
    struct statvfs system {};
    if (::statvfs(directory_.c_str(), &system) != 0) return 0;
    return static_cast<std::uint64_t>(system.f_bavail) * system.f_frsize;
}

}  // namespace sealgate

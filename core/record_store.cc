// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/record_store.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <chrono>
#include <cstdarg>
#include <filesystem>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "core/loop.h"
#include "core/mailbox.h"
#include "core/thread.h"

namespace sealgate {
namespace {

constexpr std::uint64_t look_again_ms = 100;
// A round larger than this is written in parts, so that RocksDB's copy of it is bounded.
constexpr std::size_t part_bytes_max = 1 << 20;
constexpr std::size_t memtable_bytes = 2 << 20;
constexpr int memtables_max = 2;
constexpr std::size_t cache_bytes = 1 << 20;
static_assert(memtable_bytes * memtables_max + cache_bytes <= RecordStore::memory_bytes_max);

rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view_of(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// Errors reach us as values. RocksDB's own log is a file on the same disk, and where that is full
// Debian's build (7.8.3, with assertions) ends the process at the second line it cannot write.
class NoLog final : public rocksdb::Logger {
public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
};

rocksdb::Options database_options() {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = memtable_bytes;
    options.max_write_buffer_number = memtables_max;
    options.max_background_jobs = 2;
    options.max_open_files = 64;
    options.writable_file_max_buffer_size = 256 << 10;
    options.compression = rocksdb::kNoCompression;    // certificates are mostly keys and signatures
    options.allow_concurrent_memtable_write = false;  // one writer
    options.enable_write_thread_adaptive_yield = false;
    options.avoid_unnecessary_blocking_io = true;
    options.avoid_flush_during_shutdown = true;  // the log has it all
    // As in core/spool_store.cc: what was synced lies before a torn end.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    options.max_bgerror_resume_count = 0;  // mend() does it
    options.info_log = std::make_shared<NoLog>();
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(cache_bytes);
    table.cache_index_and_filter_blocks = true;
    table.block_size = 16 << 10;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

bool is_locked(const rocksdb::Status& status) {
    const std::string text = status.ToString();
    return text.find("lock hold by current process") != text.npos ||
           text.find("While lock file") != text.npos;
}

// The first key behind all that begin with `prefix`; empty: there is none.
std::string end_of(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
    if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
    return end;
}

}  // namespace

void RecordBatch::put(std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    changes_.push_back({std::move(key), std::move(value)});
}

void RecordBatch::remove(std::string key) {
    bytes_ += key.size();
    changes_.push_back({std::move(key), std::nullopt});
}

// An operation goes to the writer thread and comes back whole: what its `done` holds on to is only
// touched on the loop thread.
struct RecordStore::State : std::enable_shared_from_this<RecordStore::State> {
    struct Operation {
        RecordBatch batch;
        Durability durability = Durability::written;
        Done done;
        std::size_t bytes = 0;
        bool failed = false;
    };
    using Round = std::vector<Operation>;

    std::string directory;
    Loop* loop = nullptr;
    std::unique_ptr<rocksdb::DB> database;  // null while it cannot be opened again
    mutable std::shared_mutex reopening;    // readers share it
    bool failing = false;                   // the writing thread's

    bool closed = false;  // the loop thread's: no answers any more
    std::size_t waiting_bytes = 0;

    Mailbox<Operation> inbox;
    Semaphore wake;
    std::atomic<bool> stopping{false};
    std::thread thread;

    rocksdb::Status open_database();
    void serve();
    void write_round(Round& round);
    rocksdb::Status write_changes(const Round& round);
    rocksdb::Status mend();
    void answer(Round& round);
    static void append(rocksdb::WriteBatch& to, const RecordBatch& batch);
};

rocksdb::Status RecordStore::State::open_database() {
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(database_options(), directory, &opened);
    database.reset(opened);
    return status;
}

void RecordStore::State::serve() {
    for (;;) {
        wake.wait();
        auto round = std::make_shared<Round>(inbox.take_all());
        if (!round->empty()) {
            write_round(*round);
            if (!stopping.load(std::memory_order_acquire))
                loop->post([self = shared_from_this(), round] { self->answer(*round); });
        }
        if (stopping.load(std::memory_order_acquire) && inbox.empty()) return;
    }
}

void RecordStore::State::append(rocksdb::WriteBatch& to, const RecordBatch& batch) {
    for (const RecordBatch::Change& change : batch.changes_) {
        if (change.value) {
            to.Put(change.key, *change.value);
        } else {
            to.Delete(change.key);
        }
    }
}

rocksdb::Status RecordStore::State::write_changes(const Round& round) {
    rocksdb::WriteOptions options;
    rocksdb::WriteBatch part;
    bool synced = false;
    for (const Operation& operation : round) {
        append(part, operation.batch);
        synced = synced || operation.durability == Durability::synced;
        if (part.GetDataSize() < part_bytes_max || &operation == &round.back()) continue;
        const rocksdb::Status status = database->Write(options, &part);
        if (!status.ok()) return status;
        part.Clear();
    }
    options.sync = synced;  // the log is one file: this sync covers the parts before
    return database->Write(options, &part);
}

// All of a round fails together, also what an earlier part of it wrote.
void RecordStore::State::write_round(Round& round) {
    rocksdb::Status status = failing ? mend() : rocksdb::Status::OK();
    if (status.ok()) status = write_changes(round);
    failing = !status.ok();
    for (Operation& operation : round) operation.failed = failing;
}

// Resume() begins a new log; whether that takes records the next write shows.
rocksdb::Status RecordStore::State::mend() {
    if (database && database->Resume().ok()) return rocksdb::Status::OK();
    const std::unique_lock alone(reopening);
    database.reset();
    return open_database();
}

void RecordStore::State::answer(Round& round) {
    for (Operation& operation : round) {
        waiting_bytes -= operation.bytes;
        if (closed || !operation.done) continue;
        const Done done = std::move(operation.done);
        done(operation.failed ? temporary("the store cannot be written") : Result<void>());
    }
}

RecordStore::RecordStore(std::shared_ptr<State> state) : state_(std::move(state)) {}

RecordStore::~RecordStore() {
    const SignalsBlocked blocked;
    State& state = *state_;
    state.closed = true;
    if (state.thread.joinable()) {
        state.stopping.store(true, std::memory_order_release);
        state.wake.raise();
        state.thread.join();
    }
    state.inbox.take_all();
    state.database.reset();
}

Result<std::unique_ptr<RecordStore>> RecordStore::open(Loop* loop, Options options,
                                                       std::string* why) {
    const SignalsBlocked blocked;  // for RocksDB's threads
    std::error_code error;
    std::filesystem::create_directories(options.directory, error);
    if (error) {
        *why = fmt::format("{}: {}", options.directory, error.message());
        return temporary("the store's directory cannot be made");
    }
    std::filesystem::permissions(options.directory, std::filesystem::perms::owner_all, error);
    auto state = std::make_shared<State>();
    state->directory = std::move(options.directory);
    state->loop = loop;
    rocksdb::Status status = state->open_database();
    for (std::uint64_t waited_ms = 0; is_locked(status) && waited_ms < options.patience_ms;
         waited_ms += look_again_ms) {
        std::this_thread::sleep_for(std::chrono::milliseconds(look_again_ms));
        status = state->open_database();
    }
    if (is_locked(status)) {
        *why = fmt::format("{}: in use by another process", state->directory);
        return untrusted("the store is in use by another process");
    }
    if (!status.ok()) {
        *why = fmt::format("{}: {}", state->directory, status.ToString());
        return temporary("the store cannot be opened");
    }
    if (loop)
        state->thread = start_thread("sealgate-records", [state = state.get()] { state->serve(); });
    return std::unique_ptr<RecordStore>(new RecordStore(std::move(state)));
}

void RecordStore::write(RecordBatch batch, Durability durability, Done done) {
    State& state = *state_;
    State::Operation operation{std::move(batch), durability, std::move(done), 0, false};
    operation.bytes = operation.batch.bytes();
    state.waiting_bytes += operation.bytes;
    if (state.loop) {
        if (state.inbox.push(std::move(operation))) state.wake.raise();
        return;
    }
    State::Round round;
    round.push_back(std::move(operation));
    state.write_round(round);
    state.answer(round);
}

std::size_t RecordStore::waiting_bytes() const { return state_->waiting_bytes; }

Result<std::optional<std::string>> RecordStore::get(std::string_view key) const {
    const std::shared_lock shared(state_->reopening);
    if (!state_->database) return temporary("the store is failing");
    std::string value;
    const rocksdb::Status status =
        state_->database->Get(rocksdb::ReadOptions(), slice_of(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return temporary("the store cannot be read");
    return value;
}

Result<void> RecordStore::each(std::string_view prefix, const Each& each) const {
    const std::shared_lock shared(state_->reopening);
    if (!state_->database) return temporary("the store is failing");
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at(state_->database->NewIterator(options));
    for (at->Seek(slice_of(prefix)); at->Valid() && at->key().starts_with(slice_of(prefix));
         at->Next())
        if (!each(view_of(at->key()), view_of(at->value()))) break;
    if (!at->status().ok()) return temporary("the store cannot be read");
    return {};
}

Result<void> RecordStore::write_at_start(RecordBatch batch) {
    rocksdb::WriteBatch changes;
    State::append(changes, batch);
    if (!state_->database->Write(rocksdb::WriteOptions(), &changes).ok())
        return temporary("the store cannot be written");
    return {};
}

Result<void> RecordStore::purge(std::string_view prefix) {
    CHECK(!prefix.empty());
    rocksdb::DB& database = *state_->database;
    const std::string end = end_of(prefix);
    const rocksdb::Slice from = slice_of(prefix), to(end);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    rocksdb::Status status = database.DeleteRange(synced, database.DefaultColumnFamily(), from, to);
    if (status.ok()) status = database.CompactRange(rocksdb::CompactRangeOptions(), &from, &to);
    if (!status.ok()) return temporary("the store cannot be written");
    return {};
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// A small durable store of records: key to value, for what is not a message (keys of
// correspondents).
//
// It is core/spool.h's little sister, on a RocksDB of its own: one writer thread takes all batches
// that wait, writes them, syncs once if any of them wants that, and answers all on the loop. After
// a crash a batch is there whole or not at all. While a write fails (a full disk) batches are
// answered with a temporary error, and each later one tries again.
//
// Its memory is known: memory_bytes_max, as long as who writes watches waiting_bytes().
// RocksDB is seen by core/record_store.cc and core/spool* alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace sealgate {

class Loop;

// What is written as one, in order.
class RecordBatch {
public:
    void put(std::string key, std::string value);
    void remove(std::string key);
    bool empty() const { return changes_.empty(); }
    std::size_t bytes() const { return bytes_; }

private:
    friend class RecordStore;
    struct Change {
        std::string key;
        std::optional<std::string> value;  // none: removed
    };
    std::vector<Change> changes_;
    std::size_t bytes_ = 0;
};

class RecordStore {
public:
    enum class Durability : std::uint8_t { written, synced };
    using Done = std::function<void(Result<void>)>;

    // Measured while it is written as fast as it goes, with some 1 MB waiting: memtables and cache
    // are 5 MB of it, batches on their way, compactions and what malloc keeps are the rest.
    static constexpr std::uint64_t memory_bytes_max = 12 << 20;

    struct Options {
        std::string directory;  // made when absent, 0700
        // How long to wait for another process that has it open (a command that is about to end).
        std::uint64_t patience_ms = 0;
    };
    // Blocks. Without a loop there is no thread: write() is done when it returns. `why` says more
    // for people; ErrorKind::untrusted: another process has the store open.
    static Result<std::unique_ptr<RecordStore>> open(Loop* loop, Options options, std::string* why);
    ~RecordStore();  // writes what was handed over; answers that are on their way are dropped
    RecordStore(const RecordStore&) = delete;
    RecordStore& operator=(const RecordStore&) = delete;

    // Loop thread. `done` (may be empty) comes on the loop, in the order of the calls and never
    // from inside one; without a loop, before write() returns. After an error the batch may still
    // be found at the next start.
    void write(RecordBatch batch, Durability durability, Done done);
    std::size_t waiting_bytes() const;  // handed over and not yet answered; loop thread

    // Any thread; block. They see what has been answered.
    Result<std::optional<std::string>> get(std::string_view key) const;
    // In key order, until the end of `prefix` or until `each` says false.
    using Each = std::function<bool(std::string_view key, std::string_view value)>;
    Result<void> each(std::string_view prefix, const Each& each) const;

    // Removes everything with the prefix, from the disk's files too. Blocks; at start only.
    Result<void> purge(std::string_view prefix);
    // Blocks; before the first write(), also from inside each().
    Result<void> write_at_start(RecordBatch batch);

    struct State;

private:
    explicit RecordStore(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;  // answers on their way hold it, too
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The spool: 10 KB messages stored durably and removed, so many on their way at a time; beside it
// RocksDB alone with the same bytes in the same batches, and a file that is appended and synced.
//
// Counters: messages/s, CPU of the whole process per message in µs (RocksDB's threads included),
// messages per sync. Every message's commit is checked, and that the store is empty at the end.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <rocksdb/db.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "bench/support/cost_counter.h"
#include "core/loop.h"
#include "core/spool.h"

namespace sealgate {
namespace {

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string bench_directory() {
    const char* base = std::getenv("SEALGATE_BENCH_DIR");  // a disk, not a tmpfs
    std::string path = std::string(base ? base : "/var/tmp") + "/spool_bench_XXXXXX";
    return mkdtemp(path.data());
}

// Keeps `window` messages on their way: each is stored, then removed, then the next one begins.
class Traffic {
public:
    Traffic(Spool& spool, std::size_t message_bytes) : spool_(spool) {
        std::string text(message_bytes, ' ');
        std::uint32_t random = 1;
        for (char& character : text) {
            random = random * 1664525 + 1013904223;
            character = static_cast<char>('0' + (random >> 24) % 64);
        }
        body_.append(Chunk::copy_of(text));
    }
    void start(std::uint64_t messages, std::uint64_t window) {
        to_start_ = messages;
        for (std::uint64_t i = 0; i < window && to_start_ > 0; ++i) next();
    }
    std::uint64_t removed = 0;
    std::uint64_t failed = 0;

private:
    void next() {
        if (to_start_ == 0) return;
        --to_start_;
        spool_.store(spool_.next_mid(), body_, std::string(300, 'e'),
                     [this](Result<StoredMessage> stored) { on_stored(std::move(stored)); });
    }
    void on_stored(Result<StoredMessage> stored) {
        if (!stored) {
            ++failed;
            ++removed;
        } else {
            spool_.remove(stored->mid, [this](Result<void>) { ++removed; });
        }
        next();
    }

    Spool& spool_;
    ChunkList body_;
    std::uint64_t to_start_ = 0;
};

void store_and_remove(benchmark::State& state) {
    const auto window = static_cast<std::uint64_t>(state.range(0));
    const auto message_bytes = static_cast<std::size_t>(state.range(1));
    const std::string directory = bench_directory();
    Loop loop;
    std::string why;
    auto spool = Spool::open(loop, directory, &why);
    if (!spool) return state.SkipWithError(why.c_str());
    std::uint64_t messages = 0;
    const double cpu_before = cpu_seconds();
    for (auto _ : state) {
        Traffic traffic(**spool, message_bytes);
        const std::uint64_t count = 20 * window;
        traffic.start(count, window);
        loop.run_until([&] { return traffic.removed == count; }, 600'000);
        if (traffic.failed > 0 || traffic.removed != count)
            return state.SkipWithError("a message was not stored");
        messages += count;
    }
    const auto count = static_cast<double>(messages);
    const Spool::Statistics statistics = (*spool)->statistics();
    state.counters["messages/s"] = benchmark::Counter(count, benchmark::Counter::kIsRate);
    state.counters["cpu_us"] = (cpu_seconds() - cpu_before) * 1e6 / count;
    state.counters["per_sync"] = count / static_cast<double>(statistics.commits);
    state.counters["sync_ms"] = static_cast<double>(statistics.sync_microseconds) / 1e3 /
                                static_cast<double>(statistics.commits);
    const Cost cost = cost_of([&] {
        Traffic traffic(**spool, message_bytes);
        traffic.start(window, window);
        loop.run_until([&] { return traffic.removed == window; }, 600'000);
        require(traffic.failed == 0 && traffic.removed == window, "messages stored");
    });
    const auto each = [&](std::uint64_t of_all) {
        return static_cast<double>(of_all) / static_cast<double>(window);
    };
    state.counters["allocs"] = each(cost.allocations);
    state.counters["times_copied"] = each(cost.copied_bytes) / static_cast<double>(message_bytes);
    spool->reset();
    auto again = Spool::open(loop, directory, &why);
    std::uint64_t left = 0;
    if (!again || !(*again)->recover([&](Spool::Recovered) { ++left; }) || left > 0)
        state.SkipWithError("the store is not empty at the end");
    again = {};
    std::filesystem::remove_all(directory);
}
BENCHMARK(store_and_remove)
    ->ArgNames({"window", "bytes"})
    ->ArgsProduct({{16, 64, 256}, {10 * 1024}})
    ->Args({64, 1024 * 1024})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// The same bytes put and deleted in two synced batches of `window`, and nothing else.
void raw_rocksdb(benchmark::State& state) {
    const auto window = static_cast<std::uint64_t>(state.range(0));
    const std::string body(static_cast<std::size_t>(state.range(1)), 'b');
    const std::string directory = bench_directory();
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    rocksdb::DB* opened = nullptr;
    if (!rocksdb::DB::Open(options, directory, &opened).ok())
        return state.SkipWithError("RocksDB does not open");
    const std::unique_ptr<rocksdb::DB> store(opened);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    std::uint64_t number = 0;
    const double cpu_before = cpu_seconds();
    for (auto _ : state) {
        rocksdb::WriteBatch put, remove;
        for (std::uint64_t i = 0; i < window; ++i) {
            const std::string key = std::to_string(++number);
            put.Put(key, body);
            remove.Delete(key);
        }
        if (!store->Write(synced, &put).ok() || !store->Write(synced, &remove).ok())
            state.SkipWithError("RocksDB does not write");
    }
    state.counters["messages/s"] =
        benchmark::Counter(static_cast<double>(number), benchmark::Counter::kIsRate);
    state.counters["cpu_us"] = (cpu_seconds() - cpu_before) * 1e6 / static_cast<double>(number);
    std::filesystem::remove_all(directory);
}
BENCHMARK(raw_rocksdb)
    ->ArgNames({"window", "bytes"})
    ->ArgsProduct({{16, 64, 256}, {10 * 1024}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// A file, appended and synced; the argument: bytes of a write.
void raw_fdatasync(benchmark::State& state) {
    const std::string directory = bench_directory();
    const std::string block(static_cast<std::size_t>(state.range(0)), 'b');
    const int file =
        ::open((directory + "/file").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    for (auto _ : state)
        if (::write(file, block.data(), block.size()) != static_cast<ssize_t>(block.size()) ||
            ::fdatasync(file) != 0)
            state.SkipWithError("the file cannot be written");
    ::close(file);
    state.SetBytesProcessed(state.iterations() * state.range(0));
    std::filesystem::remove_all(directory);
}
BENCHMARK(raw_fdatasync)
    ->Arg(16 * 1024)
    ->Arg(640 * 1024)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What everything stands on: blocks and windows, hand-offs between threads, the log. Beside each:
// what the bare thing costs (memcpy, an eventfd, a write).
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "bench/support/cost_counter.h"
#include "core/chunk.h"
#include "core/loop.h"
#include "core/mail_log.h"
#include "core/workers.h"

namespace sealgate {
namespace {

constexpr std::size_t block_bytes = 64 * 1024;  // what one read of a socket brings

void set_bytes(benchmark::State& state, std::size_t bytes) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

// ---- blocks -------------------------------------------------------------------------------------

void raw_memcpy(benchmark::State& state) {
    const std::string from(static_cast<std::size_t>(state.range(0)), 'x');
    std::string to(from.size(), ' ');
    for (auto _ : state) {
        std::memcpy(to.data(), from.data(), from.size());
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
    }
    require(to == from, "memcpy");
    set_bytes(state, from.size());
}
BENCHMARK(raw_memcpy)->Arg(1 << 10)->Arg(10 << 10)->Arg(64 << 10);

void chunk_copy(benchmark::State& state) {
    const std::string from(static_cast<std::size_t>(state.range(0)), 'x');
    require(Chunk::copy_of(from).text() == from, "copy");
    const auto one = [&] { benchmark::DoNotOptimize(Chunk::copy_of(from)); };
    const Cost cost = cost_of(one);  // known, so it judges the counting, too
    require(!costs_are_counted() || (cost.allocations == 1 && cost.copied_bytes == from.size()),
            "one block, each byte copied once");
    for (auto _ : state) one();
    set_bytes(state, from.size());
    count_costs(state, one, from.size());
}
BENCHMARK(chunk_copy)->Arg(1 << 10)->Arg(10 << 10)->Arg(64 << 10);

// 850 lines of a block as windows, as a stage cuts them that passes on what it does not change.
void chunk_slices(benchmark::State& state) {
    constexpr std::size_t line_bytes = 77;
    const Chunk block = Chunk::copy_of(std::string(block_bytes, 'x'));
    const auto one = [&] {
        ChunkList lines;
        for (std::size_t at = 0; at + line_bytes <= block.size(); at += line_bytes)
            lines.append(block.slice(at, at + line_bytes));
        require(lines.bytes() == block.size() / line_bytes * line_bytes, "slices");
    };
    for (auto _ : state) one();
    set_bytes(state, block_bytes);
    count_costs(state, one, block_bytes);
}
BENCHMARK(chunk_slices);

void chunk_builder(benchmark::State& state) {
    const std::string line(76, 'x');
    const std::size_t lines = static_cast<std::size_t>(state.range(0)) / line.size();
    const auto one = [&] {
        ChunkBuilder builder(8192);
        for (std::size_t i = 0; i < lines; ++i) builder.append(line);
        require(builder.take().bytes() == lines * line.size(), "builder");
    };
    for (auto _ : state) one();
    set_bytes(state, lines * line.size());
    count_costs(state, one, lines * line.size());
}
BENCHMARK(chunk_builder)->Arg(1 << 10)->Arg(64 << 10);

// ---- hand-offs ----------------------------------------------------------------------------------

// A byte to a thread and one back, by the kernel alone: what no hand-off with sleeping ends beats.
void raw_eventfd_round_trip(benchmark::State& state) {
    const int there = eventfd(0, 0);
    const int back = eventfd(0, 0);
    std::thread other([&] {
        std::uint64_t value = 0;
        while (::read(there, &value, sizeof value) == sizeof value && value == 1)
            if (::write(back, &value, sizeof value) != sizeof value) return;
    });
    for (auto _ : state) {
        std::uint64_t value = 1;
        if (::write(there, &value, sizeof value) != sizeof value ||
            ::read(back, &value, sizeof value) != sizeof value)
            state.SkipWithError("eventfd");
    }
    const std::uint64_t end = 2;
    require(::write(there, &end, sizeof end) == sizeof end, "eventfd");
    other.join();
    ::close(there);
    ::close(back);
}
BENCHMARK(raw_eventfd_round_trip)->UseRealTime();

// A job there, its answer back; the argument is how many are on their way together.
void worker_hand_off(benchmark::State& state) {
    Loop loop;
    WorkerPool workers(loop, 1);
    const auto group = static_cast<std::size_t>(state.range(0));
    std::vector<WorkerPool::Ticket> tickets;
    const auto one = [&] {
        std::size_t answered = 0;
        tickets.clear();
        for (std::size_t i = 0; i < group; ++i)
            tickets.push_back(workers.submit([i] { return i; },
                                             [&answered, i](std::size_t value) {
                                                 require(value == i, "an answer of another job");
                                                 ++answered;
                                             },
                                             WorkerPool::Length::brief));
        require(loop.run_until([&] { return answered == group; }, 10'000), "answers");
    };
    for (auto _ : state) one();
    state.SetItemsProcessed(state.iterations() * state.range(0));
    count_costs(state, one);
}
BENCHMARK(worker_hand_off)->Arg(1)->Arg(16)->Arg(64)->UseRealTime();

// From another thread, started for it, onto the loop.
void loop_post(benchmark::State& state) {
    Loop loop;
    const auto group = static_cast<std::size_t>(state.range(0));
    const auto one = [&] {
        std::size_t done = 0;
        std::thread other([&] {
            for (std::size_t i = 0; i < group; ++i) loop.post([&done] { ++done; });
        });
        require(loop.run_until([&] { return done == group; }, 10'000), "posted tasks");
        other.join();
    };
    for (auto _ : state) one();
    state.SetItemsProcessed(state.iterations() * state.range(0));
    count_costs(state, one);
}
BENCHMARK(loop_post)->Arg(1000)->UseRealTime();

void loop_defer(benchmark::State& state) {
    Loop loop;
    constexpr std::size_t group = 100;
    const auto one = [&] {
        std::size_t done = 0;
        for (std::size_t i = 0; i < group; ++i) loop.defer([&done] { ++done; });
        require(loop.run_until([&] { return done == group; }, 10'000), "deferred tasks");
    };
    for (auto _ : state) one();
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(group));
    count_costs(state, one);
}
BENCHMARK(loop_defer);

// ---- the log ------------------------------------------------------------------------------------

// A write of one line's bytes, by the kernel alone.
void raw_log_write(benchmark::State& state) {
    const std::string line =
        "Sat Nov 21 19:47:40 2026 Info: MID 123456 ICID 789 From: <sender@example.com>\n";
    const int descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (auto _ : state)
        if (::write(descriptor, line.data(), line.size()) < 0) state.SkipWithError("write");
    ::close(descriptor);
}
BENCHMARK(raw_log_write);

// The loop's share of the ten lines that a message leaves, handed over once a round.
void log_lines(benchmark::State& state, LogOptions::Format format) {
    constexpr std::size_t lines = 10;
    Loop loop;
    LogOptions options;
    options.mail_log = "/dev/null";
    options.format = format;
    std::string why;
    const auto log = *MailLog::open(options, &loop, &why);
    std::uint64_t number = 0;
    const auto one = [&] {
        for (std::size_t i = 0; i < lines; ++i) {
            ++number;
            log->info("MID {} ICID {} From: <{}>", number, number / 3,
                      printable("sender@example.com"));
        }
        bool round_over = false;
        loop.defer([&] { round_over = true; });
        require(loop.run_until([&] { return round_over; }, 10'000), "a round of the loop");
    };
    for (auto _ : state) one();
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(lines));
    count_costs(state, one);
}
BENCHMARK_CAPTURE(log_lines, text, LogOptions::Format::text);
BENCHMARK_CAPTURE(log_lines, json, LogOptions::Format::json);

}  // namespace
}  // namespace sealgate

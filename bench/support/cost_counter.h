// SPDX-License-Identifier: GPL-3.0-or-later
// What a piece of work costs besides time: memory that was asked for, and bytes that were copied.
//
// Counted, not guessed: the bench binary has malloc's family and memcpy's (memmove, and their
// checked forms) of its own, which count and call the C library's. Shared libraries use them, too,
// so RocksDB's, libuv's and libstdc++'s are in it, of all threads. Not counted: what the compiler
// copies in registers (small copies of known size), what the C library copies within itself, what
// the kernel copies. Counting is off while a bench is timed: then a call costs a branch more.
//
// Under a sanitizer, which has calls of its own there, nothing is counted and counters are absent.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>

namespace sealgate {

struct Cost {
    std::uint64_t allocations = 0;
    std::uint64_t allocated_bytes = 0;
    std::uint64_t copies = 0;  // calls
    std::uint64_t copied_bytes = 0;
};

bool costs_are_counted();
// Of everything the process does meanwhile.
Cost cost_of(const std::function<void()>& work);

// Does `one_message` a few times after it was timed, and adds counters to the report: allocs,
// alloc_B, copies (calls) and copied_B, each per message; with `message_bytes`, times_copied too:
// how often a byte of the message was copied in the mean.
void count_costs(benchmark::State& state, const std::function<void()>& one_message,
                 std::size_t message_bytes = 0);

// A bench checks its output first: says what is wrong and ends the process.
void require(bool holds, const char* what);

}  // namespace sealgate

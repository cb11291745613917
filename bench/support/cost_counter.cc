// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/support/cost_counter.h"

#include <cstdio>
#include <cstdlib>

#include "bench/support/cost_hooks.h"

namespace sealgate {

bool costs_are_counted() { return CostHooks::present(); }

Cost cost_of(const std::function<void()>& work) {
    CostHooks::begin();
    work();
    return CostHooks::end();
}

void count_costs(benchmark::State& state, const std::function<void()>& one_message,
                 std::size_t message_bytes) {
    constexpr int warm_up = 4;  // what is made once is made now
    constexpr int counted = 32;
    if (!costs_are_counted()) return;
    for (int i = 0; i < warm_up; ++i) one_message();
    const Cost cost = cost_of([&] {
        for (int i = 0; i < counted; ++i) one_message();
    });
    const auto each = [](std::uint64_t count) { return static_cast<double>(count) / counted; };
    state.counters["allocs"] = each(cost.allocations);
    state.counters["alloc_B"] = each(cost.allocated_bytes);
    state.counters["copies"] = each(cost.copies);
    state.counters["copied_B"] = each(cost.copied_bytes);
    if (message_bytes > 0)
        state.counters["times_copied"] =
            each(cost.copied_bytes) / static_cast<double>(message_bytes);
}

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "wrong output: %s\n", what);
    std::exit(1);
}

}  // namespace sealgate

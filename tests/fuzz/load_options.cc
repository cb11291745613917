// SPDX-License-Identifier: GPL-3.0-or-later
//
// Any text as the values of `sealload source`'s options: what is taken keeps its promises.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "tools/sealload/address_pattern.h"
#include "tools/sealload/load_distribution.h"
#include "tools/sealload/load_rate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sealgate;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto numbers = LoadDistribution::parse(text)) {
        LoadRandom random(size);
        for (int i = 0; i < 20; ++i) {
            const std::uint64_t picked = numbers->pick(random);
            CHECK(picked >= numbers->min() && picked <= numbers->max());
        }
    }
    if (const auto seconds = parse_duration(text)) CHECK(*seconds >= 0);
    if (const auto names = parse_weighted_names(text)) CHECK(!names->empty());
    for (const double ramp : {0.0, 0.001, 3600.0}) {
        const auto rate = LoadRate::parse(text, ramp);
        if (!rate) continue;
        ArrivalClock clock(*rate, Arrivals::poisson, 1);
        for (std::uint64_t i = 0, before = 0; i < 20; ++i, clock.take()) {
            CHECK(clock.next_ns() >= before);
            before = clock.next_ns();
        }
    }
    std::string address;
    AddressPattern(text).append_to(address, {1, 2, 3});
    CHECK(address.size() <= size);
    return 0;
}

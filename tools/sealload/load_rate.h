// SPDX-License-Identifier: GPL-3.0-or-later
// An open loop's clock: the moments at which messages are meant to begin.
//
// The rate may climb (or fall) in a straight line from `from` to `to` over the first seconds, and
// stays there. Moments come evenly, or at random as those of many senders who do not know each
// other (a Poisson process). They depend on the plan and the seed alone, never on what became of
// earlier messages: that is what makes the loop open. So no queue of them is needed, either; what
// is late is simply still to be taken. Times are nanoseconds from the beginning.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.h"
#include "tools/sealload/load_random.h"

namespace sealgate {

enum class Arrivals : std::uint8_t { constant, poisson };

struct LoadRate {
    double from = 0, to = 0;  // messages per second
    double ramp_seconds = 0;  // 0: `to` from the beginning

    // "500", or "100..2000", which wants a ramp. A ramp of "500" begins at 0.
    static Result<LoadRate> parse(std::string_view text, double ramp_seconds);

    // How many messages are meant to have begun by then, and when the n-th is. Inverses.
    double due_at(double seconds) const;
    double moment_of(double messages) const;
};

class ArrivalClock {
public:
    ArrivalClock(LoadRate rate, Arrivals arrivals, std::uint64_t seed);

    std::uint64_t next_ns() const { return next_ns_; }  // of the next message not yet taken
    void take();

private:
    LoadRate rate_;
    Arrivals arrivals_;
    LoadRandom random_;
    double messages_ = 0;  // in the plan's measure, up to the next one
    std::uint64_t next_ns_ = 0;
};

// "90", "90s", "1.5m", "200ms", in seconds.
Result<double> parse_duration(std::string_view text);

}  // namespace sealgate

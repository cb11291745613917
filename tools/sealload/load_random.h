// SPDX-License-Identifier: GPL-3.0-or-later
// Random numbers that are the same in every run and for every message, whatever happened before.
//
// A message's choices come from a generator seeded by the run's seed and the message's number, so
// that message 1,000 is the same mail however many connections share the work. SplitMix64 (Steele,
// Lea, Flood 2014): eight bytes of state, and neighbouring seeds give unrelated numbers.
#pragma once

#include <cmath>
#include <cstdint>

namespace sealgate {

class LoadRandom {
public:
    explicit LoadRandom(std::uint64_t seed, std::uint64_t stream = 0)
        : state_(seed + stream * 0xd1342543de82ef95u) {
        next();  // neighbouring streams part here
        state_ ^= stream;
    }

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    // [0, 1)
    double fraction() { return static_cast<double>(next() >> 11) * 0x1p-53; }
    // [0, count); the bias of at most count / 2^53 is none here
    std::uint64_t below(std::uint64_t count) {
        return static_cast<std::uint64_t>(fraction() * static_cast<double>(count));
    }
    // Of mean 1: the gaps between the arrivals of a Poisson process.
    double exponential() { return -std::log1p(-fraction()); }

private:
    std::uint64_t state_;
};

}  // namespace sealgate

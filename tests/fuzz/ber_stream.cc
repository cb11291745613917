// SPDX-License-Identifier: GPL-3.0-or-later
// BER out of any bytes, and what it becomes in definite form. Beside not crashing: the cuts change
// nothing, what was taken comes back octet for octet, and a definite form is one, to DerReader too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/limits.h"
#include "crypto/ber_definite.h"
#include "crypto/ber_stream.h"
#include "crypto/der_reader.h"

namespace {

using namespace sealgate;

struct Outcome {
    std::string events;  // contents' pieces together
    std::string octets;
    std::uint64_t failed_at = 0;
    const char* failure = nullptr;
    bool at_rest = false;
    bool definite = true;
    bool operator==(const Outcome&) const = default;
};

// False: an error, or all is told.
bool take_event(BerStream& stream, ByteSpan& input, Outcome& outcome) {
    const auto event = stream.next(input);
    if (!event) {
        outcome.failure = event.error().what;
        outcome.failed_at = event.error().at;
        return false;
    }
    CHECK(stream.depth() >= 0 && stream.depth() <= limits::ber_depth_max + 1);
    if (event->kind == BerEvent::Kind::input) {
        CHECK(input.empty());
        return false;
    }
    outcome.octets += as_text(event->octets);
    if (event->kind == BerEvent::Kind::contents) {
        CHECK(!event->octets.empty());
        outcome.events += as_text(event->octets);
        return true;
    }
    const bool begins = event->kind == BerEvent::Kind::begin;
    outcome.definite = outcome.definite && (!begins || begins_in_definite_form(*event));
    outcome.events += begins ? "\1" : "\2";
    outcome.events += static_cast<char>(event->tag);
    return true;
}

// A seed of 0 gives everything in one piece.
Outcome run(ByteSpan input, std::uint32_t seed) {
    Outcome outcome;
    BerStream stream;
    while (!input.empty() && !outcome.failure) {
        seed = seed * 1664525 + 1013904223 * (seed != 0);
        std::size_t bytes = seed == 0 ? input.size() : 1 + (seed >> 16) % 5;
        bytes = std::min(bytes, input.size());
        ByteSpan piece = input.first(bytes);
        input = input.subspan(bytes);
        while (take_event(stream, piece, outcome)) {
        }
    }
    outcome.at_rest = stream.at_rest();
    return outcome;
}

// Reads all of it, constructed elements inside out.
void walk(ByteSpan der) {
    DerReader reader(der);
    while (!reader.at_end()) {
        const auto element = reader.next();
        CHECK(element);
        if (element->tag & ber::constructed_bit) walk(element->contents);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteSpan input(data, size);
    const Outcome whole = run(input, 0);
    CHECK(run(input, static_cast<std::uint32_t>(size) + 1) == whole);
    CHECK(as_text(input).starts_with(whole.octets));
    if (!whole.failure && whole.at_rest) CHECK(whole.octets.size() == size);

    const auto definite = in_definite_form(input);
    if (!definite) return 0;
    CHECK(!whole.failure && whole.at_rest);
    const Outcome again = run(*definite, 0);
    CHECK(!again.failure && again.at_rest && again.definite);
    CHECK(in_definite_form(*definite) == *definite);
    CHECK(whole.definite == (as_text(*definite) == as_text(input)));
    walk(*definite);
    return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// What a source counts: outcomes, what went wrong, and how long each phase took. One owner.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tools/sealload/latency_histogram.h"

namespace sealgate {

// Each from when its bytes left (connect: from the attempt) to the reply's last line.
enum class Phase : std::uint8_t {
    connect,
    banner,
    ehlo,
    starttls,  // the command's reply
    tls,       // the handshake
    mail,
    rcpt,
    data,
    content,  // from the last byte of the content to its reply
    wait,     // from the intended moment until a connection was free
    message,  // from the intended moment to the last reply: all of the above that it needed
};
inline constexpr std::size_t phase_count = 11;
const char* to_word(Phase phase);  // "connect", "banner"…; of content: "reply"

struct SourceCounts {
    std::uint64_t accepted = 0, refused = 0, unknown = 0, bytes = 0;
    std::uint64_t never_begun = 0;  // of an open loop: due before the end, no connection was free
    std::uint64_t connections = 0, connection_errors = 0;
    std::uint64_t tls_full = 0, tls_resumed = 0;
    std::map<std::string, std::uint64_t> refusals;  // by reply
    std::map<std::string, std::uint64_t> errors;    // by what broke
    double seconds = 0;                             // all of the run

    // After the warm-up, up to the last reply; phases have this part only.
    std::uint64_t measured = 0, measured_bytes = 0;  // accepted
    double measured_seconds = 0;
    std::array<LatencyHistogram, phase_count> phases;

    LatencyHistogram& of(Phase phase) { return phases[static_cast<std::size_t>(phase)]; }
    const LatencyHistogram& of(Phase phase) const {
        return phases[static_cast<std::size_t>(phase)];
    }
    double per_second() const {
        return measured_seconds > 0 ? static_cast<double>(measured) / measured_seconds : 0;
    }
};

// One more of `what`. Peers that put an id into each refusal do not fill our memory: from some
// number of kinds on, new ones are counted together.
void count_kind(std::map<std::string, std::uint64_t>& kinds, std::string_view what);

}  // namespace sealgate

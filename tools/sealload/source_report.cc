// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/mail_log.h"

namespace sealgate {
namespace {

using nlohmann::json;

double milliseconds(std::uint64_t us) { return static_cast<double>(us) / 1000; }

json times_of(const LatencyHistogram& times) {
    return {{"count", times.count()},
            {"mean", times.mean() / 1000},
            {"p50", milliseconds(times.at(0.5))},
            {"p90", milliseconds(times.at(0.9))},
            {"p99", milliseconds(times.at(0.99))},
            {"p99.9", milliseconds(times.at(0.999))},
            {"max", milliseconds(times.max())}};
}

json phases_of(const SourceCounts& counts) {
    json phases = json::object();
    for (std::size_t i = 0; i < phase_count; ++i)
        if (counts.phases[i].count() > 0)
            phases[to_word(static_cast<Phase>(i))] = times_of(counts.phases[i]);
    return phases;
}

json rate_of(const SourceOptions& options) {
    if (!options.rate) return nullptr;
    return {{"from", options.rate->from},
            {"to", options.rate->to},
            {"ramp_seconds", options.rate->ramp_seconds},
            {"arrivals", options.arrivals == Arrivals::poisson ? "poisson" : "constant"}};
}

// Peers' words on our terminal.
std::string kinds_text(const char* what, const std::map<std::string, std::uint64_t>& kinds) {
    constexpr std::size_t kinds_shown_max = 20;
    constexpr std::size_t characters_max = 200;
    std::string text;
    std::size_t shown = 0;
    for (const auto& [kind, times] : kinds) {
        if (shown++ == kinds_shown_max) {
            text += fmt::format("and {} other kinds\n", kinds.size() - kinds_shown_max);
            break;
        }
        text += fmt::format("{} {} times: {}\n", what, times, printable(kind, characters_max));
    }
    return text;
}

std::string phases_text(const SourceCounts& counts) {
    std::string text = fmt::format("{:<9} {:>9} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "ms",
                                   "count", "p50", "p90", "p99", "p99.9", "max");
    for (std::size_t i = 0; i < phase_count; ++i) {
        const LatencyHistogram& times = counts.phases[i];
        if (times.count() == 0) continue;
        text +=
            fmt::format("{:<9} {:>9} {:>10.3f} {:>10.3f} {:>10.3f} {:>10.3f} {:>10.3f}\n",
                        to_word(static_cast<Phase>(i)), times.count(), milliseconds(times.at(0.5)),
                        milliseconds(times.at(0.9)), milliseconds(times.at(0.99)),
                        milliseconds(times.at(0.999)), milliseconds(times.max()));
    }
    return text;
}

double megabytes_per_second(const SourceCounts& counts) {
    if (counts.measured_seconds <= 0) return 0;
    return static_cast<double>(counts.measured_bytes) / counts.measured_seconds / 1e6;
}

}  // namespace

std::string json_report(const LoadSource& source) {
    const SourceCounts& counts = source.counts();
    const json report = {
        {"accepted", counts.accepted},
        {"refused", counts.refused},
        {"unknown", counts.unknown},
        {"unsent", source.unsent()},
        {"never_begun", counts.never_begun},
        {"bytes", counts.bytes},
        {"seconds", counts.seconds},
        {"measured", {{"accepted", counts.measured}, {"seconds", counts.measured_seconds}}},
        {"messages_per_second", counts.per_second()},
        {"megabytes_per_second", megabytes_per_second(counts)},
        {"connections", counts.connections},
        {"connection_errors", counts.connection_errors},
        {"errors", counts.errors},
        {"refusals", counts.refusals},
        {"handshakes", {{"full", counts.tls_full}, {"resumed", counts.tls_resumed}}},
        {"reply_ms", times_of(counts.of(Phase::content))},
        {"phases_ms", phases_of(counts)},
        {"rate", rate_of(source.options())},
        {"seed", source.options().seed}};
    return report.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string text_report(const LoadSource& source) {
    const SourceCounts& counts = source.counts();
    std::string text = kinds_text("refused", counts.refusals);
    text += kinds_text("connection lost", counts.errors);
    text += phases_text(counts);
    if (counts.never_begun > 0)
        text +=
            fmt::format("{} messages were due and found no connection free\n", counts.never_begun);
    if (counts.tls_full + counts.tls_resumed > 0)
        text += fmt::format("{} full TLS handshakes, {} resumed\n", counts.tls_full,
                            counts.tls_resumed);
    text += fmt::format(
        "{} accepted, {} refused, {} unknown, {} unsent in {:.2f} s on {} connections\n",
        counts.accepted, counts.refused, counts.unknown, source.unsent(), counts.seconds,
        counts.connections);
    text += fmt::format("{:.1f} messages/s, {:.2f} MB/s", counts.per_second(),
                        megabytes_per_second(counts));
    if (counts.measured != counts.accepted)
        text += fmt::format(" ({} messages in {:.2f} s after the warm-up)", counts.measured,
                            counts.measured_seconds);
    return text + "\n";
}

}  // namespace sealgate

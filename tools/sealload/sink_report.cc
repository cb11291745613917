// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/sink_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "tools/sealload/sink.h"

namespace sealgate {
namespace {

using nlohmann::json;

constexpr std::uint64_t progress_ms = 1000;

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

json commands_of(const SinkCounts& counts) {
    json commands = json::object();
    for (const Verb verb :
         {Verb::helo, Verb::ehlo, Verb::starttls, Verb::mail, Verb::rcpt, Verb::data, Verb::bdat,
          Verb::rset, Verb::noop, Verb::vrfy, Verb::help, Verb::quit}) {
        const std::uint64_t times = counts.commands[static_cast<std::size_t>(verb)];
        if (times > 0) commands[lower_case(std::string_view(to_word(verb)))] = times;
    }
    std::uint64_t others = 0;
    for (const Verb verb : {Verb::not_implemented, Verb::foreign, Verb::unknown})
        others += counts.commands[static_cast<std::size_t>(verb)];
    if (others > 0) commands["others"] = others;
    return commands;
}

}  // namespace

SinkProgress::SinkProgress(Loop& loop, const LoadSink& sink)
    : sink_(sink), timer_(loop, [this] { show(); }), shown_at_(seconds_now()) {
    if (::isatty(STDERR_FILENO) == 1) timer_.start(progress_ms, progress_ms);
}

SinkProgress::~SinkProgress() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
}

void SinkProgress::show() {
    const SinkCounts& counts = sink_.counts();
    const double now = seconds_now();
    const double passed = now - shown_at_;
    const std::uint64_t messages = counts.messages + counts.dsns;
    fmt::print(stderr, "\r\x1b[K{} messages, {:.0f}/s, {:.1f} MB/s, {} sessions", messages,
               static_cast<double>(messages - messages_before_) / passed,
               static_cast<double>(counts.bytes - bytes_before_) / passed / 1e6,
               sink_.session_count());
    if (!sink_.faults().empty())
        fmt::print(stderr, ", {} failed on purpose", sink_.faults().times());
    if (counts.verified + counts.not_verified > 0)
        fmt::print(stderr, ", {} verified, {} not", counts.verified, counts.not_verified);
    std::fflush(stderr);
    shown_ = true;
    shown_at_ = now;
    messages_before_ = messages;
    bytes_before_ = counts.bytes;
}

json json_of(const LoadSink& sink) {
    const SinkCounts& counts = sink.counts();
    json faults = json::object();
    for (const Faults::Count& fault : sink.faults().counts()) faults[fault.fault] = fault.times;
    return {{"messages", counts.messages},
            {"dsns", counts.dsns},
            {"recipients", counts.recipients},
            {"bytes", counts.bytes},
            {"connections", counts.connections},
            {"commands", commands_of(counts)},
            {"faults", faults},
            {"failed_on_purpose", sink.faults().times()},
            {"tls",
             {{"full", counts.tls_full},
              {"resumed", counts.tls_resumed},
              {"failed", counts.tls_failed}}},
            {"verified", counts.verified},
            {"not_verified", counts.not_verified},
            {"altered", counts.altered},
            {"forms", counts.forms},
            {"failed", counts.failed},
            {"seconds", counts.seconds()},
            {"messages_per_second", counts.messages_per_second()},
            {"last_at", counts.last_at}};  // on the machine's monotonic clock
}

void print_summary(const LoadSink& sink) {
    const SinkCounts& counts = sink.counts();
    fmt::print("{} messages, {} DSNs, {} recipients, {} bytes on {} connections in {:.2f} s\n",
               counts.messages, counts.dsns, counts.recipients, counts.bytes, counts.connections,
               counts.seconds());
    fmt::print(
        "{:.1f} messages/s, {:.2f} MB/s between the first and the last\n",
        counts.messages_per_second(),
        counts.seconds() > 0 ? static_cast<double>(counts.bytes) / counts.seconds() / 1e6 : 0);
    if (counts.tls_full + counts.tls_resumed + counts.tls_failed > 0)
        fmt::print("TLS: {} full handshakes, {} resumed, {} failed\n", counts.tls_full,
                   counts.tls_resumed, counts.tls_failed);
    for (const Faults::Count& fault : sink.faults().counts())
        fmt::print("{} times {}\n", fault.times, fault.fault);
    for (const auto& [form, times] : counts.forms) fmt::print("{} came {}\n", times, form);
    for (const auto& [verdict, times] : counts.failed) fmt::print("{} {}\n", times, verdict);
    if (counts.verified + counts.not_verified > 0)
        fmt::print("{} verified, {} not\n", counts.verified, counts.not_verified);
}

}  // namespace sealgate

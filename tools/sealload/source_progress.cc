// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_progress.h"

#include <fmt/format.h>

#include <cstdio>

#include "tools/sealload/load_clock.h"

namespace sealgate {
namespace {

constexpr std::uint64_t line_every_ms = 1000;
constexpr std::uint64_t terminal_every_ms = 500;
constexpr const char* clear_line = "\r\x1b[K";

double milliseconds(std::uint64_t us) { return static_cast<double>(us) / 1000; }

}  // namespace

SourceProgress::SourceProgress(Loop& loop, const LoadSource& source, Form form)
    : source_(source), form_(form), begin_ns_(now_ns()), shown_ns_(begin_ns_), timer_(loop, [this] {
          show();
      }) {
    const std::uint64_t every = form == Form::terminal ? terminal_every_ms : line_every_ms;
    timer_.start(every, every);
}

SourceProgress::~SourceProgress() {
    if (form_ == Form::terminal) fmt::print(stderr, "{}", clear_line);
}

void SourceProgress::show() {
    const std::uint64_t now = now_ns();
    const double seconds = static_cast<double>(now - shown_ns_) / 1e9;
    const SourceCounts& counts = source_.counts();
    const std::string line = fmt::format(
        "{:.0f} s  {} accepted  {:.0f}/s  p50 {:.1f} ms  p99 {:.1f} ms  {} under way  {} waiting  "
        "{} refused  {} in doubt  {} connection errors",
        static_cast<double>(now - begin_ns_) / 1e9, counts.accepted,
        static_cast<double>(recent_.count()) / seconds, milliseconds(recent_.at(0.5)),
        milliseconds(recent_.at(0.99)), source_.in_flight(), source_.waiting(), counts.refused,
        counts.unknown, counts.connection_errors);
    if (form_ == Form::terminal)
        fmt::print(stderr, "{}{}", clear_line, line);
    else
        fmt::print(stderr, "{}\n", line);
    std::fflush(stderr);
    recent_.clear();
    shown_ns_ = now;
}

}  // namespace sealgate

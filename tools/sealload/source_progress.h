// SPDX-License-Identifier: GPL-3.0-or-later
// The line that a person watches while a source is at work: what happened in the last moment.
//
// On a terminal it is written over itself, elsewhere (when asked for) a new one comes each time.
// Loop thread.
#pragma once

#include <cstdint>

#include "core/loop.h"
#include "core/timer.h"
#include "tools/sealload/latency_histogram.h"
#include "tools/sealload/source.h"

namespace sealgate {

class SourceProgress {
public:
    enum class Form : std::uint8_t { terminal, lines };

    // Shows itself on standard error until it is destroyed.
    SourceProgress(Loop& loop, const LoadSource& source, Form form);
    ~SourceProgress();
    SourceProgress(const SourceProgress&) = delete;
    SourceProgress& operator=(const SourceProgress&) = delete;

    void on_message(std::uint64_t us) { recent_.add(us); }  // accepted

private:
    void show();

    const LoadSource& source_;
    Form form_;
    std::uint64_t begin_ns_, shown_ns_;
    LatencyHistogram recent_;  // since the last line
    Timer timer_;
};

}  // namespace sealgate

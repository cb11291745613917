// SPDX-License-Identifier: GPL-3.0-or-later
// What the sink tells: a progress line while it runs, a summary at its end.
//
// The line is for people: once a second, on standard error, when that is a terminal, and rewritten
// in place. The summary goes to standard output, in words or in JSON. Loop thread only.
#pragma once

#include <cstdint>

#include <nlohmann/json_fwd.hpp>

#include "core/timer.h"

namespace sealgate {

class LoadSink;

class SinkProgress {
public:
    SinkProgress(Loop& loop, const LoadSink& sink);
    // Removes the line, so that the summary stands alone.
    ~SinkProgress();
    SinkProgress(const SinkProgress&) = delete;
    SinkProgress& operator=(const SinkProgress&) = delete;

private:
    void show();

    const LoadSink& sink_;
    Timer timer_;
    bool shown_ = false;
    std::uint64_t messages_before_ = 0;
    std::uint64_t bytes_before_ = 0;
    double shown_at_ = 0;
};

nlohmann::json json_of(const LoadSink& sink);
void print_summary(const LoadSink& sink);

}  // namespace sealgate

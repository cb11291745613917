// SPDX-License-Identifier: GPL-3.0-or-later
// Where the mail log's lines are written: an appended file or standard output.
//
// Runs on spdlog's thread. One message is a run of whole lines, as the mail log handed it over;
// its source.line is the running number of its first line, so lines that were overrun in the queue
// or that the disk refused are counted, and a warning stands in the log where they are missing.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

namespace sealgate {

class LogSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    // Makes the line that says how many are missing.
    using LossLine = std::function<std::string(std::uint64_t lines)>;

    // `path` "-": standard output. False from open_file() leaves errno.
    LogSink(std::string path, LossLine loss_line);
    ~LogSink() override;

    bool open_file();
    void reopen() { reopen_wanted_.store(true); }  // any thread; acts before the next line

protected:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override {}  // nothing is buffered here

private:
    bool write_whole(std::string_view text);

    const std::string path_;
    const LossLine loss_line_;
    std::atomic<bool> reopen_wanted_{false};
    int file_ = -1;
    unsigned next_line_ = 0;  // wraps, as source.line does
    std::uint64_t lost_ = 0;  // and not yet said
    bool torn_ = false;       // the last line in the file has no end
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The mail log: one event a line, in the AsyncOS form that operators' scripts know.
//
//     Sat Nov 21 19:47:40 2026 Info: MID 6 ICID 5 From: <a@example.com>
//
// Lines are formatted on the loop thread into one buffer and handed to spdlog's thread once a round
// of the loop: a write to a slow disk never blocks the loop, and a busy gateway pays one hand-off
// for many lines. With `format = json`, the same event is {"time":…,"level":…,"event":"…", the ids
// and values as members, "text": the very line}. Peer text must go through printable(). No message
// text, no keys. Lines that could not be written are counted: a warning in the log says how many.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "core/config.h"
#include "core/result.h"

namespace sealgate {

class Loop;

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// Text of a peer, fit for one log line: control characters, quotes' and backslashes' escapes, cut
// to `characters_max` with "...". UTF-8 stays, what is not valid UTF-8 is escaped as \xNN.
std::string printable(std::string_view peer_text, std::size_t characters_max = 256);

class MailLog {
public:
    // `loop` may be null (command line tools): lines are handed over at once.
    static Result<std::unique_ptr<MailLog>> open(const LogOptions& options, Loop* loop,
                                                 std::string* why);
    ~MailLog();  // writes what is pending

    bool wants(LogLevel level) const;
    // Loop thread. `line` without date, level and line end.
    void write(LogLevel level, std::string_view line);
    template <typename... Values>
    void info(fmt::format_string<Values...> format, Values&&... values) {
        if (!wants(LogLevel::info)) return;
        fmt::memory_buffer line;
        fmt::format_to(std::back_inserter(line), format, std::forward<Values>(values)...);
        write(LogLevel::info, {line.data(), line.size()});
    }
    template <typename... Values>
    void warning(fmt::format_string<Values...> format, Values&&... values) {
        write(LogLevel::warning, fmt::format(format, std::forward<Values>(values)...));
    }
    template <typename... Values>
    void error(fmt::format_string<Values...> format, Values&&... values) {
        write(LogLevel::error, fmt::format(format, std::forward<Values>(values)...));
    }

    void flush();   // hands over what is buffered; the writing itself stays asynchronous
    void reopen();  // after the file was rotated away: the next line goes to a new file

private:
    MailLog();
    struct State;
    std::shared_ptr<State> state_;  // a deferred hand-over looks for it
};

}  // namespace sealgate

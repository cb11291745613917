// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/mail_log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "core/log_sink.h"
#include "core/loop.h"
#include "core/mail_log_json.h"
#include "core/thread.h"

namespace sealgate {
namespace {

// Lines of one hand-over; a busy round of the loop may fill it more than once.
constexpr std::size_t batch_bytes_max = 64 * 1024;
// Batches that wait for the disk: at worst 32 MB. Then the oldest go, and are counted.
constexpr std::size_t queued_batches_max = 512;

const char* to_word(LogLevel level) {
    switch (level) {
    case LogLevel::debug: return "Debug";
    case LogLevel::info: return "Info";
    case LogLevel::warning: return "Warning";
    case LogLevel::error: return "Error";
    }
    return "Info";
}

LogLevel least_level(LogOptions::Level level) {
    switch (level) {
    case LogOptions::Level::debug: return LogLevel::debug;
    case LogOptions::Level::info: return LogLevel::info;
    case LogOptions::Level::warning: return LogLevel::warning;
    case LogOptions::Level::error: return LogLevel::error;
    }
    return LogLevel::info;
}

// "Sat Nov 21 19:47:40 2026 ": asctime knows no locale, and pads the day with a space.
std::string date_text(std::int64_t wall_seconds) {
    const auto seconds = static_cast<std::time_t>(wall_seconds);
    std::tm local{};
    localtime_r(&seconds, &local);
    char text[64] = "";
    asctime_r(&local, text);
    std::string date(text);
    if (!date.empty()) date.back() = ' ';  // its line end
    return date;
}

std::string whole_line(LogOptions::Format format, std::int64_t seconds, std::string_view date,
                       LogLevel level, std::string_view line) {
    if (format == LogOptions::Format::json)
        return mail_log_json(seconds, to_word(level), line) + "\n";
    return fmt::format("{}{}: {}\n", date, to_word(level), line);
}

}  // namespace

struct MailLog::State : std::enable_shared_from_this<MailLog::State> {
    Loop* loop = nullptr;
    LogLevel least = LogLevel::info;
    LogOptions::Format format = LogOptions::Format::text;
    std::shared_ptr<LogSink> sink;
    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<spdlog::async_logger> logger;

    std::string date;  // of date_second
    std::int64_t date_second = -1;
    std::string batch;
    unsigned batch_first_line = 0;  // running numbers: the sink sees what is missing
    unsigned next_line = 0;
    bool flush_deferred = false;

    std::int64_t now() const { return loop ? loop->wall_seconds() : std::time(nullptr); }

    void hand_over() {
        if (batch.empty()) return;
        const spdlog::source_loc place("", static_cast<int>(batch_first_line), "");
        logger->log(place, spdlog::level::critical, spdlog::string_view_t(batch));
        batch.clear();
        batch_first_line = next_line;
    }
};

MailLog::MailLog() : state_(std::make_shared<State>()) {}

Result<std::unique_ptr<MailLog>> MailLog::open(const LogOptions& options, Loop* loop,
                                               std::string* why) {
    std::unique_ptr<MailLog> log(new MailLog);
    State& state = *log->state_;
    state.loop = loop;
    state.least = least_level(options.level);
    state.format = options.format;
    state.sink =
        std::make_shared<LogSink>(options.mail_log, [format = options.format](std::uint64_t lines) {
            const std::int64_t seconds = std::time(nullptr);
            return whole_line(format, seconds, date_text(seconds), LogLevel::warning,
                              fmt::format("mail log: {} lines are missing here: they could not be "
                                          "written fast enough, or not at all",
                                          lines));
        });
    if (!state.sink->open_file()) {
        if (why) *why = fmt::format("{}: {}", options.mail_log, std::strerror(errno));
        return temporary("the mail log cannot be opened");
    }
    const SignalsBlocked blocked;  // for spdlog's thread
    state.pool = std::make_shared<spdlog::details::thread_pool>(queued_batches_max, 1);
    state.logger = std::make_shared<spdlog::async_logger>(
        "mail_log", state.sink, state.pool, spdlog::async_overflow_policy::overrun_oldest);
    return log;
}

MailLog::~MailLog() {
    if (state_->logger) state_->hand_over();
    state_->logger.reset();
    state_->pool.reset();  // joins its thread, after the last line
    state_->sink.reset();
}

bool MailLog::wants(LogLevel level) const { return level >= state_->least; }

void MailLog::write(LogLevel level, std::string_view line) {
    if (!wants(level)) return;
    State& state = *state_;
    const std::int64_t now = state.now();
    if (now != state.date_second) {
        state.date = date_text(now);
        state.date_second = now;
    }
    if (state.format == LogOptions::Format::text) {
        state.batch.append(state.date).append(to_word(level)).append(": ");
        state.batch.append(line).push_back('\n');
    } else {
        state.batch += whole_line(state.format, now, state.date, level, line);
    }
    ++state.next_line;
    if (!state.loop || state.batch.size() >= batch_bytes_max) {
        state.hand_over();
    } else if (!state.flush_deferred) {
        state.flush_deferred = true;
        state.loop->defer([weak = state.weak_from_this()] {
            const auto alive = weak.lock();
            if (!alive || !alive->logger) return;
            alive->flush_deferred = false;
            alive->hand_over();
        });
    }
}

void MailLog::flush() { state_->hand_over(); }

void MailLog::reopen() {
    flush();
    state_->sink->reopen();
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/alerts.h"

#include <fmt/format.h>

#include "core/limits.h"
#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"

namespace sealgate {
namespace {

// Both go into a line of the log and a mail's Subject.
constexpr std::size_t subject_bytes_max = 256;
constexpr std::size_t text_bytes_max = 1000;

std::string one_line(std::string_view text, std::size_t bytes_max) {
    std::string line;
    for (const char c : text.substr(0, bytes_max)) {
        const auto octet = static_cast<unsigned char>(c);
        line += octet < 0x20 || octet == 0x7f ? ' ' : c;
    }
    if (text.size() <= bytes_max) return line;
    // Not in the middle of a character of UTF-8.
    while (!line.empty() && (static_cast<unsigned char>(text[line.size()]) & 0xc0) == 0x80)
        line.pop_back();
    return line + "...";
}

LogLevel level_of(AlertOptions::Severity severity) {
    switch (severity) {
    case AlertOptions::Severity::info: return LogLevel::info;
    case AlertOptions::Severity::warning: return LogLevel::warning;
    case AlertOptions::Severity::critical: return LogLevel::error;
    }
    return LogLevel::warning;
}

const char* title(AlertOptions::Severity severity) {
    switch (severity) {
    case AlertOptions::Severity::info: return "Info";
    case AlertOptions::Severity::warning: return "Warning";
    case AlertOptions::Severity::critical: return "Critical";
    }
    return "Warning";
}

}  // namespace

const char* to_text(AlertName name) {
    switch (name) {
    case AlertName::config_rejected: return "config.rejected";
    case AlertName::certificate_expires_soon: return "certificate.expires-soon";
    case AlertName::key_updated_often: return "smime.key-updated-often";
    case AlertName::key_repository_full: return "smime.repository-full";
    case AlertName::disk_low: return "disk.low";
    }
    return "";
}

const char* to_text(AlertOptions::Severity severity) {
    switch (severity) {
    case AlertOptions::Severity::info: return "info";
    case AlertOptions::Severity::warning: return "warning";
    case AlertOptions::Severity::critical: return "critical";
    }
    return "";
}

std::string Alert::line() const {
    return fmt::format("[{}-{}] (System) {}: {}", title(severity), host, to_text(name), text);
}

Alerts::Alerts(Loop& loop, MailLog& log, Clock clock)
    : loop_(loop), log_(log), clock_(std::move(clock)) {
    if (!clock_) clock_ = [&loop] { return loop.now_ms(); };
}

void Alerts::put_in_force(const AlertOptions& options, const std::string& hostname) {
    options_ = options;
    hostname_ = hostname;
}

void Alerts::add_sink(Sink sink) { sinks_.push_back(std::move(sink)); }

bool Alerts::holds_back(Passed& before, Severity severity) {
    if (severity > before.severity || clock_() - before.at_ms >= options_.throttle_ms) return false;
    ++before.held_back;
    if (Alert* shown = find_shown(before.number)) ++shown->repeated;
    Metrics::instance().add(Counter::alerts_throttled);
    return true;
}

Alerts::Passed& Alerts::remember(std::string key) {
    const auto known = by_key_.find(key);
    if (known != by_key_.end()) {
        passed_.splice(passed_.end(), passed_, known->second);
        return passed_.back();
    }
    if (passed_.size() >= limits::alert_subjects_max) {
        by_key_.erase(passed_.front().key);
        passed_.pop_front();
    }
    passed_.push_back({std::move(key), 0, Severity::info, 0, 0});
    by_key_.emplace(passed_.back().key, std::prev(passed_.end()));
    return passed_.back();
}

Alert* Alerts::find_shown(std::uint64_t number) {
    if (shown_.empty() || number < shown_.front().number) return nullptr;
    return &shown_[number - shown_.front().number];
}

bool Alerts::raise(AlertName name, std::string_view subject, Severity severity,
                   std::string_view text) {
    Alert alert;
    alert.subject = one_line(subject, subject_bytes_max);
    std::string key = fmt::format("{} {}", to_text(name), alert.subject);
    const auto known = by_key_.find(key);
    if (known != by_key_.end() && holds_back(*known->second, severity)) return false;

    Passed& passed = remember(std::move(key));
    alert.missed = passed.held_back;
    alert.number = ++last_number_;
    alert.time = loop_.wall_seconds();
    alert.name = name;
    alert.severity = severity;
    alert.host = hostname_;
    alert.text = one_line(text, text_bytes_max);
    passed.at_ms = clock_();
    passed.severity = severity;
    passed.number = alert.number;
    passed.held_back = 0;

    Metrics::instance().add(Counter::alerts_raised);
    log_.write(level_of(severity), alert.line());
    if (shown_.size() >= limits::alerts_shown_max) shown_.pop_front();
    shown_.push_back(alert);
    if (severity < options_.severity_min) return true;
    for (const Sink& sink : sinks_) sink(alert);
    return true;
}

}  // namespace sealgate

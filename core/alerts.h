// SPDX-License-Identifier: GPL-3.0-or-later
// Alerts: what needs a person. Raised by whoever sees it; throttled, logged, kept for
// `sealgate alerts`, and handed on to who tells people (smtp/alert_mail.h, smtp/alert_webhook.h).
//
// An alert has a name out of a table and a subject: the domain, the certificate, the folder it is
// about. The same alert about the same subject passes once in `[alerts] throttle`, unless it has
// become more severe; what is held back is counted. Every alert that passes is a line of the mail
// log; only those of `severity-min` and above go to people. Nothing here survives a restart. Loop
// thread. spec/operations.md "Alerts".
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/config.h"

namespace sealgate {

class Loop;
class MailLog;

enum class AlertName : std::uint8_t {
    config_rejected,
    certificate_expires_soon,
    key_updated_often,
    key_repository_full,
    disk_low,
};
inline constexpr int alert_name_count = 5;

const char* to_text(AlertName name);                   // "smime.key-updated-often"
const char* to_text(AlertOptions::Severity severity);  // "warning"

struct Alert {
    std::uint64_t number = 0;  // from 1, since the start
    std::int64_t time = 0;     // wall seconds
    AlertName name = AlertName::config_rejected;
    AlertOptions::Severity severity = AlertOptions::Severity::warning;
    std::string host;
    std::string subject;
    std::string text;
    std::uint64_t missed = 0;    // were held back since the one before it
    std::uint64_t repeated = 0;  // have been held back since it

    std::string line() const;  // "[Warning-mx.example.com] (System) config.rejected: …"
};

class Alerts {
public:
    using Severity = AlertOptions::Severity;
    using Sink = std::function<void(const Alert&)>;
    using Clock = std::function<std::uint64_t()>;

    // `clock` in milliseconds that never go back; empty: the loop's.
    Alerts(Loop& loop, MailLog& log, Clock clock = {});
    Alerts(const Alerts&) = delete;
    Alerts& operator=(const Alerts&) = delete;

    // A start or a reload.
    void put_in_force(const AlertOptions& options, const std::string& hostname);
    // Called for each alert that passes and is severe enough, from inside raise().
    void add_sink(Sink sink);

    // `text` is one sentence for people. Both texts may hold a peer's: control characters become
    // spaces, and both are cut. Says whether it passed.
    bool raise(AlertName name, std::string_view subject, Severity severity, std::string_view text);

    // The last limits::alerts_shown_max that passed, the newest last.
    const std::deque<Alert>& shown() const { return shown_; }

private:
    struct Passed {
        std::string key;
        std::uint64_t at_ms = 0;
        Severity severity{};
        std::uint64_t number = 0;
        std::uint64_t held_back = 0;
    };

    bool holds_back(Passed& before, Severity severity);
    Passed& remember(std::string key);
    Alert* find_shown(std::uint64_t number);

    Loop& loop_;
    MailLog& log_;
    Clock clock_;
    AlertOptions options_;
    std::string hostname_;
    std::vector<Sink> sinks_;
    std::uint64_t last_number_ = 0;
    std::deque<Alert> shown_;
    std::list<Passed> passed_;  // the oldest first
    std::unordered_map<std::string, std::list<Passed>::iterator> by_key_;
};

}  // namespace sealgate

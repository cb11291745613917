// SPDX-License-Identifier: GPL-3.0-or-later
// Alerts by mail: one message to all of `[alerts] to`, made here and put into the queue.
//
// It passes no listener, policy or filter, and counts against no limit of senders. Its envelope has
// the null sender and its recipients NOTIFY=NEVER: an alert that cannot be delivered makes no
// report, which could make an alert again (RFC 3834 §3.3). What cannot be stored is tried once
// more, a minute later or when the store works again. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/alerts.h"
#include "core/spool.h"

namespace sealgate {

class Loop;
class MailLog;

// What the mail says: 7-bit, with CRLF.
std::string make_alert_mail(const Alert& alert, const std::string& from,
                            const std::vector<std::string>& to, const std::string& message_id);

class AlertMail {
public:
    struct Context {
        Loop& loop;
        MailLog& log;
        Spool& spool;
        std::function<void(StoredMessage)> to_queue;
        std::uint64_t retry_after_ms = 60'000;
    };
    explicit AlertMail(Context context);
    ~AlertMail();  // what is not stored yet is not sent

    // A start or a reload: `to` and `from`. Without `to` nothing is sent.
    void put_in_force(const AlertOptions& options);
    void send(const Alert& alert);

    // That wait for another attempt; more are given up.
    static constexpr std::size_t waiting_max = 100;
    std::size_t waiting() const;

private:
    struct State;
    std::shared_ptr<State> state_;  // what the store answers looks for it
};

}  // namespace sealgate

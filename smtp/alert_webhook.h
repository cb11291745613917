// SPDX-License-Identifier: GPL-3.0-or-later
// Alerts to a webhook: each is posted as one JSON object (smtp/alert_report.h) to `[alerts]
// webhook`.
//
// One after the other, so that they arrive in order; any answer of 2xx means taken, redirects are
// not followed. What is not taken is posted once more a minute later, and then given up. What waits
// is lost when the gateway ends. The URL is a secret: it stands in no log line. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/alerts.h"
#include "core/fetch.h"
#include "core/timer.h"

namespace sealgate {

class Loop;
class MailLog;

class AlertWebhook {
public:
    struct Context {
        Loop& loop;
        MailLog& log;
        Fetcher& fetcher;
        std::uint64_t retry_after_ms = 60'000;
    };
    explicit AlertWebhook(Context context);
    AlertWebhook(const AlertWebhook&) = delete;
    AlertWebhook& operator=(const AlertWebhook&) = delete;

    // A start or a reload. Without a URL nothing is sent.
    void put_in_force(const AlertOptions& options);
    void send(const Alert& alert);

    // That wait for their turn, or for another attempt; more are given up.
    static constexpr std::size_t waiting_max = 100;
    std::size_t waiting() const { return waiting_.size() + failed_once_.size(); }

private:
    struct Post {
        AlertName name{};
        std::string body;
        int attempts = 0;
    };

    void post_next();
    void on_answer(const FetchAnswer& answer);
    void retry();

    Context context_;
    std::string url_;
    std::deque<Post> waiting_;  // the first is under way while is_posting_
    bool is_posting_ = false;
    Fetcher::Ticket posting_;
    std::vector<Post> failed_once_;
    Timer retry_timer_;
};

}  // namespace sealgate

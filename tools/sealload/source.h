// SPDX-License-Identifier: GPL-3.0-or-later
// The source: connections that send mail as fast as the target takes it (a closed loop).
//
// It owns what the connections share: how much is left to send, the ledger, the counts. One thread,
// one loop.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/loop.h"
#include "core/timer.h"
#include "tools/sealload/ledger.h"
#include "tools/sealload/mail_template.h"

namespace sealgate {

class SourceConnection;

struct SourceOptions {
    Endpoint target;
    unsigned connections = 10;
    std::uint64_t messages = 100;  // 0: until the time is over
    std::uint64_t seconds = 0;     // 0: until all are sent
    std::uint64_t messages_per_connection = 100;
    std::string helo = "sealload.example.com";
    std::string from = "sender@example.com";
    std::vector<std::string> to = {"recipient@example.net"};
    bool bdat = false;
    bool pipelining = true;
    bool retry = false;  // goes on whatever happens to its connections
};

// What one message is: made when it is begun, gone when its reply came.
struct OutgoingMail {
    std::uint64_t number = 0;
    const MailTemplate* mail_template = nullptr;
    std::string message_id;
    std::string from;
    std::vector<std::string> recipients;
};

struct SourceCounts {
    std::uint64_t accepted = 0, refused = 0, unknown = 0, bytes = 0;
    std::uint64_t connections = 0, connection_errors = 0;
    std::map<std::string, std::uint64_t> refusals;  // by reply
    std::map<std::string, std::uint64_t> errors;    // by what broke
    std::vector<std::uint32_t> reply_us;            // from end of data to its reply
    double seconds = 0;
};

class Source {
public:
    Source(Loop& loop, SourceOptions options, std::vector<MailTemplate> templates);
    ~Source();
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

    Result<void> open_ledger(const std::string& path) { return ledger_.open(path); }
    // Until all is sent, the time is over or stop().
    void run();
    void stop();

    const SourceCounts& counts() const { return counts_; }
    std::uint64_t unsent() const { return left_; }

    // For connections.
    Loop& loop() { return loop_; }
    const SourceOptions& options() const { return options_; }
    bool has_more() const { return !stopped_ && (options_.messages == 0 || left_ > 0); }
    OutgoingMail take_next();
    void give_back() { left_ += options_.messages != 0; }  // begun, and not a byte of it was sent
    void on_outcome(const OutgoingMail& mail, SentState state, const std::string& reply,
                    std::vector<std::string> recipients, std::uint64_t reply_us);
    void on_connected() { ++counts_.connections; }
    void on_connection_error(const std::string& what);
    void on_connection_done();

private:
    Loop& loop_;
    SourceOptions options_;
    std::vector<MailTemplate> templates_;
    LedgerWriter ledger_;
    SourceCounts counts_;
    std::vector<std::unique_ptr<SourceConnection>> connections_;
    Timer deadline_;
    std::mt19937_64 random_{std::random_device{}()};
    std::uint64_t left_ = 0;
    std::uint64_t next_number_ = 1;
    std::size_t working_ = 0;
    bool stopped_ = false;
};

}  // namespace sealgate

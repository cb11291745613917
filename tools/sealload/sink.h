// SPDX-License-Identifier: GPL-3.0-or-later
// The sink: an SMTP server that takes every mail, counts it, and on request keeps or verifies it.
//
// It owns what its sessions share. The loop thread serves sessions; files and signatures are the
// work of a pool, and a message's reply waits for them: what was answered with 250 stands in the
// ledger.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>

#include "core/address.h"
#include "core/loop.h"
#include "core/socket.h"
#include "core/timer.h"
#include "core/workers.h"
#include "tools/sealload/ledger.h"

namespace sealgate {

class SinkSession;

enum class FailAt : std::uint8_t { rcpt, data, end };

struct SinkOptions {
    Endpoint listen;
    std::string keep;            // folder; empty: nothing is kept
    std::uint64_t messages = 0;  // stop after so many; 0: never
    bool verify = false;
    std::string ca_file;
    double fail_percent = 0;
    int fail_code = 451;
    FailAt fail_at = FailAt::end;
    bool eight_bit = true, chunking = true, pipelining = true, dsn = true, smtputf8 = true;
    std::uint64_t size_bytes_max = std::uint64_t{1} << 30;
};

struct SinkCounts {
    std::uint64_t connections = 0, messages = 0, dsns = 0, bytes = 0, recipients = 0;
    std::uint64_t failed_on_purpose = 0, verified = 0, not_verified = 0;
    double first_at = 0, last_at = 0;  // seconds, of messages
};

// What a session gathered of one message.
struct ReceivedMail {
    std::string sender;
    std::vector<std::string> recipients;
    std::string content;  // whole when somebody wants it, else its beginning
    std::uint64_t bytes = 0;
};

// (core/stage.h has a Sink already, and that one is a stage.)
class LoadSink {
public:
    LoadSink(Loop& loop, SinkOptions options);
    ~LoadSink();
    LoadSink(const LoadSink&) = delete;
    LoadSink& operator=(const LoadSink&) = delete;

    Result<void> open_ledger(const std::string& path) { return ledger_.open(path); }
    Result<void> listen(std::string* why);
    Endpoint local() const { return acceptor_->local(); }
    const SinkCounts& counts() const { return counts_; }

    // For sessions.
    const SinkOptions& options() const { return options_; }
    bool wants_content() const { return options_.verify || !options_.keep.empty(); }
    bool fails_at(FailAt where);
    // Keeps, verifies, counts; then the session hears on_taken(), perhaps before this returns.
    void take(std::uint64_t session, ReceivedMail mail);
    void on_closed(std::uint64_t session);

private:
    class CheckJob;

    void accept(std::unique_ptr<Socket> socket);
    void record(const ReceivedLine& line);

    Loop& loop_;
    SinkOptions options_;
    LedgerWriter ledger_;
    SinkCounts counts_;
    std::unique_ptr<Acceptor> acceptor_;
    std::unique_ptr<WorkerPool> workers_;
    std::unordered_map<std::uint64_t, std::unique_ptr<SinkSession>> sessions_;
    std::uint64_t next_session_ = 1;
    std::uint64_t next_file_ = 1;
    std::mt19937_64 random_{1};  // the same failures in every run
    Timer last_reply_;           // the loop ends when the last message's reply has left
};

}  // namespace sealgate

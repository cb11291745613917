// SPDX-License-Identifier: GPL-3.0-or-later
// The sink: an SMTP server that takes every mail, counts it, and on request keeps or verifies it.
//
// It owns what its sessions share. The loop thread serves sessions; files and signatures are the
// work of a pool, and a message's reply waits for them: what was answered with 250 stands in the
// ledger. The ledger's lines of one round of the loop leave in one write, before their replies.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/address.h"
#include "core/loop.h"
#include "core/socket.h"
#include "core/timer.h"
#include "core/workers.h"
#include "smtp/commands.h"
#include "tools/sealload/check_mail.h"
#include "tools/sealload/ledger.h"
#include "tools/sealload/sink_faults.h"

namespace sealgate {

class SinkSession;
class TlsContext;
struct TlsOutcome;

struct SinkOptions {
    Endpoint listen;
    std::string keep;                        // folder; empty: nothing is kept
    std::uint64_t messages = 0;              // stop after so many; 0: never
    std::shared_ptr<const MailCheck> check;  // null: nothing is verified
    Faults faults;
    std::shared_ptr<TlsContext> tls;  // null: STARTTLS is not offered
    bool tls_on_connect = false;
    bool starttls_offered = false;
    std::uint64_t read_bytes_per_second = 0;  // of each connection; 0: as fast as it comes
    bool eight_bit = true, chunking = true, pipelining = true, dsn = true, smtputf8 = true;
    bool size = true, enhanced_codes = true;
    std::uint64_t size_bytes_max = std::uint64_t{1} << 30;  // held to, even when it is not offered
};

struct SinkCounts {
    std::uint64_t connections = 0, messages = 0, dsns = 0, bytes = 0, recipients = 0;
    std::uint64_t verified = 0, not_verified = 0, altered = 0;
    std::uint64_t tls_full = 0, tls_resumed = 0, tls_failed = 0;  // handshakes
    double first_at = 0, last_at = 0;                             // seconds, of messages
    std::array<std::uint64_t, static_cast<std::size_t>(Verb::unknown) + 1> commands{};
    std::map<std::string, std::uint64_t> forms;   // what was verified, by its layers
    std::map<std::string, std::uint64_t> failed;  // verdicts that are not "verified"

    double seconds() const { return last_at - first_at; }
    double messages_per_second() const;
};

// What a session gathered of one message.
struct ReceivedMail {
    std::string sender;
    std::vector<std::string> recipients;  // when somebody wants their names
    std::uint64_t recipient_count = 0;
    std::string content;  // whole when somebody wants it, else its beginning
    std::uint64_t bytes = 0;

    void clear();  // its memory stays for the next one
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
    std::size_t session_count() const { return sessions_.size(); }
    const Faults& faults() const { return options_.faults; }

    // For sessions.
    Loop& loop() { return loop_; }
    const SinkOptions& options() const { return options_; }
    Faults& faults() { return options_.faults; }
    // EHLO's reply; under TLS, STARTTLS is offered no more.
    const std::string& hello(bool has_tls) const { return has_tls ? hello_in_tls_ : hello_; }
    bool wants_content() const { return workers_ != nullptr; }
    bool wants_names() const { return wants_content() || ledger_.is_open(); }
    void count(Verb verb) { ++counts_.commands[static_cast<std::size_t>(verb)]; }
    void count(const TlsOutcome& handshake);
    // Counts the message; true: it is done. Else it is moved away, and the session hears on_taken()
    // later, when it is kept, verified and in the ledger.
    bool take(std::uint64_t session, ReceivedMail& mail);
    void on_closed(std::uint64_t session);

private:
    class CheckJob;
    struct Settled {
        std::uint64_t session;
        bool kept;
    };

    void accept(std::unique_ptr<Socket> socket);
    void record(const ReceivedLine& line, std::uint64_t recipient_count);
    void settle_later(std::uint64_t session, bool kept);
    void settle();

    Loop& loop_;
    SinkOptions options_;
    std::string hello_, hello_in_tls_;
    LedgerWriter ledger_;
    SinkCounts counts_;
    std::unique_ptr<Acceptor> acceptor_;
    std::unique_ptr<WorkerPool> workers_;
    std::unordered_map<std::uint64_t, std::unique_ptr<SinkSession>> sessions_;
    std::vector<Settled> settled_;
    std::uint64_t next_session_ = 1;
    std::uint64_t next_file_ = 1;
    Timer last_reply_;  // the loop ends when the last message's reply has left
};

}  // namespace sealgate

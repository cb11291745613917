// SPDX-License-Identifier: GPL-3.0-or-later
// The source: connections that send mail, as fast as the target takes it (a closed loop) or at
// moments of its own (an open loop).
//
// It owns what the connections share: which message is next and when, the ledger, the counts. In an
// open loop a message begins at its intended moment when a connection is free, and otherwise as
// soon as one is; its time counts from the intended moment either way, so a target that stalls
// shows the whole stall (no coordinated omission). Nothing queues here: what is late is what the
// arrival clock has not given out yet. One thread, one loop.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/loop.h"
#include "core/timer.h"
#include "tools/sealload/ledger.h"
#include "tools/sealload/load_clock.h"
#include "tools/sealload/load_rate.h"
#include "tools/sealload/mail_pool.h"
#include "tools/sealload/signer_mails.h"
#include "tools/sealload/source_addresses.h"
#include "tools/sealload/source_counts.h"
#include "tools/sealload/source_dialogue.h"

namespace sealgate {

class SourceConnection;
class SourceProgress;
class TlsContext;

struct SourceOptions {
    Endpoint target;
    unsigned connections = 10;
    std::uint64_t messages = 100;  // 0: until the time is over
    double seconds = 0;            // 0: until all are sent
    double warmup_seconds = 0;     // of these, and not measured
    std::uint64_t messages_per_connection = 100;
    std::optional<LoadRate> rate;  // nothing: a closed loop
    Arrivals arrivals = Arrivals::constant;
    std::string helo = "sealload.example.com";
    SourceAddresses::Plan addresses;
    std::uint64_t seed = 1;
    std::uint64_t trickle_bytes = 0;  // of content, per second and connection; 0: at once
    std::shared_ptr<TlsContext> tls;  // a client's: STARTTLS, or nothing is sent
    bool bdat = false;
    bool pipelining = true;
    bool retry = false;  // goes on whatever happens to its connections
};

// (core/stage.h has a Source already, and that one feeds stages.)
class LoadSource {
public:
    LoadSource(Loop& loop, SourceOptions options, MailPool mails);
    ~LoadSource();
    LoadSource(const LoadSource&) = delete;
    LoadSource& operator=(const LoadSource&) = delete;

    // Each message is made by its sender, instead of taken from the mails.
    void use_signers(std::unique_ptr<const SignerMails> signers) { signers_ = std::move(signers); }
    Result<void> open_ledger(const std::string& path);
    void show_progress(SourceProgress* progress) { progress_ = progress; }  // not ours
    // Until all is sent, the time is over or stop(). Once.
    void run();
    void stop();

    const SourceCounts& counts() const { return counts_; }
    std::uint64_t unsent() const { return left_ + returned_.size() + counts_.never_begun; }
    std::uint64_t in_flight() const { return in_flight_; }
    std::uint64_t waiting() const;  // due, and no connection is free

    // For connections.
    Loop& loop() { return loop_; }
    const SourceOptions& options() const { return options_; }
    const SourceAddresses& addresses() const { return addresses_; }
    bool has_more() const {
        return !stopped_ && (options_.messages == 0 || left_ > 0 || !returned_.empty());
    }
    // False: nothing is due. The connection then ends, or waits to be called by next_mail().
    bool take_mail(OutgoingMail& mail);
    void wait_for_mail(SourceConnection& connection);
    void give_back(const OutgoingMail& mail);  // taken, and not a byte of it was sent
    // "<12.5e0c…@sealload>": by the message's number, and of this run alone.
    void append_message_id(std::string& out, std::uint64_t number) const;

    void record(Phase phase, std::uint64_t begin_ns, std::uint64_t end_ns);
    void on_connected(std::uint64_t begin_ns);
    void on_handshake(std::uint64_t begin_ns, bool resumed);
    void on_connection_error(std::string_view what);
    void on_connection_done();
    void on_accepted(const OutgoingMail& mail, const MailDialogue& dialogue, std::string_view reply,
                     std::uint64_t now);
    void on_refused(const OutgoingMail& mail, const MailDialogue& dialogue);
    void on_unknown(const OutgoingMail& mail, const MailDialogue& dialogue, std::string_view why);

private:
    bool is_due() const;
    void dispatch();
    void set_alarm();
    void choose(OutgoingMail& mail);
    void dismiss_idle();
    void count_never_begun();
    void trickle();
    void write_ledger(const OutgoingMail& mail, SentState state, std::string_view reply,
                      std::vector<std::string> recipients);

    Loop& loop_;
    SourceOptions options_;
    MailPool mails_;
    SourceAddresses addresses_;
    std::unique_ptr<const SignerMails> signers_;
    LedgerWriter ledger_;
    bool has_ledger_ = false;
    SourceCounts counts_;
    SourceProgress* progress_ = nullptr;
    std::vector<std::unique_ptr<SourceConnection>> connections_;
    Timer deadline_;
    Timer trickle_tick_;
    std::size_t trickle_turn_ = 0;

    std::uint64_t begin_ns_ = 0, measure_from_ns_ = 0, last_reply_ns_ = 0;
    std::optional<ArrivalClock> arrivals_;
    Alarm alarm_;
    std::deque<SourceConnection*> idle_;  // wait for mail; the longest waiting first
    std::vector<OutgoingMail> returned_;  // by connections that gave up
    std::string run_;                     // of Message-IDs
    std::uint64_t left_ = 0;
    std::uint64_t next_number_ = 1;
    std::uint64_t in_flight_ = 0;
    std::size_t working_ = 0;
    bool stopped_ = false;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of DeliveryQueue: its messages, their rounds, and the steps between them.
//
// A message is in exactly one of three states: sleeping (wake_at is its key in the schedule), in a
// round (it waits at destinations or tasks are out), or held until its reports are stored. settle()
// is the one place that moves it on. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/timer.h"
#include "smtp/bounce.h"
#include "smtp/bounce_reason.h"
#include "smtp/destination_queue.h"
#include "smtp/queue.h"
#include "smtp/routes.h"

namespace sealgate {

// A recipient within its message's round.
enum class RecipientPhase : std::uint8_t {
    resting,  // not this time: done with, or its destination is down
    waiting,  // in its destination's line
    out,      // a task is under way
};

struct QueuedMessage {
    MessageId mid = 0;
    std::uint64_t body_bytes = 0;
    std::string stored;                  // the envelope, encoded, while it is not open
    std::unique_ptr<Envelope> envelope;  // open while worked on
    ChunkList body;                      // while young; empty otherwise
    bool in_memory = false;
    bool attempted = false;  // in this round
    bool changed = false;    // the store has an older envelope
    bool updating = false;   // the store is being told
    bool sleeping = false;
    std::uint32_t places = 0;     // destinations it waits at
    std::uint32_t out = 0;        // tasks under way
    std::uint32_t reports = 0;    // DSNs on their way into the store
    std::int64_t wake_at = 0;     // while sleeping
    std::int64_t round_next = 0;  // when what this round put off is due; 0: nothing was put off
    std::vector<RecipientPhase> phases;  // one per recipient during a round, else empty

    bool in_round() const { return places > 0 || out > 0; }
    QueueState state() const {
        if (out > 0 || reports > 0) return QueueState::active;
        return places > 0 ? QueueState::ready : QueueState::deferred;
    }
};

// What a delivery, or the lack of one, led to: reports to be made, collected recipient by
// recipient.
struct Findings {
    struct Report {
        std::vector<std::size_t> rids;
        std::vector<DsnRecipient> recipients;
    };
    Report failed, expired, delayed, relayed;
};

// A failed or postponed recipient: where, and what was said.
struct Setback {
    std::size_t rid = 0;
    std::uint64_t dcid = 0;
    const Reply& reply;
    bool from_host = false;
    std::string host = {};  // that said it; empty: not known
};

struct DeliveryQueue::State final : DestinationQueue::House,
                                    std::enable_shared_from_this<DeliveryQueue::State> {
    State(Context with, std::shared_ptr<const Config> config_now);

    // queue.cc: messages come, wake, settle and end.
    void add(StoredMessage stored);
    void recover(Spool::Recovered recovered);
    void begin_round(QueuedMessage& message);
    void settle(QueuedMessage& message);
    void end_round(QueuedMessage& message);
    void sleep(QueuedMessage& message);
    void wake(QueuedMessage& message);
    // `removed` as in Spool::remove(): with it the removal does not wait for others.
    void finish(QueuedMessage& message, const char* how,
                std::function<void(Result<void>)> removed = {});
    void persist(QueuedMessage& message);
    void on_updated(MessageId mid, const Result<void>& result);
    void open(QueuedMessage& message);
    void close(QueuedMessage& message);
    void check_due();
    void arm_timer();
    void set_config(std::shared_ptr<const Config> config_now);
    void drain(std::function<void()> when_drained);
    void look_whether_drained();

    // queue_destinations.cc: messages and their destinations.
    DestinationQueue& destination(const std::string& domain);
    void enter_lines(QueuedMessage& message, Findings& findings);
    void leave_lines(QueuedMessage& message);
    void pump_all();
    void forget_destinations();
    DestinationQueue::Taken take_task(DestinationQueue& at, MessageId mid,
                                      std::size_t recipients_max) override;
    bool knows(MessageId mid) const override { return messages.count(mid) > 0; }
    std::unique_ptr<DeliveryLink> make_link(DeliveryLink::Owner& owner,
                                            const std::string& domain) override;
    bool take_connection() override;
    void give_connection() override;
    std::int64_t now() const override;
    void pump_later(DestinationQueue& at) override;
    void pump_at(DestinationQueue& at, std::int64_t wall_seconds) override;

    // queue_seal.cc: S/MIME that is still to be done.
    void begin_sealing(QueuedMessage& message);
    void on_sealed(MessageId mid, const SealOutcome& outcome);

    // queue_outcomes.cc: what deliveries led to.
    void on_outcome(DestinationQueue& at, std::uint64_t dcid, std::unique_ptr<DeliveryTask> task,
                    std::vector<RecipientOutcome> outcomes) override;
    void on_unreachable(DestinationQueue& at, std::uint64_t dcid, Reply reply) override;
    void on_handed_back(DestinationQueue& at, MessageId mid) override;
    void on_delivered(QueuedMessage& message, const RecipientOutcome& outcome, Findings& findings);
    void put_off(QueuedMessage& message, const std::string& domain, const Setback& setback,
                 Findings& findings);
    void fail(QueuedMessage& message, const std::string& domain, const Setback& setback,
              Findings& findings);
    void expire(QueuedMessage& message, const std::string& domain, const Setback& setback,
                Findings& findings);
    void report(QueuedMessage& message, Findings findings);
    void report(QueuedMessage& message, DsnKind kind, Findings::Report found);
    void on_reported(MessageId mid, DsnKind kind, const std::vector<std::size_t>& rids,
                     const Result<void>& result);
    void warn_of_delay(QueuedMessage& message, Findings& findings);
    std::int64_t delay_warning_at(const Envelope& envelope, const Recipient& recipient) const;
    bool told(const QueuedMessage& message, const Recipient& recipient, const std::string& domain,
              DsnKind kind);

    // queue_operator.cc
    QueueRow row_of(const QueuedMessage& message, const Envelope& envelope) const;
    bool retry_now(QueuedMessage& message);

    Context context;
    std::shared_ptr<const Config> config;
    RouteTable routes;
    DeliveryLinkFactory link_factory;
    BounceDesk desk;
    Timer timer;
    std::map<MessageId, QueuedMessage> messages;
    std::set<std::pair<std::int64_t, MessageId>> schedule;  // sleeping messages by wake_at
    std::set<std::pair<std::int64_t, std::string>> pump_times;
    std::set<DestinationQueue*> to_pump;
    std::unordered_map<std::string, std::unique_ptr<DestinationQueue>> destinations;
    std::size_t unreadable = 0;
    std::int64_t forgotten_at = 0;  // when destinations were last looked through
    bool pump_asked = false;
    bool started = false;
    bool draining = false;
    std::function<void()> drained;
};

}  // namespace sealgate

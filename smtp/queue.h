// SPDX-License-Identifier: GPL-3.0-or-later
// The delivery queue: every message that was accepted and has not ended, and what happens to it.
//
// An index over the spool, held on the loop thread: a message's recipients are grouped by
// destination (smtp/destination_queue.h), tried, and then are delivered, bounced or tried again by
// the bounce profile. One round of a message is one attempt at all its pending recipients; when the
// round is over, the message ends or sleeps until its next one. Attempts and times are kept in the
// stored envelope, so a restart goes on where it was. A failure is stored as told only after its
// DSN is durable (smtp/bounce.h): a crash in between tells it twice, never not at all.
//
// It logs Bounced:, Delayed: and, once per MID that it was given, `Message finished`. It is not
// where messages are made: the intake stores them and hands them over. RFC 5321 §4.5.4, §6.1.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/result.h"
#include "core/spool.h"
#include "smtp/envelope.h"
#include "smtp/queue_link.h"
#include "smtp/seal_task.h"

namespace sealgate {

class ConnectionBudget;
class Loop;
class MailLog;
class Resolver;

// active: a delivery is under way; ready: it waits for a connection; deferred: for its time.
enum class QueueState : std::uint8_t { active, ready, deferred };
const char* to_text(QueueState state);
std::optional<QueueState> parse_queue_state(std::string_view text);

struct QueueFilter {
    std::string domain;  // of a pending recipient; empty: any
    std::optional<QueueState> state;
    std::size_t rows_max = 1000;
};

struct QueueRow {
    MessageId mid = 0;
    QueueState state = QueueState::ready;
    std::string sender;
    std::vector<std::string> recipients;  // pending ones
    std::uint64_t body_bytes = 0;
    std::int64_t arrived = 0;
    std::int64_t age_seconds = 0;
    std::uint32_t attempts = 0;
    std::int64_t next_attempt = 0;  // 0: now
    std::string last_error;         // of one of the pending recipients
    std::string subject;
};

struct QueueList {
    std::vector<QueueRow> rows;  // in MID order
    std::size_t matching = 0;    // also those past rows_max
};

struct QueuedMessageView {
    QueueRow row;
    Envelope envelope;  // with every recipient's state
};

struct QueueStatistics {
    std::size_t messages = 0;
    std::size_t active = 0;
    std::size_t ready = 0;
    std::size_t deferred = 0;
    std::size_t unreadable = 0;  // in the store, with an envelope that cannot be understood
    std::size_t destinations = 0;
    std::size_t destinations_down = 0;
    std::size_t connections = 0;
    std::size_t reports = 0;  // DSNs being made
};

enum class QueueRemoval : std::uint8_t { removed, not_found, active };

// A recipient that the gateway itself refuses to deliver to.
struct BouncedRecipient {
    std::size_t rid = 0;
    std::string enhanced;  // "5.7.1"
    std::string text;      // plain words
    std::string reason;    // the stable word, "sender-mismatch"; may be empty
};

class DeliveryQueue {
public:
    struct Context {
        Loop& loop;
        MailLog& log;
        Spool& spool;
        Resolver& resolver;
        ConnectionBudget& connections;
        std::string hostname;
        std::vector<Endpoint> own_endpoints;       // mail is never delivered to our own listeners
        // Does the S/MIME of messages whose envelope says it is still to be done; see seal_task.h.
        // `done` is called later, once. Empty: such messages wait.
        std::function<void(SealTask, std::function<void(SealOutcome)> done)> seal = {};
        DeliveryLinkFactory make_link = {};        // empty: couriers
        std::function<std::int64_t()> clock = {};  // wall seconds; empty: the loop's
    };

    DeliveryQueue(Context context, std::shared_ptr<const Config> config);
    ~DeliveryQueue();
    DeliveryQueue(const DeliveryQueue&) = delete;
    DeliveryQueue& operator=(const DeliveryQueue&) = delete;

    // A durable message; from now on its end is the queue's business.
    void add(StoredMessage message);
    // At start, for every message of Spool::recover(). What was in the middle of a DSN is tried
    // anew.
    void recover(Spool::Recovered message);
    // Deliveries begin.
    void start();
    // Connections under way end on the old configuration, after their message.
    void set_config(std::shared_ptr<const Config> config);
    // No new deliveries; `drained` when those under way have ended and DSNs are stored.
    void drain(std::function<void()> drained = {});

    // Makes and queues the DSN for a message that never came to the queue: policy, S/MIME. Logs the
    // `Bounced:` lines; `Message finished` stays the caller's, as everything else of that MID.
    // `done`, later: the DSN is durable, or there must not be one (null sender, NOTIFY).
    void bounce(MessageId original, const Envelope& envelope, std::string header_block,
                std::vector<BouncedRecipient> recipients, std::function<void(Result<void>)> done);

    // For operators.
    QueueList list(const QueueFilter& filter) const;
    std::optional<QueuedMessageView> show(MessageId mid) const;
    // Deferred messages become ready, their destinations are believed to be up. How many.
    std::size_t retry(MessageId mid);
    std::size_t retry_domain(const std::string& domain);
    std::size_t retry_all();
    // The message ends undelivered and untold; refused while a delivery is under way.
    QueueRemoval remove(MessageId mid);
    QueueStatistics statistics() const;

    // What is due now; the timer's task. For tests, which set the clock.
    void check_due();

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace sealgate

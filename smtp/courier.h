// SPDX-License-Identifier: GPL-3.0-or-later
// One outgoing connection's life: find a host, connect, greet, deliver messages one after the
// other, close. The queue owns couriers and gives them tasks.
//
// A courier tries the hosts of its destination in order (smtp-routes by priority, or MX by
// preference, RFC 5321 §5.1) until one greets it; a host that fails before it has taken a message
// is left for the next one. It never decides about retries: every outcome goes to its owner.
// Loop thread. The wire dialogue itself is smtp/delivery_session.h, which knows no socket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/spool.h"
#include "smtp/envelope.h"
#include "smtp/reply.h"

namespace sealgate {

class Loop;
class MailLog;
class Resolver;
class Spool;

struct DeliveryRecipient {
    std::size_t rid = 0;  // index in the message's envelope
    std::string address;
    std::string original;
    Notify notify;
};

// One message for some recipients of one destination. The queue keeps the message alive.
struct DeliveryTask {
    MessageId mid = 0;
    std::string sender;
    std::string envelope_id;
    Envelope::Return return_ = Envelope::Return::not_given;
    bool smtputf8 = false;
    BodyType body = BodyType::seven_bit;
    bool signed_by_gateway = false;
    bool has_long_lines = false;
    std::uint64_t body_bytes = 0;
    std::vector<DeliveryRecipient> recipients;
    bool in_memory = false;
    ChunkList bytes;  // valid when in_memory; otherwise the courier reads the spool
};

struct RecipientOutcome {
    std::size_t rid = 0;
    enum class Kind : std::uint8_t { delivered, deferred, failed } kind = Kind::deferred;
    Reply reply;             // the host's, or one of our own making (4.4.1 no host reached…)
    bool from_host = false;  // whether `reply` is the host's
    bool dsn_relayed = false;  // the host offers DSN, so SUCCESS is its business (RFC 3461 §5.2.2)
};

class Courier {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        // The next message for this connection; null: none now. Asked when the connection is ready.
        virtual std::unique_ptr<DeliveryTask> next_task(Courier& courier) = 0;
        virtual void on_outcome(Courier& courier, std::unique_ptr<DeliveryTask> task,
                                std::vector<RecipientOutcome> outcomes) = 0;
        // The connection is over; the owner destroys the courier (later, not inside this call).
        // `reached` false: no host took the connection; `reply` says why, as for an outcome.
        virtual void on_gone(Courier& courier, bool reached, Reply reply) = 0;
    };

    struct Context {
        Loop& loop;
        MailLog& log;
        Resolver& resolver;
        Spool& spool;
        std::string hostname;
        std::uint64_t idle_ms = 2000;  // how long an idle connection waits for another message
    };

    // `domain`: the recipients' domain, lower-case A-label form, or "[address]".
    Courier(Context context, Owner& owner, std::shared_ptr<const Config> config,
            std::string domain);
    ~Courier();

    void start();
    // There may be a task again: wakes an idle connection.
    void poke();
    // After the current message: QUIT.
    void finish();

    std::uint64_t dcid() const;  // 0 before a connection was made
    const std::string& domain() const;
    bool idle() const;

    struct State;

private:
    std::unique_ptr<State> state_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// One outgoing connection's life: find a host, connect, greet, deliver messages one after the
// other, close. The queue owns couriers and gives them tasks.
//
// A courier tries the hosts of its destination in order (smtp-routes by priority, or MX by
// preference, RFC 5321 §5.1) until one greets it; a host that fails before it has taken a message
// is left for the next one. It never decides about retries: every outcome goes to its owner.
// Loop thread. The wire dialogue itself is smtp/delivery_session.h, which knows no socket.
//
// It logs the DCID lines (New SMTP DCID, Delivery start, Response, Message done, close, Connection
// Error); `Bounced:`, `Delayed:` and `Message finished` are the queue's, which decides. A
// connection that breaks before a message was handed over whole takes that message to the next host
// by itself. A domain that [smtp-routes] sends to /dev/null gets no connection: every task is
// `delivered` at once, by a reply of our own making.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/config.h"
#include "core/spool.h"
#include "smtp/envelope.h"
#include "smtp/reply.h"

namespace sealgate {

class Loop;
class MailLog;
class Resolver;
class RouteTable;
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
    bool smtputf8 = false;  // the header is not ASCII; addresses are looked at themselves
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
    Reply reply;               // the host's, or one of our own making (4.4.1 no host reached…)
    bool from_host = false;    // whether `reply` is the host's
    bool dsn_relayed = false;  // the host offers DSN, so SUCCESS is its business (RFC 3461 §5.2.2)
    std::string host = {};     // the name of the host whose reply it is, for reports
};

// How long the client waits for each thing, RFC 5321 §4.5.3.2.
struct DeliveryTimeouts {
    std::uint64_t connect_ms = 30'000;
    std::uint64_t greeting_ms = 300'000;     // and EHLO, RSET
    std::uint64_t mail_ms = 300'000;         // and RCPT
    std::uint64_t data_ms = 120'000;         // DATA until 354
    std::uint64_t block_ms = 180'000;        // some of the body goes out
    std::uint64_t end_of_data_ms = 600'000;  // the reply that takes the message over
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
        RouteTable& routes;
        std::string hostname;
        std::vector<Endpoint> own_endpoints;  // our listeners': mail is never delivered to them
        std::uint64_t idle_ms = 2000;  // how long an idle connection waits for another message
        DeliveryTimeouts timeouts = {};
        std::uint16_t mx_port = 25;
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

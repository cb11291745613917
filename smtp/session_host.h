// SPDX-License-Identifier: GPL-3.0-or-later
// What a server session asks of the house it lives in: may a message begin, and a place for it.
//
// The session knows SMTP and nothing behind it: no stage, no spool, no policy. It gives the house
// an envelope and then the content, dot-unstuffed and with CRLF line ends only, and says the
// house's reply to the peer. Loop thread only.
//
// Who logs what. The session: `New SMTP ICID`, the `SG` line, refused commands and recipients,
// `ICID n close`. The house: everything with a MID, from `Start MID n ICID n`, `From:` and
// `RID n To:` at begin_message() to `Message finished MID n`; so an intake that is destroyed before
// it was done logs `aborted`.
// Who counts what. The session: sessions_*, recipients_*, bytes_received and messages_refused for
// what it refuses itself. The house: messages_received, and messages_refused for its own refusals.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/address.h"
#include "core/chunk.h"
#include "core/config.h"
#include "core/stage.h"
#include "smtp/envelope.h"
#include "smtp/reply.h"

namespace sealgate {

// Of the session a message comes in by: for Received, policy and log. Lives as long as the session,
// which outlives its intakes; it never changes while an intake lives.
struct SessionInfo {
    std::shared_ptr<const Config> config;           // the one the session began with
    const ListenerOptions* listener = nullptr;      // inside `config`
    const MailFlowPolicyOptions* policy = nullptr;  // inside `config`
    std::uint64_t icid = 0;
    Endpoint peer;
    Endpoint local;
    std::string confirmed_host;  // the peer's forward-confirmed name; empty: none known
    std::string sender_group;
    std::string helo;       // as the client gave it: a name or a literal, printable ASCII
    bool extended = false;  // it said EHLO: `with ESMTP` in Received
};

// What comes back of a message between calls. Never called from inside the intake's own calls.
class MessageIntakeEvents {
public:
    virtual void on_intake_drain() = 0;  // chunks are wanted again after Flow::full
    // The message's fate. Before finish() it is an early refusal: the session reads the rest of the
    // content to nowhere and answers with `reply` at its end; it does not call the intake again.
    // The intake is destroyed soon after, never from inside this call.
    virtual void on_intake_done(Reply reply) = 0;

protected:
    ~MessageIntakeEvents() = default;
};

// One message on its way in. Destroying it before on_intake_done(): abort, nothing remains.
class MessageIntake {
public:
    virtual ~MessageIntake() = default;
    // On an error the session reads on to the end of data, destroys the intake and answers with
    // reply_for(error).
    virtual Result<Flow> write(Chunk content) = 0;
    // End of data. The answer comes by on_intake_done(), possibly soon, never from inside.
    virtual void finish() = 0;
};

class SessionHost {
public:
    virtual ~SessionHost() = default;
    // The number of a new connection, unique in the process.
    virtual std::uint64_t next_icid() = 0;
    // False while no message may begin; `why_not` is then the answer to MAIL, DATA and the first
    // BDAT (452 4.3.1 for a full disk).
    virtual bool accepting(Reply& why_not) = 0;
    // At DATA or the first BDAT. The envelope has its sender, recipients and DSN parameters;
    // `body` is eight_bit when the client said BODY=8BITMIME. Never null.
    virtual std::unique_ptr<MessageIntake> begin_message(Envelope envelope,
                                                         const SessionInfo& session,
                                                         MessageIntakeEvents& events) = 0;
};

}  // namespace sealgate

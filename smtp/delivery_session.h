// SPDX-License-Identifier: GPL-3.0-or-later
// The client's side of one SMTP connection: bytes in, bytes out, no socket.
//
// advance() says what it waits for: the host (`input`), a message to deliver (`task`), more of its
// body (`body`), somebody to take the outcomes (`outcome`), or nothing any more (`closed`).
// Commands are grouped where the host offers PIPELINING (RFC 2920); a message in memory goes out
// with its envelope in one write where CHUNKING is offered, too (RFC 3030). Every recipient has an
// outcome of its own. What the message needs and the host does not offer (RFC 1870, 6152, 6531)
// fails here without a word to the host; 8-bit text is made 7-bit on the way
// (smtp/mime_downgrade.h), except in what the gateway signed. Not here: which host, how long to
// wait, retries. STARTTLS has its place between the answer to EHLO and State::ready
// (on_extensions()).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/stage.h"
#include "smtp/courier.h"
#include "smtp/reply_reader.h"

namespace sealgate {

// What the host said to EHLO.
struct HostExtensions {
    bool esmtp = false;  // false: HELO was needed
    bool pipelining = false, chunking = false, eight_bit_mime = false, smtputf8 = false;
    bool dsn = false, size = false, starttls = false;
    std::uint64_t size_bytes_max = 0;  // 0: not said

    static HostExtensions of(const Reply& ehlo);
};

class DeliverySession {
public:
    enum class Wait : std::uint8_t { input, task, body, outcome, closed };

    explicit DeliverySession(std::string hostname) : hostname_(std::move(hostname)) {}
    ~DeliverySession();

    void receive(ByteSpan bytes) { reader_.receive(bytes); }
    Wait advance();
    ChunkList take_output() { return std::move(output_); }

    // After Wait::task. The task must live until its outcomes were taken.
    void deliver(const DeliveryTask& task);
    // After Wait::body: a piece; an empty one is the end. A message in memory brings its own.
    void body(ChunkList piece);
    // After Wait::outcome.
    std::vector<RecipientOutcome> take_outcomes();
    // After Wait::task: says good-bye; no reply is waited for.
    void quit();
    // The connection is gone, the host silent: ends everything.
    void fail(const Reply& why) { end_all(why, Fault::connection); }
    // The body cannot be had: ends everything, and no other host could do better.
    void fail_body(const Reply& why) { end_all(why, Fault::message); }

    // The host took EHLO or HELO.
    bool greeted() const { return greeted_; }
    const HostExtensions& extensions() const { return extensions_; }
    // Why it closed without quit().
    const Reply& failure() const { return failure_; }
    bool failure_from_host() const { return failure_from_host_; }
    // How long to wait for what the host owes now.
    std::uint64_t wait_ms(const DeliveryTimeouts& timeouts) const;
    // The connection went in the middle of the dialogue (421, silence, nonsense, an end) and
    // another host may be asked for the current task: this one did not get all of the message, or
    // it never said a word about it (an old connection that it had closed already).
    bool lost() const { return lost_; }
    bool worth_another_host() const { return lost_ && (!handed_over_ || !answered_); }

private:
    enum class State : std::uint8_t {
        greeting,
        ehlo,
        helo,
        ready,
        envelope,
        body,
        ending,
        reporting,
        closed
    };
    // What a reply will be to.
    struct Expected {
        enum class Kind : std::uint8_t { rset, mail, rcpt, data, piece, end_of_data } kind;
        std::size_t recipient = 0;
    };
    // Who said it, or whose fault it is.
    enum class Fault : std::uint8_t { host, connection, message };
    enum class Transfer : std::uint8_t { data, pieces, one_write };
    // A recipient's part of the running transaction.
    struct Progress {
        bool accepted = false;  // by RCPT
        bool settled = false;   // `outcome` is final
        RecipientOutcome outcome;
    };

    void enter(State next);
    void say(std::string line);
    bool step_reply();
    void on_reply(const Reply& reply);
    void on_extensions(const Reply& reply);
    void on_transaction_reply(Expected expected, const Reply& reply);
    void on_data_reply(const Reply& reply);
    void on_end_reply(const Reply& reply);

    bool refuse_impossible();
    Transfer choose_transfer() const;
    bool needs_seven_bit() const;
    void begin_commands();
    void send_next_commands();
    std::string mail_command() const;
    std::string rcpt_command(const DeliveryRecipient& recipient) const;
    void step_envelope();
    bool step_body();
    void begin_body();
    void end_text();
    void send_piece(ChunkList piece, bool last);
    void finish_transaction();
    void end_all(const Reply& why, Fault fault);

    std::uint64_t content_bytes() const;
    bool any_accepted() const;
    void settle(Progress& progress, RecipientOutcome::Kind kind, const Reply& reply,
                bool from_host);
    void settle_open(const Reply& reply, bool from_host);

    std::string hostname_;
    State state_ = State::greeting;
    bool greeted_ = false;
    HostExtensions extensions_;
    ReplyReader reader_;
    ChunkList output_;
    Reply failure_;
    bool failure_from_host_ = false;

    const DeliveryTask* task_ = nullptr;
    std::vector<Progress> progress_;
    std::deque<Expected> commands_;  // of the envelope, not sent yet
    std::deque<Expected> expected_;  // sent, not answered yet
    Transfer transfer_ = Transfer::data;
    bool mail_accepted_ = false;
    bool answered_ = false;
    bool handed_over_ = false;
    std::uint64_t body_bytes_ = 0;  // of the task's, given so far
    bool body_refused_ = false;     // the host wants no more of this message
    bool rset_needed_ = false;      // the host still holds half a transaction
    bool lost_ = false;
    bool close_after_ = false;         // the dialogue cannot go on after this message
    std::unique_ptr<Sink> stuffing_;   // of DATA
    std::unique_ptr<Sink> seven_bit_;  // above it, when the text must become 7-bit
};

}  // namespace sealgate

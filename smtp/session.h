// SPDX-License-Identifier: GPL-3.0-or-later
// One client's SMTP session, without a socket: bytes in, replies out.
//
// It knows the dialogue (RFC 5321, with 1870, 2034, 2920, 3030, 3461, 6152, 6531) and hands each
// message to the SessionHost; what becomes of it there it does not know. Replies to commands that
// came in one piece leave in one piece. While the house stores a message or has its hands full,
// input stays unread; the little that was read already is kept as a slice, and a command line that
// was cut is copied, so that an idle session holds no block.
//
// Who carries the bytes (smtp/listener.h, or a test) calls receive(), takes the output, and closes
// when told. STARTTLS is known and not offered: it is a row of the command table, answered with
// 502. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/chunk.h"
#include "core/stage.h"
#include "smtp/commands.h"
#include "smtp/recipient_access.h"
#include "smtp/session_host.h"

namespace sealgate {

class MailLog;

struct SessionContext {
    SessionInfo info;             // but for `helo` and `extended`, which the session fills in
    std::string matched_pattern;  // of the sender group, for the log
    std::shared_ptr<const RecipientAccess> recipient_access;  // null: every recipient may pass
    std::optional<SmtpRefusal> refusal;  // said in place of the greeting, then closed
};

class Session final : private MessageIntakeEvents {
public:
    // Who carries the bytes and counts what sessions of one client share.
    class Carrier {
    public:
        // The house answered: call resume() soon, but not from inside this call.
        virtual void on_session_ready() = 0;
        // One more recipient of this client within its hour? False: 452 4.7.1.
        virtual bool take_recipient() = 0;

    protected:
        ~Carrier() = default;
    };

    Session(SessionContext context, SessionHost& host, MailLog& log, Carrier& carrier);
    ~Session();  // a message that is not stored yet is aborted
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // The greeting, or the refusal, becomes output.
    void start();
    // The client spoke before the greeting (RFC 5321 §4.3.1 lets it wait): in place of start().
    void refuse_early_talker();
    // Full: bring no more bytes until resume() returned open. Bytes after the close are dropped.
    Flow receive(Chunk chunk);
    // Goes on after on_session_ready(), or after the output was taken and sent.
    Flow resume();
    ChunkList take_output();
    bool has_output() const { return !output_.empty(); }
    bool wants_close() const { return state_ == State::closed; }

    // How long the client may keep us waiting now; 0: it is not we who wait.
    std::uint64_t patience_ms() const;
    // Changes whenever the client did what it was waited for: then the patience begins anew. Half a
    // command line does not count, or a byte now and then would hold a session for ever.
    std::uint32_t progress() const { return progress_; }
    void on_timeout();
    // No new message: 421 at once, or as soon as the one under way is answered.
    void drain();

    std::uint64_t icid() const { return info_.icid; }
    bool storing() const { return state_ == State::storing; }

private:
    enum class State : std::uint8_t {
        connected,  // before the greeting
        greeted,    // before EHLO
        ready,
        mail,  // MAIL was taken, no recipient yet
        rcpt,
        data,
        bdat,   // between two chunks of one message
        chunk,  // inside one
        storing,
        refused,  // by policy: only QUIT is of use
        closed,
    };
    enum class Wait : std::uint8_t { input, house, output, close };
    struct CommandRow;
    struct Transaction;
    static const CommandRow commands[];
    static const SmtpRefusal bare_line_end;
    static const SmtpRefusal message_too_large;

    // The dialogue (session.cc).
    Wait advance();
    Flow flow_of(Wait wait) const;
    void enter(State next);
    bool step_command();
    void on_line(std::string_view line);
    void consume(std::size_t bytes);
    SmtpRefusal out_of_sequence(Verb verb) const;
    void respond(int code, std::string_view enhanced, std::string_view text);
    void respond(const Reply& reply);
    void refuse_command(const SmtpRefusal& refusal);
    void log_refused(std::string_view reply_text);
    void close_with(int code, std::string_view enhanced, std::string_view text);

    // Commands (session_commands.cc); `argument` is for this call.
    void on_helo(std::string_view argument);
    void on_ehlo(std::string_view argument);
    void on_mail(std::string_view argument);
    void on_rcpt(std::string_view argument);
    void on_data(std::string_view argument);
    void on_bdat(std::string_view argument);
    void on_rset(std::string_view argument);
    void on_noop(std::string_view argument);
    void on_vrfy(std::string_view argument);
    void on_help(std::string_view argument);
    void on_quit(std::string_view argument);
    void on_unimplemented(std::string_view argument);
    void on_foreign(std::string_view argument);
    void on_unknown(std::string_view argument);
    bool takes_argument(std::string_view argument);
    void begin_session(std::string helo, bool extended);
    Checked<MailCommand> check_mail(std::string_view argument) const;
    std::optional<Reply> check_recipient(const Recipient& recipient);

    // Content (session_content.cc).
    void begin_message();
    bool step_data();
    bool step_chunk();
    void end_chunk();
    void end_content();
    void deliver(Chunk content);
    bool house_is_full() const;
    void refuse_message(const SmtpRefusal& refusal);
    void answer_message();
    void forget_transaction();
    void on_intake_drain() override;
    void on_intake_done(Reply reply) override;

    SessionInfo info_;
    std::string matched_pattern_;
    std::shared_ptr<const RecipientAccess> recipient_access_;
    std::optional<SmtpRefusal> refusal_;
    SessionHost& host_;
    MailLog& log_;
    Carrier& carrier_;

    State state_ = State::connected;
    State after_chunk_ = State::ready;  // where a chunk without a message returns to
    bool draining_ = false;
    bool skipping_line_ = false;  // an over-long one, to its end
    int bad_commands_ = 0;
    std::uint32_t messages_ = 0;
    std::uint32_t progress_ = 0;

    Chunk input_;  // what was read and not yet used, from at_ on
    std::size_t at_ = 0;
    ChunkList later_input_;
    std::string cut_line_;  // the beginning of a command line that the network cut
    std::string output_;
    std::string_view current_line_;  // while a command is handled, for the log
    std::unique_ptr<Transaction> transaction_;
};

}  // namespace sealgate

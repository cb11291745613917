// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_connection.h"

#include <algorithm>

#include "core/socket.h"
#include "core/text.h"
#include "tools/sealload/source.h"

namespace sealgate {
namespace {

constexpr std::uint64_t connect_again_ms = 100;
constexpr unsigned failures_in_a_row_max = 5;  // then a connection gives up, without --retry

}  // namespace

SourceConnection::SourceConnection(Source& source)
    : source_(source), timer_(source.loop(), [this] { connect(); }) {}

SourceConnection::~SourceConnection() = default;

// ---- a connection's beginning and end -----------------------------------------------------------

void SourceConnection::start() {
    if (source_.options().messages_per_connection > 1)
        connect();
    else
        next_mail();
}

void SourceConnection::connect() {
    if (mail_.number == 0 && !source_.has_more()) {
        end();
        return;
    }
    state_ = State::connecting;
    replies_ = ReplyScanner();
    messages_here_ = 0;
    quit_sent_ = false;
    ++serial_;
    said_ns_ = now_ns();
    auto connected = [this](Result<void> result, std::string what) {
        if (!result) {
            lose_connection(what);
            return;
        }
        source_.on_connected(said_ns_);
        state_ = State::greeting;
        said_ns_ = now_ns();
        transport_->set_handler(this);
        transport_->resume();
    };
    transport_ = Socket::connect(source_.loop(), source_.options().target, IpAddress(),
                                 std::move(connected));
}

void SourceConnection::on_bytes(Chunk chunk) {
    now_ns_ = now_ns();
    const std::uint64_t serial = serial_;
    ByteSpan bytes = chunk.bytes();
    while (transport_ && serial == serial_) {
        const auto line = replies_.next(bytes);
        if (!line) {
            lose_connection(line.error().what);
            return;
        }
        if (!*line) return;
        on_line(**line);
    }
}

void SourceConnection::on_end() {
    if (state_ == State::quitting)
        on_quit();
    else
        lose_connection("closed by the target");
}

void SourceConnection::on_broken(std::string what) {
    if (state_ == State::quitting)
        on_quit();
    else
        lose_connection(what);
}

void SourceConnection::on_line(const ReplyLine& line) {
    if (state_ == State::hello) {
        on_hello(line);
        return;
    }
    if (!line.last) return;
    switch (state_) {
    case State::greeting:
        if (line.code != 220) {
            lose_connection(std::string(line.line));
            return;
        }
        source_.record(Phase::banner, said_ns_, now_ns_);
        say_hello();
        return;
    case State::ready:  // nobody asked: 421 before a shutdown
        lose_connection(std::string(line.line));
        return;
    case State::mail: on_mail_reply(line); return;
    case State::reset:
        state_ = State::ready;
        next_mail();
        return;
    case State::quitting: on_quit(); return;
    case State::idle:
    case State::connecting:
    case State::hello:
    case State::waiting:
    case State::done: return;
    }
}

void SourceConnection::say_hello() {
    state_ = State::hello;
    offers_ = Offers();
    out_ = "EHLO ";
    out_ += source_.options().helo;
    out_ += "\r\n";
    send_out();
}

void SourceConnection::on_hello(const ReplyLine& line) {
    const std::string_view word = line.text().substr(0, line.text().find(' '));
    offers_.pipelining |= equal_ignoring_case(word, "PIPELINING");
    offers_.eight_bit |= equal_ignoring_case(word, "8BITMIME");
    offers_.size |= equal_ignoring_case(word, "SIZE");
    offers_.chunking |= equal_ignoring_case(word, "CHUNKING");
    if (!line.last) return;
    if (line.code != 250) {
        lose_connection(std::string(line.line));
        return;
    }
    source_.record(Phase::ehlo, said_ns_, now_ns_);
    offers_.pipelining &= source_.options().pipelining;
    offers_.chunking &= source_.options().bdat;
    failures_in_a_row_ = 0;
    state_ = State::ready;
    if (mail_.number != 0)
        begin_mail();
    else
        next_mail();
}

void SourceConnection::quit() {
    state_ = State::quitting;
    transport_->send(Chunk::literal("QUIT\r\n"));
}

void SourceConnection::on_quit() {
    transport_.reset();
    state_ = State::idle;
    start();
}

// A message that was not begun stays with us, for the next connection.
void SourceConnection::lose_connection(const std::string& what) {
    transport_.reset();
    trickling_.clear();
    source_.on_connection_error(what);
    if (mail_.number != 0 && state_ == State::mail && dialogue_.content_sent()) {
        source_.on_unknown(mail_, dialogue_, what);
        mail_ = OutgoingMail();
    }
    state_ = State::waiting;
    if (++failures_in_a_row_ > failures_in_a_row_max && !source_.options().retry) {
        end();
        return;
    }
    timer_.start(connect_again_ms);
}

void SourceConnection::on_no_more() {
    switch (state_) {
    case State::ready: quit(); return;
    case State::idle:
    case State::connecting:
    case State::waiting: end(); return;
    case State::greeting:
    case State::hello:
    case State::mail:
    case State::reset:
    case State::quitting:
    case State::done: return;
    }
}

void SourceConnection::abandon() {
    if (state_ == State::done) return;
    if (mail_.number != 0 && state_ == State::mail && dialogue_.content_sent()) {
        source_.on_unknown(mail_, dialogue_, "stopped");
        mail_ = OutgoingMail();
    }
    leave();
}

void SourceConnection::end() {
    if (state_ == State::done) return;
    leave();
    source_.on_connection_done();
}

void SourceConnection::leave() {
    state_ = State::done;
    timer_.stop();
    transport_.reset();
    if (mail_.number != 0) source_.give_back(mail_);
    mail_ = OutgoingMail();
}

// ---- messages -----------------------------------------------------------------------------------

bool SourceConnection::is_last_here() const {
    return messages_here_ >= source_.options().messages_per_connection;
}

void SourceConnection::next_mail() {
    if (transport_ && is_last_here()) {
        quit();
    } else if (source_.take_mail(mail_)) {
        if (transport_)
            begin_mail();
        else
            connect();
    } else if (source_.has_more()) {
        source_.wait_for_mail(*this);
    } else if (transport_) {
        quit();
    } else {
        end();
    }
}

void SourceConnection::begin_mail() {
    state_ = State::mail;
    ++messages_here_;
    message_id_.clear();
    source_.append_message_id(message_id_, mail_.number);
    dialogue_.begin(*mail_.mail_template, message_id_.size(), source_.addresses(), mail_.number,
                    offers_);
    send_commands();
}

// As much as may leave now, in one write.
void SourceConnection::send_commands() {
    out_.clear();
    if (dialogue_.take_commands(out_))
        send_content(ContentForm::bdat);
    else
        send_out();
}

void SourceConnection::send_out() {
    said_ns_ = now_ns();
    transport_->send(Chunk::copy_of(out_));
    out_.clear();
}

// Behind what is in out_ already. The last message of a connection takes QUIT with it, as RFC 2920
// §3.1 lets it: one round trip less.
void SourceConnection::send_content(ContentForm form) {
    dialogue_.on_content_sent();
    quit_sent_ = is_last_here() && offers_.pipelining;
    const std::string_view last = form == ContentForm::bdat ? quit_sent_ ? "QUIT\r\n" : ""
                                  : quit_sent_              ? ".\r\nQUIT\r\n"
                                                            : ".\r\n";
    const bool slow = source_.options().trickle_bytes > 0;
    if (slow && !out_.empty()) send_out();
    mail_.mail_template->append_head(out_, message_id_, form);
    ChunkList content;
    content.append(Chunk::copy_of(out_));
    content.append(mail_.mail_template->rest(form));
    if (!last.empty()) content.append(Chunk::literal(last));
    said_ns_ = content_ns_ = now_ns();
    if (slow) {
        trickling_ = std::move(content);
    } else {
        content_leaving_ = true;
        transport_->send(std::move(content));
    }
}

void SourceConnection::send_dot() { transport_->send(Chunk::literal(".\r\n")); }

void SourceConnection::on_trickle() {
    if (trickling_.empty()) return;
    ChunkList piece;
    std::size_t room = static_cast<std::size_t>(source_.options().trickle_bytes);
    while (room > 0 && !trickling_.empty()) {
        const Chunk& front = *trickling_.begin();
        const std::size_t bytes = std::min(room, front.size());
        room -= bytes;
        piece.append(front.slice(0, bytes));
        if (bytes == front.size())
            trickling_.take_front();
        else
            trickling_.trim_front(bytes);
    }
    content_leaving_ = trickling_.empty();
    content_ns_ = now_ns();
    transport_->send(std::move(piece));
}

void SourceConnection::on_drain() {
    if (!content_leaving_) return;
    content_leaving_ = false;
    content_ns_ = now_ns();
}

void SourceConnection::on_mail_reply(const ReplyLine& line) {
    if (!dialogue_.awaits_reply() || !trickling_.empty()) {
        // 421 before a shutdown, or the answer to a content that is only half sent.
        lose_connection(std::string(line.line));
        return;
    }
    const Phase phase = dialogue_.awaited();
    if (phase != Phase::content) source_.record(phase, said_ns_, now_ns_);
    switch (dialogue_.on_reply(line)) {
    case MailDialogue::Next::wait: return;
    case MailDialogue::Next::commands: send_commands(); return;
    case MailDialogue::Next::content: send_content(ContentForm::data); return;
    case MailDialogue::Next::dot: send_dot(); return;
    case MailDialogue::Next::finished: on_finished(line); return;
    case MailDialogue::Next::lost: lose_connection(std::string(line.line)); return;
    }
}

void SourceConnection::on_finished(const ReplyLine& line) {
    const bool accepted = dialogue_.outcome() == SentState::accepted;
    if (accepted) {
        source_.record(Phase::content, content_ns_, now_ns_);
        source_.on_accepted(mail_, dialogue_, line.line, now_ns_);
    } else {
        source_.on_refused(mail_, dialogue_);
    }
    mail_ = OutgoingMail();
    state_ = State::ready;
    if (line.code == 421) {
        lose_connection(std::string(line.line));
    } else if (quit_sent_) {
        state_ = State::quitting;
    } else if (accepted || is_last_here()) {
        next_mail();
    } else {
        state_ = State::reset;
        out_ = "RSET\r\n";
        send_out();
    }
}

}  // namespace sealgate

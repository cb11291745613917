// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_connection.h"

#include "core/socket.h"
#include "core/text.h"
#include "crypto/tls_socket.h"
#include "tools/sealload/source.h"

namespace sealgate {
namespace {

constexpr std::uint64_t connect_again_ms = 100;
constexpr unsigned failures_in_a_row_max = 5;  // then a connection gives up, without --retry

}  // namespace

SourceConnection::SourceConnection(LoadSource& source)
    : source_(source), timer_(source.loop(), [this] { connect(); }) {}

SourceConnection::~SourceConnection() = default;

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
    quit_sent_ = secure_ = false;
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
        // What was said in clear behind the reply to STARTTLS was not said by the target.
        if (state_ == State::handshake && !bytes.empty())
            lose_connection("bytes behind the reply to STARTTLS");
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
    case State::starttls:
        if (line.code != 220) {
            lose_connection(std::string(line.line));
            return;
        }
        source_.record(Phase::starttls, said_ns_, now_ns_);
        start_tls();
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
    case State::handshake:
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
    offers_.starttls |= equal_ignoring_case(word, "STARTTLS");
    if (!line.last) return;
    if (line.code != 250) {
        lose_connection(std::string(line.line));
        return;
    }
    source_.record(Phase::ehlo, said_ns_, now_ns_);
    on_offers();
}

void SourceConnection::on_offers() {
    if (source_.options().tls && !secure_) {
        if (!offers_.starttls) {
            lose_connection("the target does not offer STARTTLS");
            return;
        }
        state_ = State::starttls;
        out_ = "STARTTLS\r\n";
        send_out();
        return;
    }
    offers_.pipelining &= source_.options().pipelining;
    offers_.chunking &= source_.options().bdat;
    failures_in_a_row_ = 0;
    state_ = State::ready;
    if (mail_.number != 0)
        begin_mail();
    else
        next_mail();
}

// Connections to one target take up each other's sessions, newest first.
void SourceConnection::start_tls() {
    state_ = State::handshake;
    said_ns_ = now_ns();
    transport_->set_handler(nullptr);
    const auto established = [this](const TlsOutcome& outcome) {
        if (!outcome.result) {
            lose_connection("TLS: " + outcome.what);
            return;
        }
        source_.on_handshake(said_ns_, outcome.resumed);
        secure_ = true;
        ++serial_;
        replies_ = ReplyScanner();
        transport_->set_handler(this);
        transport_->resume();
        say_hello();
    };
    transport_ = TlsSocket::connect(source_.loop(), std::move(transport_), source_.options().tls,
                                    {"", "target"}, established);
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
    case State::starttls:
    case State::handshake:
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

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/sink_session.h"

#include <fmt/format.h>

#include "core/limits.h"
#include "smtp/commands.h"

namespace sealgate {
namespace {

// Of a message that nobody wants whole: enough for any header we take.
constexpr std::size_t beginning_bytes_max = limits::header_bytes_max;
constexpr std::size_t input_line_bytes_max = 8192;

}  // namespace

SinkSession::SinkSession(LoadSink& sink, std::uint64_t id, std::unique_ptr<Socket> socket)
    : sink_(sink), id_(id), socket_(std::move(socket)) {}

SinkSession::~SinkSession() = default;

void SinkSession::start() {
    socket_->set_handler(this);
    say("220 sink.example.net ESMTP sealload");
    flush();
    socket_->resume();
}

void SinkSession::on_bytes(Chunk chunk) {
    input_.append(chunk.text());
    advance();
}

void SinkSession::advance() {
    bool more = true;
    while (more) {
        switch (state_) {
        case State::command: more = step_command(); break;
        case State::data: more = step_data(); break;
        case State::bdat: more = step_bdat(); break;
        case State::taking:
            socket_->pause();
            more = false;
            break;
        case State::closed: return;
        }
    }
    input_.erase(0, read_);
    read_ = 0;
    flush();
}

bool SinkSession::step_command() {
    const std::size_t end = input_.find('\n', read_);
    if (end == std::string::npos) {
        if (input_.size() - read_ > input_line_bytes_max) close();
        return false;
    }
    std::string_view line = std::string_view(input_).substr(read_, end - read_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    read_ = end + 1;
    on_command(line);
    return true;
}

void SinkSession::on_command(std::string_view line) {
    const auto command = parse_command(line);
    if (!command) {
        say("500 5.5.2 Not a command");
        return;
    }
    switch (command->verb) {
    case Verb::helo:
        reset();
        say("250 sink.example.net");
        return;
    case Verb::ehlo: say_hello(); return;
    case Verb::mail: on_mail(command->argument); return;
    case Verb::rcpt: on_rcpt(command->argument); return;
    case Verb::data: on_data(); return;
    case Verb::bdat: on_bdat(command->argument); return;
    case Verb::rset:
        reset();
        say("250 2.0.0 Ok");
        return;
    case Verb::noop: say("250 2.0.0 Ok"); return;
    case Verb::quit:
        say("221 2.0.0 Bye");
        flush();
        Socket::close_after_sending(std::move(socket_));
        close();
        return;
    case Verb::vrfy:
    case Verb::help:
    case Verb::starttls:
    case Verb::not_implemented:
    case Verb::foreign:
    case Verb::unknown: say("502 5.5.1 Not implemented"); return;
    }
}

void SinkSession::say_hello() {
    reset();
    const SinkOptions& o = sink_.options();
    say("250-sink.example.net");
    if (o.pipelining) say("250-PIPELINING");
    if (o.eight_bit) say("250-8BITMIME");
    if (o.eight_bit && o.smtputf8) say("250-SMTPUTF8");
    if (o.chunking) say("250-CHUNKING");
    if (o.dsn) say("250-DSN");
    say("250-ENHANCEDSTATUSCODES");
    say(fmt::format("250 SIZE {}", o.size_bytes_max));
}

void SinkSession::say_failure() {
    const int code = sink_.options().fail_code;
    say(fmt::format("{} {}.3.0 Failed on purpose", code, code / 100));
}

void SinkSession::on_mail(std::string_view argument) {
    const auto mail = parse_mail(argument);
    if (!mail || has_mail_) {
        say(mail ? "503 5.5.1 There is a sender already" : "501 5.5.4 Not a sender");
        return;
    }
    has_mail_ = true;
    mail_.sender = mail->sender;
    say("250 2.1.0 Ok");
}

void SinkSession::on_rcpt(std::string_view argument) {
    const auto recipient = parse_rcpt(argument, true);
    if (!has_mail_ || !recipient) {
        say(has_mail_ ? "501 5.1.3 Not a recipient" : "503 5.5.1 There is no sender");
        return;
    }
    if (sink_.fails_at(FailAt::rcpt)) {
        say_failure();
        return;
    }
    mail_.recipients.push_back(recipient->address);
    say("250 2.1.5 Ok");
}

void SinkSession::on_data() {
    if (mail_.recipients.empty()) {
        say("503 5.5.1 There is no recipient");
        return;
    }
    if (sink_.fails_at(FailAt::data)) {
        say_failure();
        reset();
        return;
    }
    say("354 Go on");
    data_ = DataReader();
    state_ = State::data;
}

bool SinkSession::step_data() {
    ByteSpan in = as_bytes(std::string_view(input_).substr(read_));
    while (!in.empty() && !data_.ended()) {
        const DataReader::Run run = data_.next(in);
        gather(in.subspan(run.content_begin, run.content_end - run.content_begin));
        read_ += run.consumed;
        in = in.subspan(run.consumed);
    }
    if (!data_.ended()) return false;
    finish_content(data_.has_bare_line_end());
    return true;
}

void SinkSession::on_bdat(std::string_view argument) {
    const auto bdat = parse_bdat(argument);
    if (!bdat) {  // how many bytes follow is not known
        say("501 5.5.4 Not a chunk");
        flush();
        close();
        return;
    }
    if (mail_.bytes == 0) bdat_refused_ = false;
    if (mail_.recipients.empty() || !sink_.options().chunking) bdat_refused_ = true;
    bdat_.begin_chunk(bdat->bytes, bdat->last);
    state_ = State::bdat;
}

bool SinkSession::step_bdat() {
    const ByteSpan in = as_bytes(std::string_view(input_).substr(read_));
    const std::size_t taken = bdat_.next(in);
    if (!bdat_refused_) gather(in.subspan(0, taken));
    read_ += taken;
    if (!bdat_.chunk_complete()) return false;
    state_ = State::command;
    if (bdat_refused_) {
        say("503 5.5.1 There is no recipient");
        if (bdat_.is_last()) reset();
    } else if (bdat_.is_last()) {
        finish_content(bdat_.has_bare_line_end());
    } else {
        say("250 2.0.0 Ok");
    }
    return true;
}

void SinkSession::gather(ByteSpan bytes) {
    mail_.bytes += bytes.size();
    if (sink_.wants_content())
        mail_.content.append(as_text(bytes));
    else if (mail_.content.size() < beginning_bytes_max)
        mail_.content.append(as_text(bytes).substr(0, beginning_bytes_max - mail_.content.size()));
}

void SinkSession::finish_content(bool has_bare_line_end) {
    state_ = State::command;
    if (has_bare_line_end) {
        say("550 5.6.11 There is a lone CR or LF");
        reset();
    } else if (sink_.fails_at(FailAt::end)) {
        say_failure();
        reset();
    } else {
        state_ = State::taking;
        sink_.take(id_, std::move(mail_));  // on_taken() may come from inside
    }
}

void SinkSession::on_taken(bool kept) {
    say(kept ? "250 2.0.0 Ok: taken" : "451 4.3.0 Cannot keep it");
    reset();
    state_ = State::command;
    if (!sink_.wants_content()) return;  // we are inside advance()
    socket_->resume();
    advance();
}

void SinkSession::flush() {
    if (replies_.empty() || !socket_) return;
    socket_->send(Chunk::copy_of(replies_));
    replies_.clear();
}

void SinkSession::reset() {
    has_mail_ = false;
    bdat_refused_ = false;
    mail_ = ReceivedMail();
    bdat_ = BdatReader();
}

void SinkSession::close() {
    if (state_ == State::closed) return;
    state_ = State::closed;
    sink_.on_closed(id_);
}

}  // namespace sealgate

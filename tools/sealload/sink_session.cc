// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/sink_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/limits.h"
#include "crypto/tls_socket.h"

namespace sealgate {
namespace {

// Of a message that nobody wants whole: enough for any header we take.
constexpr std::size_t beginning_bytes_max = limits::header_bytes_max;
constexpr std::size_t input_line_bytes_max = 8192;
// What a client may send ahead while we wait; then it is not read.
constexpr std::size_t kept_back_bytes_max = 64 * 1024;
constexpr std::uint64_t slow_tick_ms = 20;

// The place of a command among the faults; a chunk that goes on with a message has none.
std::optional<FaultPlace> place_of(Verb verb, bool has_content) {
    switch (verb) {
    case Verb::helo:
    case Verb::ehlo: return FaultPlace::ehlo;
    case Verb::starttls: return FaultPlace::starttls;
    case Verb::mail: return FaultPlace::mail;
    case Verb::rcpt: return FaultPlace::rcpt;
    case Verb::data: return FaultPlace::data;
    case Verb::bdat:
        if (!has_content) return FaultPlace::data;
        return std::nullopt;
    case Verb::rset:
    case Verb::noop:
    case Verb::vrfy:
    case Verb::help:
    case Verb::quit:
    case Verb::not_implemented:
    case Verb::foreign:
    case Verb::unknown: return std::nullopt;
    }
    return std::nullopt;
}

std::string failure(int code) {
    return fmt::format("{} {}.3.0 Failed on purpose\r\n", code, code / 100);
}

}  // namespace

SinkSession::SinkSession(LoadSink& sink, std::uint64_t id, std::unique_ptr<Transport> transport)
    : sink_(sink), id_(id), transport_(std::move(transport)) {}

SinkSession::~SinkSession() = default;

void SinkSession::start() {
    if (sink_.options().tls_on_connect) {
        begin_tls(State::greeting);
        return;
    }
    transport_->set_handler(this);
    run();
    if (transport_) transport_->resume();
}

void SinkSession::begin_tls(State next) {
    state_ = State::handshake;
    transport_->set_handler(nullptr);
    transport_ = TlsSocket::accept(
        sink_.loop(), std::move(transport_), sink_.options().tls,
        [this, next](const TlsOutcome& outcome) { on_established(outcome, next); });
}

void SinkSession::on_established(const TlsOutcome& outcome, State next) {
    if (state_ != State::handshake) return;
    sink_.count(outcome);
    if (!outcome.result) {
        close();
        return;
    }
    has_tls_ = true;
    state_ = next;
    transport_->set_handler(this);
    run();
    if (transport_) transport_->resume();
}

// What came behind STARTTLS in clear would be taken for said under TLS (CVE-2011-0411).
bool SinkSession::step_upgrade() {
    if (!input_.empty() || !unread_.empty()) {
        close();
        return false;
    }
    flush();
    if (slow_reader_) slow_reader_->stop();
    begin_tls(State::command);
    return false;
}

bool SinkSession::step_greeting() {
    if (is_struck(FaultPlace::connect)) return false;
    if (is_refused(FaultPlace::connect)) {
        end_after_sending();
        return false;
    }
    say("220 sink.example.net ESMTP sealload\r\n");
    state_ = State::command;
    return true;
}

void SinkSession::on_bytes(Chunk chunk) {
    if (sink_.options().read_bytes_per_second == 0) {
        receive(std::move(chunk));
        return;
    }
    unread_.append(std::move(chunk));
    transport_->pause();
    if (!slow_reader_)
        slow_reader_ = std::make_unique<Timer>(sink_.loop(), [this] { read_slowly(); });
    slow_reader_->start(slow_tick_ms, slow_tick_ms);
}

// A tick's worth of what lies here; when nothing is left, the socket is read again.
void SinkSession::read_slowly() {
    std::size_t left =
        std::max<std::size_t>(1, sink_.options().read_bytes_per_second * slow_tick_ms / 1000);
    while (left > 0 && !unread_.empty() && state_ != State::closed) {
        const std::size_t bytes = std::min(left, unread_.begin()->size());
        Chunk chunk = unread_.begin()->slice(0, bytes);
        if (bytes == unread_.begin()->size())
            unread_.take_front();
        else
            unread_.trim_front(bytes);
        left -= bytes;
        receive(std::move(chunk));
    }
    if (!unread_.empty()) return;
    slow_reader_->stop();
    if (transport_) transport_->resume();
}

void SinkSession::receive(Chunk chunk) {
    if (state_ == State::closed) return;
    if (kept_back_.empty()) {  // the usual case: looked at where it lies
        input_ = chunk.text();
        run();
        kept_back_.assign(input_);
    } else {
        kept_back_.append(chunk.text());
        run_kept_back();
    }
    if (kept_back_.size() > kept_back_bytes_max && transport_) transport_->pause();
}

void SinkSession::run_kept_back() {
    input_ = kept_back_;
    run();
    kept_back_.erase(0, kept_back_.size() - input_.size());
    if (kept_back_.size() <= kept_back_bytes_max && unread_.empty() && transport_)
        transport_->resume();
}

void SinkSession::run() {
    bool more = true;
    while (more) {
        switch (state_) {
        case State::greeting: more = step_greeting(); break;
        case State::upgrade: more = step_upgrade(); break;
        case State::command: more = step_command(); break;
        case State::data: more = step_data(); break;
        case State::bdat: more = step_bdat(); break;
        case State::ended: more = step_ended(); break;
        case State::handshake:
        case State::taking:
        case State::delayed: more = false; break;
        case State::closed: return;
        }
    }
    flush();
}

bool SinkSession::step_command() {
    const std::size_t end = input_.find('\n');
    if (end == std::string_view::npos) {
        if (input_.size() > input_line_bytes_max) close();
        return false;
    }
    std::string_view line = input_.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!on_command(line)) return false;
    input_.remove_prefix(end + 1);
    return true;
}

// False: it waits or is over, and the line stays where it is.
bool SinkSession::on_command(std::string_view line) {
    const auto command = parse_command(line);
    if (!command) {
        say("500 5.5.2 Not a command\r\n");
        return true;
    }
    const auto place = place_of(command->verb, has_content_);
    if (place && is_struck(*place)) return false;
    sink_.count(command->verb);
    switch (command->verb) {
    case Verb::helo:
    case Verb::ehlo:
        reset();
        if (is_refused(FaultPlace::ehlo)) return true;
        if (command->verb == Verb::ehlo)
            say_hello();
        else
            say("250 sink.example.net\r\n");
        return true;
    case Verb::mail: on_mail(command->argument); return true;
    case Verb::rcpt: on_rcpt(command->argument); return true;
    case Verb::data: on_data(); return true;
    case Verb::bdat: on_bdat(command->argument); return true;
    case Verb::rset:
        reset();
        say("250 2.0.0 Ok\r\n");
        return true;
    case Verb::noop: say("250 2.0.0 Ok\r\n"); return true;
    case Verb::quit:
        say("221 2.0.0 Bye\r\n");
        end_after_sending();
        return true;
    case Verb::starttls: on_starttls(); return true;
    case Verb::vrfy:
    case Verb::help:
    case Verb::not_implemented:
    case Verb::foreign:
    case Verb::unknown: say("502 5.5.1 Not implemented\r\n"); return true;
    }
    return true;
}

// A fault refuses it even where it is not offered: that is how a peer's fallback is tried.
void SinkSession::on_starttls() {
    if (is_refused(FaultPlace::starttls)) return;
    if (has_tls_ || !sink_.options().tls) {
        say(has_tls_ ? "503 5.5.1 There is TLS already\r\n" : "502 5.5.1 Not implemented\r\n");
        return;
    }
    reset();
    say("220 2.0.0 Go on\r\n");
    state_ = State::upgrade;
}

void SinkSession::on_mail(std::string_view argument) {
    const auto mail = parse_mail(argument);
    if (!mail || has_mail_) {
        say(mail ? "503 5.5.1 There is a sender already\r\n" : "501 5.5.4 Not a sender\r\n");
        return;
    }
    const SinkOptions& o = sink_.options();
    const bool has_dsn = mail->return_ != Envelope::Return::not_given || !mail->envelope_id.empty();
    if ((mail->body == BodyType::eight_bit && !o.eight_bit) || (mail->smtputf8 && !o.smtputf8) ||
        (mail->size_bytes && !o.size) || (has_dsn && !o.dsn)) {
        say("555 5.5.4 That was not offered\r\n");
        return;
    }
    if (mail->size_bytes && *mail->size_bytes > o.size_bytes_max) {
        say("552 5.3.4 Too large\r\n");
        return;
    }
    if (is_refused(FaultPlace::mail)) return;
    has_mail_ = true;
    mail_.sender = mail->sender;
    say("250 2.1.0 Ok\r\n");
}

void SinkSession::on_rcpt(std::string_view argument) {
    const auto recipient = parse_rcpt(argument, true);
    if (!has_mail_ || !recipient) {
        say(has_mail_ ? "501 5.1.3 Not a recipient\r\n" : "503 5.5.1 There is no sender\r\n");
        return;
    }
    if (!sink_.options().dsn && (recipient->notify.given || !recipient->original.empty())) {
        say("555 5.5.4 That was not offered\r\n");
        return;
    }
    if (is_refused(FaultPlace::rcpt)) return;
    ++mail_.recipient_count;
    if (sink_.wants_names()) mail_.recipients.push_back(recipient->address);
    say("250 2.1.5 Ok\r\n");
}

void SinkSession::on_data() {
    if (has_content_ || mail_.recipient_count == 0) {
        say(has_content_ ? "503 5.5.1 BDAT has begun\r\n" : "503 5.5.1 There is no recipient\r\n");
        return;
    }
    if (is_refused(FaultPlace::data)) {
        reset();
        return;
    }
    say("354 Go on\r\n");
    begin_content();
    data_ = DataReader();
    state_ = State::data;
}

bool SinkSession::step_data() {
    ByteSpan in = as_bytes(input_);
    while (!in.empty() && !data_.ended()) {
        const DataReader::Run run = data_.next(in);
        gather(in.subspan(run.content_begin, run.content_end - run.content_begin));
        in = in.subspan(run.consumed);
        if (state_ != State::data) return false;
    }
    input_ = as_text(in);
    if (!data_.ended()) return false;
    bare_line_end_ = data_.has_bare_line_end();
    state_ = State::ended;
    return true;
}

void SinkSession::on_bdat(std::string_view argument) {
    const auto bdat = parse_bdat(argument);
    if (!bdat) {  // how many bytes follow is not known
        say("501 5.5.4 Not a chunk\r\n");
        end_after_sending();
        return;
    }
    bdat_refusal_.clear();
    if (!sink_.options().chunking) {
        bdat_refusal_ = "502 5.5.1 That was not offered\r\n";
    } else if (mail_.recipient_count == 0) {
        bdat_refusal_ = "503 5.5.1 There is no recipient\r\n";
    } else if (const int code = has_content_ ? 0 : sink_.faults().fail_code(FaultPlace::data)) {
        bdat_refusal_ = failure(code);
    }
    if (bdat_refusal_.empty() && !has_content_) begin_content();
    bdat_.begin_chunk(bdat->bytes, bdat->last);
    state_ = State::bdat;
}

bool SinkSession::step_bdat() {
    const ByteSpan in = as_bytes(input_);
    const std::size_t taken = bdat_.next(in);
    input_.remove_prefix(taken);
    if (bdat_refusal_.empty()) gather(in.subspan(0, taken));
    if (state_ != State::bdat || !bdat_.chunk_complete()) return false;
    state_ = State::command;
    if (!bdat_refusal_.empty()) {
        say(bdat_refusal_);
        const bool goodbye = bdat_refusal_.starts_with("421");
        reset();  // the chunks behind it find no recipient
        if (goodbye) end_after_sending();
    } else if (bdat_.is_last()) {
        bare_line_end_ = bdat_.has_bare_line_end();
        state_ = State::ended;
    } else {
        say("250 2.0.0 Ok\r\n");
    }
    return true;
}

void SinkSession::begin_content() {
    has_content_ = true;
    drop_at_bytes_ = sink_.faults().drops(FaultPlace::data) ? sink_.faults().drop_after_bytes() : 0;
}

void SinkSession::gather(ByteSpan bytes) {
    mail_.bytes += bytes.size();
    if (drop_at_bytes_ != 0 && mail_.bytes >= drop_at_bytes_) {
        close();
        return;
    }
    if (mail_.bytes > sink_.options().size_bytes_max) return;  // refused at its end
    if (sink_.wants_content()) {
        mail_.content.append(as_text(bytes));
    } else if (mail_.content.size() < beginning_bytes_max &&
               (sink_.wants_names() || mail_.sender.empty())) {
        mail_.content.append(as_text(bytes).substr(0, beginning_bytes_max - mail_.content.size()));
    }
}

bool SinkSession::step_ended() {
    if (drop_at_bytes_ != 0) {  // shorter than where it was to break
        close();
        return false;
    }
    if (is_struck(FaultPlace::end)) return false;
    state_ = State::command;
    if (bare_line_end_) {
        say("550 5.6.11 There is a lone CR or LF\r\n");
        reset();
    } else if (mail_.bytes > sink_.options().size_bytes_max) {
        say("552 5.3.4 Too large\r\n");
        reset();
    } else if (is_refused(FaultPlace::end)) {
        reset();
    } else if (sink_.take(id_, mail_)) {
        answer_taken(true);
    } else {
        state_ = State::taking;
    }
    return true;
}

void SinkSession::answer_taken(bool kept) {
    reset();
    if (sink_.faults().drops(FaultPlace::reply)) {
        close();
        return;
    }
    say(kept ? "250 2.0.0 Ok: taken\r\n" : "451 4.3.0 Cannot keep it\r\n");
}

void SinkSession::on_taken(bool kept) {
    if (state_ != State::taking) return;
    state_ = State::command;
    answer_taken(kept);
    run_kept_back();
}

bool SinkSession::is_struck(FaultPlace place) {
    if (is_delay_over_) {
        is_delay_over_ = false;
    } else if (const std::uint64_t ms = sink_.faults().delay_ms(place)) {
        wait(ms);
        return true;
    }
    // Dropping at `data` is in the middle of the content.
    if (place == FaultPlace::data || !sink_.faults().drops(place)) return false;
    close();
    return true;
}

bool SinkSession::is_refused(FaultPlace place) {
    const int code = sink_.faults().fail_code(place);
    if (code == 0) return false;
    say(failure(code));
    if (code == 421) end_after_sending();
    return true;
}

void SinkSession::wait(std::uint64_t ms) {
    after_delay_ = state_;
    state_ = State::delayed;
    if (!delay_) {
        delay_ = std::make_unique<Timer>(sink_.loop(), [this] {
            if (state_ != State::delayed) return;
            state_ = after_delay_;
            is_delay_over_ = true;
            run_kept_back();
        });
    }
    delay_->start(ms);
}

void SinkSession::say(std::string_view reply) {
    const bool is_enhanced = reply.size() > 5 && reply[5] == '.';
    if (is_enhanced && !sink_.options().enhanced_codes) {
        replies_.append(reply.substr(0, 4)).append(reply.substr(reply.find(' ', 4) + 1));
    } else {
        replies_.append(reply);
    }
}

void SinkSession::say_hello() { replies_.append(sink_.hello(has_tls_)); }

void SinkSession::flush() {
    if (replies_.empty() || !transport_) return;
    transport_->send(Chunk::copy_of(replies_));
    replies_.clear();
}

void SinkSession::reset() {
    has_mail_ = has_content_ = false;
    drop_at_bytes_ = 0;
    mail_.clear();
    bdat_ = BdatReader();
}

void SinkSession::end_after_sending() {
    if (state_ == State::closed) return;
    flush();
    Transport::close_after_sending(std::move(transport_));
    close();
}

void SinkSession::close() {
    if (state_ == State::closed) return;
    state_ = State::closed;
    sink_.on_closed(id_);
}

}  // namespace sealgate

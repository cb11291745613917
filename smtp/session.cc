// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/session.h"

#include <utility>

#include "core/limits.h"
#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/session_state.h"

namespace sealgate {
namespace {

using Action = MailFlowPolicyOptions::Action;

const char* to_log_word(Action action) {
    switch (action) {
    case Action::accept: return "ACCEPT";
    case Action::relay: return "RELAY";
    case Action::reject: return "REJECT";
    case Action::tcp_refuse: return "TCPREFUSE";
    case Action::continue_: break;
    }
    return "REJECT";  // a table that ends in "continue" has let nobody in
}

template <typename... States>
constexpr unsigned in(States... states) {
    return ((1u << static_cast<unsigned>(states)) | ...);
}

constexpr unsigned anywhere = ~0u;

}  // namespace

const Session::CommandRow Session::commands[] = {
    // clang-format off
    // verb                 allowed in               handler
    {Verb::ehlo,            ~in(State::refused),     &Session::on_ehlo},
    {Verb::helo,            ~in(State::refused),     &Session::on_helo},
    {Verb::mail,            in(State::ready),        &Session::on_mail},
    {Verb::rcpt,            in(State::mail,
                               State::rcpt),         &Session::on_rcpt},
    {Verb::data,            in(State::rcpt),         &Session::on_data},
    {Verb::bdat,            anywhere,                &Session::on_bdat},  // its octets must be read
    {Verb::rset,            ~in(State::refused),     &Session::on_rset},
    {Verb::noop,            ~in(State::refused),     &Session::on_noop},
    {Verb::vrfy,            ~in(State::refused),     &Session::on_vrfy},
    {Verb::help,            ~in(State::refused),     &Session::on_help},
    {Verb::quit,            anywhere,                &Session::on_quit},
    {Verb::starttls,        ~in(State::refused),     &Session::on_unimplemented},
    {Verb::not_implemented, ~in(State::refused),     &Session::on_unimplemented},
    {Verb::foreign,         anywhere,                &Session::on_foreign},
    {Verb::unknown,         ~in(State::refused),     &Session::on_unknown},
    // clang-format on
};

Session::Session(SessionContext context, SessionHost& host, MailLog& log, Carrier& carrier)
    : info_(std::move(context.info)),
      matched_pattern_(std::move(context.matched_pattern)),
      recipient_access_(std::move(context.recipient_access)),
      refusal_(context.refusal),
      host_(host),
      log_(log),
      carrier_(carrier) {}

Session::~Session() {
    transaction_.reset();  // an abort is logged before the close
    log_.info("ICID {} close", info_.icid);
}

void Session::start() {
    log_.info("New SMTP ICID {} interface {} ({}) address {} reverse dns host {} verified {}",
              info_.icid, info_.listener->name, info_.local.ip.to_text(), info_.peer.ip.to_text(),
              info_.confirmed_host.empty() ? "unknown" : printable(info_.confirmed_host),
              info_.confirmed_host.empty() ? "no" : "yes");
    if (!info_.sender_group.empty()) {
        log_.info("ICID {} {} SG {} match {}", info_.icid, to_log_word(info_.policy->action),
                  info_.sender_group, matched_pattern_);
    }
    const Action action = info_.policy->action;
    const bool welcome = !refusal_ && (action == Action::accept || action == Action::relay);
    Metrics::instance().add(welcome ? Counter::sessions_accepted : Counter::sessions_refused);
    const std::string& hostname = info_.config->gateway.hostname;
    if (refusal_) {
        log_.info("ICID {} refused: {} {} {}", info_.icid, refusal_->code, refusal_->enhanced,
                  refusal_->text);
        close_with(refusal_->code, refusal_->enhanced, refusal_->text);
    } else if (action == Action::tcp_refuse) {
        enter(State::closed);
    } else if (!welcome) {
        // RFC 5321 §3.1: after 554 the server waits for QUIT and answers 503 to all else.
        respond(554, "5.7.1", hostname + " does not accept mail from you");
        enter(State::refused);
    } else {
        respond(220, "", hostname + " ESMTP Sealgate");
        enter(State::greeted);
    }
    if (state_ != State::greeted) advance();
}

void Session::refuse_early_talker() {
    Metrics::instance().add(Counter::sessions_refused);
    log_.info("ICID {} refused: address {} spoke before the greeting", info_.icid,
              info_.peer.ip.to_text());
    close_with(554, "5.5.0", "You spoke before the greeting");
}

Flow Session::receive(Chunk chunk) {
    if (state_ == State::closed) return Flow::open;
    if (input_.empty()) {
        input_ = std::move(chunk);
        at_ = 0;
    } else {
        later_input_.append(std::move(chunk));
    }
    return flow_of(advance());
}

Flow Session::resume() { return flow_of(advance()); }

Flow Session::flow_of(Wait wait) const {
    return wait == Wait::input || wait == Wait::close ? Flow::open : Flow::full;
}

ChunkList Session::take_output() {
    ChunkList taken;
    taken.append(Chunk::copy_of(output_));
    output_ = std::string();
    return taken;
}

std::uint64_t Session::patience_ms() const {
    switch (state_) {
    case State::data:
    case State::chunk: return house_is_full() ? 0 : info_.listener->data_timeout_ms;
    case State::connected:
    case State::storing:
    case State::closed: return 0;
    case State::greeted:
    case State::ready:
    case State::mail:
    case State::rcpt:
    case State::bdat:
    case State::refused: break;
    }
    return info_.listener->command_timeout_ms;
}

void Session::on_timeout() {
    if (patience_ms() == 0) return;
    log_.info("ICID {} timed out waiting for {}", info_.icid,
              state_ == State::data || state_ == State::chunk ? "data" : "a command");
    close_with(421, "4.4.2", "Timeout, closing connection");
    advance();
}

void Session::drain() {
    draining_ = true;
    if (state_ != State::connected) advance();
}

Session::Wait Session::advance() {
    for (;;) {
        switch (state_) {
        case State::connected: return Wait::output;  // the greeting comes first
        case State::greeted:
        case State::ready:
        case State::refused:
            if (draining_) {
                close_with(421, "4.3.2", "Shutting down");
                break;
            }
            [[fallthrough]];
        case State::mail:
        case State::rcpt:
        case State::bdat:
            if (output_.size() >= limits::pending_reply_bytes_max) return Wait::output;
            if (!step_command()) return Wait::input;
            break;
        case State::data:
            if (house_is_full()) return Wait::house;
            if (!step_data()) return Wait::input;
            break;
        case State::chunk:
            if (house_is_full()) return Wait::house;
            if (!step_chunk()) return Wait::input;
            break;
        case State::storing:
            if (!transaction_->verdict) return Wait::house;
            answer_message();
            break;
        case State::closed:
            input_ = Chunk();
            later_input_.clear();
            cut_line_ = std::string();
            transaction_.reset();
            return Wait::close;
        }
    }
}

void Session::enter(State next) {
    static constexpr const char* names[] = {"connected", "greeted", "ready", "mail",
                                            "rcpt",      "data",    "bdat",  "chunk",
                                            "storing",   "refused", "closed"};
    static constexpr unsigned after_command =
        in(State::greeted, State::ready, State::chunk, State::refused, State::closed);
    static constexpr unsigned moves[] = {
        /* connected */ in(State::greeted, State::refused, State::closed),
        /* greeted */ after_command,
        /* ready */ after_command | in(State::mail),
        /* mail */ after_command | in(State::mail, State::rcpt),
        /* rcpt */ after_command | in(State::rcpt, State::data),
        /* data */ in(State::ready, State::storing, State::closed),
        /* bdat */ after_command,
        /* chunk */ in(State::bdat, State::storing) | after_command,
        /* storing */ in(State::ready, State::closed),
        /* refused */ in(State::chunk, State::closed),
        /* closed */ in(State::closed),
    };
    CHECK(moves[static_cast<unsigned>(state_)] & in(next));
    if (state_ != next && log_.wants(LogLevel::debug)) {
        log_.write(LogLevel::debug, fmt::format("ICID {} is now {}", info_.icid,
                                                names[static_cast<unsigned>(next)]));
    }
    state_ = next;
}

// Takes one line, or as much of one as there is. False: there is no input.
bool Session::step_command() {
    if (input_.empty()) return false;
    const Chunk front = input_;  // the line is a window on it while it is handled
    const std::string_view rest = front.text().substr(at_);
    const std::size_t line_feed = rest.find('\n');
    const bool whole = line_feed != std::string_view::npos;
    const std::string_view piece = whole ? rest.substr(0, line_feed + 1) : rest;
    consume(piece.size());
    if (!skipping_line_ && cut_line_.size() + piece.size() > limits::command_line_bytes_max) {
        skipping_line_ = true;
        cut_line_ = std::string();
    }
    if (!whole) {
        if (!skipping_line_) cut_line_.append(piece);
        return true;
    }
    ++progress_;
    if (std::exchange(skipping_line_, false)) {
        current_line_ = "a line too long";
        refuse_command({500, "5.5.2", "Line too long"});
    } else if (cut_line_.empty()) {
        on_line(piece);
    } else {
        const std::string line = std::exchange(cut_line_, std::string()).append(piece);
        on_line(line);
    }
    current_line_ = {};
    return true;
}

void Session::consume(std::size_t bytes) {
    at_ += bytes;
    if (at_ < input_.size()) return;
    input_ = later_input_.empty() ? Chunk() : later_input_.take_front();
    at_ = 0;
}

// `line` with its LF. A lone CR or LF is no line end here either: what two systems could read as
// one command or two is read as none.
void Session::on_line(std::string_view line) {
    line.remove_suffix(1);
    const bool proper = !line.empty() && line.back() == '\r';
    if (proper) line.remove_suffix(1);
    current_line_ = line;
    if (!proper) return refuse_command({500, "5.5.2", "Line does not end with CR LF"});
    const auto command = parse_command(line);
    if (!command) return refuse_command(command.error());
    for (const CommandRow& row : commands) {
        if (row.verb != command->verb) continue;
        if (!(row.allowed_in & in(state_))) return refuse_command(out_of_sequence(row.verb));
        return (this->*row.handler)(command->argument);
    }
}

SmtpRefusal Session::out_of_sequence(Verb verb) const {
    if (state_ == State::refused) return {503, "5.5.1", "Mail from you is not accepted; use QUIT"};
    if (state_ == State::greeted) return {503, "5.5.1", "Say EHLO first"};
    if (state_ == State::bdat) return {503, "5.5.1", "A BDAT transfer is under way"};
    if (state_ == State::ready) return {503, "5.5.1", "Say MAIL first"};
    if (verb == Verb::mail) return {503, "5.5.1", "A transaction is under way"};
    return {554, "5.5.1", "No valid recipients"};
}

void Session::respond(int code, std::string_view enhanced, std::string_view text) {
    fmt::format_to(std::back_inserter(output_), "{} {}{}{}\r\n", code, enhanced,
                   enhanced.empty() ? "" : " ", text);
}

void Session::respond(const Reply& reply) {
    CHECK(!reply.lines.empty());
    output_ += reply.to_wire();
    // RFC 5321 §4.2.2: 421 means that we close.
    if (reply.code == 421) enter(State::closed);
}

void Session::refuse_command(const SmtpRefusal& refusal) {
    respond(refusal.code, refusal.enhanced, refusal.text);
    log_refused(output_.substr(output_.rfind('\n', output_.size() - 2) + 1));
    if (++bad_commands_ > limits::bad_commands_max) {
        close_with(421, "4.7.0", "Too many errors");
    }
}

void Session::log_refused(std::string_view reply_text) {
    if (!log_.wants(LogLevel::info)) return;
    while (!reply_text.empty() && (reply_text.back() == '\r' || reply_text.back() == '\n')) {
        reply_text.remove_suffix(1);
    }
    log_.info("ICID {} refused '{}': {}", info_.icid, printable(current_line_, 128),
              printable(reply_text));
}

void Session::close_with(int code, std::string_view enhanced, std::string_view text) {
    respond(code, enhanced, info_.config->gateway.hostname + " " + std::string(text));
    enter(State::closed);
}

}  // namespace sealgate

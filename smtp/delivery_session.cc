// SPDX-License-Identifier: GPL-3.0-or-later
// The dialogue. What the commands say, and what cannot be said, is delivery_commands.cc.
#include "smtp/delivery_session.h"

#include <algorithm>

#include "smtp/dot_stuffing.h"
#include "smtp/mime_downgrade.h"

namespace sealgate {
namespace {

using Kind = RecipientOutcome::Kind;

Reply protocol_error(const char* what) { return make_reply(451, "4.5.0", what); }

Kind kind_of(const Reply& reply) { return reply.permanent() ? Kind::failed : Kind::deferred; }

bool is_success(const Reply& reply) { return reply.code >= 200 && reply.code < 300; }

}  // namespace

DeliverySession::~DeliverySession() = default;

void DeliverySession::enter(State next) {
    CHECK(state_ != State::closed);  // there is no way back from it
    state_ = next;
}

void DeliverySession::say(std::string line) {
    line += "\r\n";
    output_.append(Chunk::copy_of(line));
}

DeliverySession::Wait DeliverySession::advance() {
    for (;;) {
        switch (state_) {
        case State::greeting:
        case State::ehlo:
        case State::helo:
            if (!step_reply()) return Wait::input;
            break;
        case State::ready:
            if (!step_reply()) return Wait::task;  // a host may say 421 at any time
            break;
        case State::envelope:
            if (commands_.empty() && expected_.empty()) {
                step_envelope();
            } else if (!step_reply()) {
                return Wait::input;
            }
            break;
        case State::body:
            if (step_reply() || step_body()) break;
            // Without PIPELINING one piece waits for the answer to the one before.
            return extensions_.pipelining || transfer_ == Transfer::data || expected_.empty()
                       ? Wait::body
                       : Wait::input;
        case State::ending:
            if (expected_.empty()) {
                finish_transaction();
            } else if (!step_reply()) {
                return Wait::input;
            }
            break;
        case State::reporting: return Wait::outcome;
        case State::closed: return Wait::closed;
        }
    }
}

bool DeliverySession::step_reply() {
    auto reply = reader_.next();
    if (!reply) {
        end_all(protocol_error(reply.error().what), Fault::connection);
        return true;
    }
    if (!*reply) return false;
    on_reply(**reply);
    return true;
}

void DeliverySession::on_reply(const Reply& reply) {
    // RFC 5321 §3.8: the host closes the channel, whatever was asked.
    if (reply.code == 421) return end_all(reply, Fault::host);
    answered_ = true;
    switch (state_) {
    case State::greeting:
        if (!is_success(reply)) return end_all(reply, Fault::host);
        say("EHLO " + hostname_);
        enter(State::ehlo);
        return;
    case State::ehlo:
        if (is_success(reply)) return on_extensions(reply);
        if (!reply.permanent()) return end_all(reply, Fault::host);
        say("HELO " + hostname_);  // RFC 5321 §3.2
        enter(State::helo);
        return;
    case State::helo:
        if (!is_success(reply)) return end_all(reply, Fault::host);
        greeted_ = true;
        enter(State::ready);
        return;
    case State::ready:
    case State::envelope:
    case State::body:
    case State::ending: {
        if (expected_.empty())
            return end_all(protocol_error("reply that nobody asked for"), Fault::connection);
        const Expected expected = expected_.front();
        expected_.pop_front();
        on_transaction_reply(expected, reply);
        return;
    }
    case State::reporting:
    case State::closed: return;
    }
}

void DeliverySession::on_extensions(const Reply& reply) {
    extensions_ = HostExtensions::of(reply);
    greeted_ = true;
    enter(State::ready);
}

void DeliverySession::deliver(const DeliveryTask& task) {
    CHECK(state_ == State::ready && !task_);
    task_ = &task;
    progress_.assign(task.recipients.size(), {});
    for (std::size_t i = 0; i < progress_.size(); ++i) {
        progress_[i].outcome.rid = task.recipients[i].rid;
    }
    mail_accepted_ = answered_ = handed_over_ = body_refused_ = false;
    body_bytes_ = 0;
    if (refuse_impossible()) {
        enter(State::reporting);
        return;
    }
    transfer_ = choose_transfer();
    begin_commands();
    enter(State::envelope);
    send_next_commands();
    if (transfer_ == Transfer::one_write) {
        send_piece(task.bytes, true);
        enter(State::ending);
    }
}

// All of them to a host that takes groups, otherwise one.
void DeliverySession::send_next_commands() {
    while (!commands_.empty()) {
        const Expected next = commands_.front();
        commands_.pop_front();
        switch (next.kind) {
        case Expected::Kind::rset: say("RSET"); break;
        case Expected::Kind::mail: say(mail_command()); break;
        case Expected::Kind::rcpt: say(rcpt_command(task_->recipients[next.recipient])); break;
        case Expected::Kind::data:
            if (!extensions_.pipelining && !any_accepted()) return;
            say("DATA");
            break;
        case Expected::Kind::piece:
        case Expected::Kind::end_of_data: break;  // not commands of the envelope
        }
        expected_.push_back(next);
        if (!extensions_.pipelining) return;
    }
}

void DeliverySession::on_transaction_reply(Expected expected, const Reply& reply) {
    switch (expected.kind) {
    case Expected::Kind::rset: break;
    case Expected::Kind::mail:
        mail_accepted_ = is_success(reply);
        if (!mail_accepted_) {
            settle_open(reply, true);
            commands_.clear();
        }
        break;
    case Expected::Kind::rcpt: {
        Progress& progress = progress_[expected.recipient];
        progress.accepted = mail_accepted_ && is_success(reply);
        if (!progress.accepted) settle(progress, kind_of(reply), reply, true);
        break;
    }
    case Expected::Kind::data: return on_data_reply(reply);
    case Expected::Kind::piece:
        if (is_success(reply)) break;
        settle_open(reply, true);
        body_refused_ = true;
        rset_needed_ = true;  // RFC 3030 §2: the host's state is anybody's guess
        break;
    case Expected::Kind::end_of_data: return on_end_reply(reply);
    }
    if (state_ == State::envelope && !extensions_.pipelining) send_next_commands();
}

void DeliverySession::on_data_reply(const Reply& reply) {
    if (reply.code >= 300 && reply.code < 400) {
        if (any_accepted()) return begin_body();
        // RFC 2920 §3.1: the host waits for a message that is for nobody; it gets an empty one.
        say(".");
        expected_.push_back({Expected::Kind::end_of_data});
        enter(State::ending);
        return;
    }
    if (is_success(reply))
        return end_all(protocol_error("DATA answered by success"), Fault::connection);
    settle_open(reply, true);
    rset_needed_ = mail_accepted_;
    enter(State::ending);
}

// Every command of the envelope was answered, and none of them was DATA.
void DeliverySession::step_envelope() {
    if (transfer_ == Transfer::pieces && any_accepted()) return begin_body();
    rset_needed_ = mail_accepted_;
    enter(State::ending);
}

void DeliverySession::begin_body() {
    if (transfer_ == Transfer::data) {
        stuffing_ = std::make_unique<DotStuffing>(output_);
        if (needs_seven_bit()) seven_bit_ = make_seven_bit_message_stage(*stuffing_);
        expected_.push_back({Expected::Kind::end_of_data});
    }
    enter(State::body);
    if (task_->in_memory) {
        if (!task_->bytes.empty()) body(task_->bytes);
        body({});
    }
}

// True when there is something new to look at.
bool DeliverySession::step_body() {
    if (!body_refused_) return false;
    enter(State::ending);
    return true;
}

void DeliverySession::body(ChunkList piece) {
    if (state_ != State::body) return;  // the host stopped it meanwhile
    body_bytes_ += piece.bytes();
    const bool end = piece.empty();
    if (end ? body_bytes_ != content_bytes() : body_bytes_ > content_bytes()) {
        // Never a cut message as a whole one: the connection ends in the middle of it.
        return end_all(make_reply(451, "4.3.0", "stored message is not of its size"),
                       Fault::message);
    }
    if (transfer_ == Transfer::pieces) {
        send_piece(std::move(piece), body_bytes_ == content_bytes());
    } else if (end) {
        end_text();
    } else {
        Sink& top = seven_bit_ ? *seven_bit_ : *stuffing_;
        if (const auto done = top.write_all(std::move(piece)); !done) {
            end_all(reply_for(done.error()), Fault::message);
        }
    }
}

void DeliverySession::end_text() {
    Sink& top = seven_bit_ ? *seven_bit_ : *stuffing_;
    if (const auto done = top.finish(); !done)
        return end_all(reply_for(done.error()), Fault::message);
    handed_over_ = true;
    enter(State::ending);
}

void DeliverySession::send_piece(ChunkList piece, bool last) {
    say("BDAT " + std::to_string(piece.bytes()) + (last ? " LAST" : ""));
    output_.append(std::move(piece));
    expected_.push_back({last ? Expected::Kind::end_of_data : Expected::Kind::piece});
    if (!last) return;
    handed_over_ = true;
    enter(State::ending);
}

void DeliverySession::on_end_reply(const Reply& reply) {
    if (state_ == State::body) {
        // Before our end of data: refused in the middle, and DATA cannot be taken back.
        settle_open(is_success(reply) ? protocol_error("success before the end of data") : reply,
                    !is_success(reply));
        failure_ = reply;
        failure_from_host_ = close_after_ = true;
        expected_.clear();
        return enter(State::ending);
    }
    rset_needed_ = transfer_ != Transfer::data && !is_success(reply);
    for (Progress& progress : progress_) {
        if (progress.settled || !progress.accepted) continue;
        settle(progress, is_success(reply) ? Kind::delivered : kind_of(reply), reply, true);
        progress.outcome.dsn_relayed = is_success(reply) && extensions_.dsn;
    }
}

void DeliverySession::finish_transaction() {
    settle_open(protocol_error("no reply for this recipient"), false);
    commands_.clear();
    seven_bit_.reset();
    stuffing_.reset();
    enter(State::reporting);
}

std::vector<RecipientOutcome> DeliverySession::take_outcomes() {
    CHECK(state_ == State::reporting);
    std::vector<RecipientOutcome> outcomes;
    outcomes.reserve(progress_.size());
    for (Progress& progress : progress_) outcomes.push_back(std::move(progress.outcome));
    progress_.clear();
    task_ = nullptr;
    enter(close_after_ ? State::closed : State::ready);
    return outcomes;
}

void DeliverySession::quit() {
    say("QUIT");
    enter(State::closed);
}

void DeliverySession::end_all(const Reply& why, Fault fault) {
    if (state_ == State::closed) return;
    if (!close_after_) {
        failure_ = why;
        failure_from_host_ = fault == Fault::host;
        lost_ = fault != Fault::message;
    }
    close_after_ = true;
    if (!task_) return enter(State::closed);
    settle_open(why, fault == Fault::host);
    if (state_ == State::reporting) return;
    expected_.clear();
    finish_transaction();
}

std::uint64_t DeliverySession::content_bytes() const {
    return task_->in_memory ? task_->bytes.bytes() : task_->body_bytes;
}

bool DeliverySession::any_accepted() const {
    return std::any_of(progress_.begin(), progress_.end(),
                       [](const Progress& progress) { return progress.accepted; });
}

void DeliverySession::settle(Progress& progress, RecipientOutcome::Kind kind, const Reply& reply,
                             bool from_host) {
    if (progress.settled) return;
    progress.settled = true;
    progress.outcome.kind = kind;
    progress.outcome.reply = reply;
    progress.outcome.from_host = from_host;
}

void DeliverySession::settle_open(const Reply& reply, bool from_host) {
    for (Progress& progress : progress_) settle(progress, kind_of(reply), reply, from_host);
}

std::uint64_t DeliverySession::wait_ms(const DeliveryTimeouts& timeouts) const {
    if (state_ == State::body) return timeouts.block_ms;
    if (expected_.empty()) return timeouts.greeting_ms;
    switch (expected_.front().kind) {
    case Expected::Kind::rset: return timeouts.greeting_ms;
    case Expected::Kind::mail:
    case Expected::Kind::rcpt: return timeouts.mail_ms;
    case Expected::Kind::data: return timeouts.data_ms;
    case Expected::Kind::piece: return timeouts.block_ms;
    case Expected::Kind::end_of_data: return timeouts.end_of_data_ms;
    }
    return timeouts.greeting_ms;
}

}  // namespace sealgate

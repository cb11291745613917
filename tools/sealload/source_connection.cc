// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_connection.h"

#include <fmt/format.h>

#include "core/text.h"

namespace sealgate {
namespace {

constexpr std::uint64_t connect_again_ms = 100;
constexpr unsigned failures_in_a_row_max = 5;  // then a connection gives up, without --retry

std::string reply_line(const Reply& reply) {
    return fmt::format("{} {}", reply.code, reply.text());
}

}  // namespace

SourceConnection::SourceConnection(Source& source)
    : source_(source), timer_(source.loop(), [this] { connect(); }) {}

SourceConnection::~SourceConnection() = default;

void SourceConnection::connect() {
    if (!source_.has_more()) {
        end();
        return;
    }
    state_ = State::connecting;
    replies_.emplace();
    messages_here_ = 0;
    socket_ = Socket::connect(source_.loop(), source_.options().target, IpAddress(),
                              [this](Result<void> result, std::string what) {
                                  if (!result) {
                                      lose_connection(what);
                                      return;
                                  }
                                  source_.on_connected();
                                  state_ = State::greeting;
                                  socket_->set_handler(this);
                                  socket_->resume();
                              });
}

void SourceConnection::on_bytes(Chunk chunk) {
    replies_->receive(chunk.bytes());
    while (socket_) {
        auto reply = replies_->next();
        if (!reply) {
            lose_connection(reply.error().what);
            return;
        }
        if (!*reply) return;
        on_reply(**reply);
    }
}

void SourceConnection::on_end() {
    if (state_ == State::quitting) {
        socket_.reset();
        connect();
        return;
    }
    lose_connection("closed by the target");
}

void SourceConnection::on_broken(std::string what) {
    if (state_ == State::quitting) {
        on_end();
        return;
    }
    lose_connection(what);
}

void SourceConnection::on_reply(const Reply& reply) {
    switch (state_) {
    case State::greeting:
        if (reply.code != 220) {
            lose_connection(reply_line(reply));
            return;
        }
        state_ = State::hello;
        socket_->send(Chunk::copy_of("EHLO " + source_.options().helo + "\r\n"));
        return;
    case State::hello: on_hello(reply); return;
    case State::mail: {
        if (answered_ == sent_) {  // nobody asked: 421 before a shutdown
            lose_connection(reply_line(reply));
            return;
        }
        const Item item = items_[answered_++];
        on_item_reply(item, reply);
        return;
    }
    case State::quitting:
        socket_.reset();
        connect();
        return;
    case State::connecting:
    case State::waiting:
    case State::done: return;
    }
}

void SourceConnection::on_hello(const Reply& reply) {
    if (reply.code != 250) {
        lose_connection(reply_line(reply));
        return;
    }
    has_pipelining_ = has_eight_bit_ = has_size_ = has_chunking_ = false;
    for (const std::string& line : reply.lines) {
        const std::string word = line.substr(0, line.find(' '));
        has_pipelining_ |= equal_ignoring_case(word, "PIPELINING");
        has_eight_bit_ |= equal_ignoring_case(word, "8BITMIME");
        has_size_ |= equal_ignoring_case(word, "SIZE");
        has_chunking_ |= equal_ignoring_case(word, "CHUNKING");
    }
    has_pipelining_ &= source_.options().pipelining;
    has_chunking_ &= source_.options().bdat;
    failures_in_a_row_ = 0;
    state_ = State::mail;
    next_message();
}

void SourceConnection::next_message() {
    if (!source_.has_more() || messages_here_ >= source_.options().messages_per_connection) {
        quit();
        return;
    }
    mail_ = source_.take_next();
    recipients_.clear();
    refusal_.clear();
    content_sent_ = false;
    make_items();
    send_items();
}

void SourceConnection::make_items() {
    items_.clear();
    sent_ = answered_ = 0;
    std::string mail = fmt::format("MAIL FROM:<{}>", mail_->from);
    const std::uint64_t bytes = mail_->mail_template->bytes(mail_->message_id);
    if (has_size_) mail += fmt::format(" SIZE={}", bytes);
    if (has_eight_bit_ && mail_->mail_template->eight_bit()) mail += " BODY=8BITMIME";
    items_.push_back({Step::mail, std::move(mail)});
    for (std::size_t i = 0; i < mail_->recipients.size(); ++i)
        items_.push_back({Step::rcpt, fmt::format("RCPT TO:<{}>", mail_->recipients[i]), i});
    if (has_chunking_) {
        items_.push_back({Step::content, fmt::format("BDAT {} LAST", bytes)});
    } else {
        items_.push_back({Step::data, "DATA"});
    }
}

// As many steps as may leave now, in one write.
void SourceConnection::send_items() {
    std::string commands;
    while (sent_ < items_.size() && (has_pipelining_ || sent_ == answered_)) {
        const Item& item = items_[sent_++];
        commands += item.command + "\r\n";
        if (item.step == Step::content) {
            socket_->send(Chunk::copy_of(commands));
            commands.clear();
            send_content(ContentForm::bdat);
        }
    }
    if (!commands.empty()) socket_->send(Chunk::copy_of(commands));
}

void SourceConnection::send_content(ContentForm form) {
    socket_->send(mail_->mail_template->message(mail_->message_id, form));
    content_sent_ = true;
    content_at_ = std::chrono::steady_clock::now();
}

void SourceConnection::on_item_reply(const Item& item, const Reply& reply) {
    switch (item.step) {
    case Step::mail:
        if (!reply.positive()) refusal_ = reply_line(reply);
        break;
    case Step::rcpt:
        if (reply.positive())
            recipients_.push_back(mail_->recipients[item.recipient]);
        else if (refusal_.empty() && item.recipient + 1 == mail_->recipients.size() &&
                 recipients_.empty())
            refusal_ = reply_line(reply);
        break;
    case Step::data: on_data_reply(reply); return;
    case Step::content:
        if (reply.code == 250 && refusal_.empty()) {
            finish_message(SentState::accepted, reply_line(reply));
        } else {
            finish_message(SentState::refused, refusal_.empty() ? reply_line(reply) : refusal_);
        }
        return;
    case Step::reset: next_message(); return;
    }
    if (reply.code == 421) {
        lose_connection(reply_line(reply));
        return;
    }
    if (!refusal_.empty() && sent_ == answered_) {  // nothing else was sent: no need to go on
        finish_message(SentState::refused, refusal_);
        return;
    }
    send_items();
}

void SourceConnection::on_data_reply(const Reply& reply) {
    if (reply.code != 354) {
        finish_message(SentState::refused, refusal_.empty() ? reply_line(reply) : refusal_);
        return;
    }
    items_.push_back({Step::content, ""});
    ++sent_;
    if (refusal_.empty())
        send_content(ContentForm::data);
    else
        socket_->send(Chunk::literal(".\r\n"));  // pipelined, and 354 without a recipient
}

void SourceConnection::finish_message(SentState state, const std::string& reply) {
    const auto waited = std::chrono::steady_clock::now() - content_at_;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(waited).count();
    source_.on_outcome(*mail_, state, reply, std::move(recipients_),
                       static_cast<std::uint64_t>(us));
    recipients_.clear();
    mail_.reset();
    ++messages_here_;
    if (reply.starts_with("421")) {
        lose_connection(reply);
        return;
    }
    if (state != SentState::refused) {
        next_message();
        return;
    }
    items_ = {{Step::reset, "RSET"}};
    sent_ = answered_ = 0;
    send_items();
}

void SourceConnection::quit() {
    state_ = State::quitting;
    socket_->send(Chunk::literal("QUIT\r\n"));
}

// What becomes of a message whose connection is gone.
void SourceConnection::settle_message(const std::string& what) {
    if (!mail_) return;
    if (content_sent_) {  // with BDAT perhaps before a recipient was answered: all are in doubt
        source_.on_outcome(*mail_, SentState::unknown, what, mail_->recipients, 0);
    } else {
        source_.give_back();
    }
    recipients_.clear();
    mail_.reset();
}

void SourceConnection::lose_connection(const std::string& what) {
    socket_.reset();
    source_.on_connection_error(what);
    settle_message(what);
    if (++failures_in_a_row_ > failures_in_a_row_max && !source_.options().retry) {
        end();
        return;
    }
    state_ = State::waiting;
    timer_.start(connect_again_ms);
}

void SourceConnection::on_stop() {
    if (state_ == State::waiting || state_ == State::connecting) {
        timer_.stop();
        socket_.reset();
        end();
    }
}

void SourceConnection::abandon() {
    socket_.reset();
    timer_.stop();
    settle_message("stopped");
}

void SourceConnection::end() {
    if (state_ == State::done) return;
    state_ = State::done;
    source_.on_connection_done();
}

}  // namespace sealgate

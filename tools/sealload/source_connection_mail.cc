// SPDX-License-Identifier: GPL-3.0-or-later
// A connection's messages: what MailDialogue says is put on the wire, and what was answered is
// told.
#include <algorithm>

#include "tools/sealload/source.h"
#include "tools/sealload/source_connection.h"

namespace sealgate {

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

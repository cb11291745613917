// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_dialogue.h"

#include "core/result.h"

namespace sealgate {
namespace {

constexpr std::string_view rcpt_begin = "RCPT TO:<";
constexpr std::string_view path_end = ">\r\n";

}  // namespace

void MailDialogue::begin(const MailTemplate& mail, std::size_t message_id_bytes,
                         const SourceAddresses& addresses, std::uint64_t number,
                         const Offers& offers) {
    message_bytes_ = mail.bytes(message_id_bytes);
    pipelining_ = offers.pipelining;
    chunking_ = offers.chunking;
    content_sent_ = false;
    sent_ = answered_ = accepted_count_ = 0;
    outcome_ = SentState::unknown;
    refusal_.clear();
    ends_.clear();
    commands_ = "MAIL FROM:<";
    addresses.append_sender(commands_, number);
    commands_ += '>';
    if (offers.size) {
        commands_ += " SIZE=";
        append_number(commands_, message_bytes_);
    }
    if (offers.eight_bit && mail.eight_bit()) commands_ += " BODY=8BITMIME";
    commands_ += "\r\n";
    ends_.push_back(commands_.size());
    accepted_.assign(addresses.recipients_of(number), 0);
    for (std::size_t i = 0; i < accepted_.size(); ++i) {
        commands_ += rcpt_begin;
        addresses.append_recipient(commands_, number, i);
        commands_ += path_end;
        ends_.push_back(commands_.size());
    }
    if (chunking_) {
        commands_ += "BDAT ";
        append_number(commands_, message_bytes_);
        commands_ += " LAST\r\n";
    } else {
        commands_ += "DATA\r\n";
    }
    ends_.push_back(commands_.size());
}

bool MailDialogue::take_commands(std::string& out) {
    if (sent_ >= ends_.size()) return false;
    const std::size_t begin = sent_ == 0 ? 0 : ends_[sent_ - 1];
    sent_ = pipelining_ ? ends_.size() : sent_ + 1;
    out.append(commands_, begin, ends_[sent_ - 1] - begin);
    return chunking_ && sent_ == ends_.size();
}

Phase MailDialogue::awaited() const {
    if (answered_ == 0) return Phase::mail;
    if (answered_ < rcpt_end()) return Phase::rcpt;
    return chunking_ || answered_ > rcpt_end() ? Phase::content : Phase::data;
}

MailDialogue::Next MailDialogue::on_reply(const ReplyLine& reply) {
    CHECK(awaits_reply());
    const std::size_t step = answered_++;
    if (step == 0) {
        if (!reply.positive()) refusal_ = reply.line;
        return reply.code == 421 ? Next::lost : go_on();
    }
    if (step < rcpt_end()) return on_rcpt_reply(step - 1, reply);
    if (step == rcpt_end() && !chunking_) return on_data_reply(reply);
    return finish(reply);
}

MailDialogue::Next MailDialogue::on_rcpt_reply(std::size_t index, const ReplyLine& reply) {
    if (reply.code == 421) return Next::lost;
    if (reply.positive()) {
        accepted_[index] = 1;
        ++accepted_count_;
    } else if (refusal_.empty() && index + 1 == accepted_.size() && accepted_count_ == 0) {
        refusal_ = reply.line;
    }
    return go_on();
}

MailDialogue::Next MailDialogue::on_data_reply(const ReplyLine& reply) {
    if (reply.code == 421) return Next::lost;
    if (reply.code != 354) return finish(reply);
    ++sent_;  // the content is a step without a command
    return refusal_.empty() ? Next::content : Next::dot;
}

MailDialogue::Next MailDialogue::finish(const ReplyLine& reply) {
    outcome_ = SentState::accepted;
    if (reply.code != 250 || !refusal_.empty()) {
        outcome_ = SentState::refused;
        if (refusal_.empty()) refusal_ = reply.line;
    }
    return Next::finished;
}

MailDialogue::Next MailDialogue::go_on() {
    if (awaits_reply()) return Next::wait;
    if (refusal_.empty()) return Next::commands;
    outcome_ = SentState::refused;  // nothing else was sent: no need to go on
    return Next::finished;
}

std::string MailDialogue::recipient(std::size_t index) const {
    const std::size_t begin = ends_[index] + rcpt_begin.size();
    return commands_.substr(begin, ends_[index + 1] - path_end.size() - begin);
}

std::vector<std::string> MailDialogue::accepted_recipients() const {
    std::vector<std::string> recipients;
    for (std::size_t i = 0; i < accepted_.size(); ++i)
        if (accepted_[i]) recipients.push_back(recipient(i));
    return recipients;
}

std::vector<std::string> MailDialogue::all_recipients() const {
    std::vector<std::string> recipients;
    for (std::size_t i = 0; i < accepted_.size(); ++i) recipients.push_back(recipient(i));
    return recipients;
}

}  // namespace sealgate

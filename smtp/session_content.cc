// SPDX-License-Identifier: GPL-3.0-or-later
// The content of a message on its way to the house, by DATA or BDAT, and its answer.
#include <utility>

#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/session.h"
#include "smtp/session_state.h"

namespace sealgate {

constexpr SmtpRefusal Session::bare_line_end{550, "5.6.11", "Bare CR or LF in the message"};
constexpr SmtpRefusal Session::message_too_large{552, "5.3.4",
                                                 "Message larger than the limit announced by SIZE"};

// Leaves a verdict in the transaction when the house takes no message now.
void Session::begin_message() {
    Reply why_not;
    if (!host_.accepting(why_not)) {
        transaction_->verdict = std::move(why_not);
        return;
    }
    ++messages_;
    transaction_->intake = host_.begin_message(std::move(transaction_->envelope), info_, *this);
    CHECK(transaction_->intake != nullptr);
}

bool Session::house_is_full() const {
    return transaction_ && transaction_->intake && transaction_->intake_full &&
           !transaction_->verdict;
}

bool Session::step_data() {
    if (input_.empty()) return false;
    DataReader& data = transaction_->data;
    const DataReader::Run run = data.next(input_.bytes().subspan(at_));
    Chunk content = input_.slice(at_ + run.content_begin, at_ + run.content_end);
    consume(run.consumed);
    ++progress_;
    if (data.has_bare_line_end()) {
        refuse_message(bare_line_end);
    }
    deliver(std::move(content));
    if (data.ended()) end_content();
    return true;
}

bool Session::step_chunk() {
    BdatReader& bdat = transaction_->bdat;
    if (bdat.chunk_complete()) {
        end_chunk();
        return true;
    }
    if (input_.empty()) return false;
    const std::size_t bytes = bdat.next(input_.bytes().subspan(at_));
    Chunk content = input_.slice(at_, at_ + bytes);
    consume(bytes);
    ++progress_;
    if (transaction_->chunk_refusal) return true;
    if (bdat.has_bare_line_end()) {
        refuse_message(bare_line_end);
    }
    deliver(std::move(content));
    return true;
}

void Session::end_chunk() {
    if (transaction_->chunk_refusal) {
        const SmtpRefusal refused = *transaction_->chunk_refusal;
        forget_transaction();
        enter(after_chunk_);
        current_line_ = "BDAT";
        refuse_command(refused);
        current_line_ = {};
    } else if (transaction_->verdict) {
        answer_message();
    } else if (transaction_->bdat.is_last()) {
        if (transaction_->bdat.lacks_final_line_end()) deliver(Chunk::literal("\r\n"));
        end_content();
    } else {
        enter(State::bdat);
        respond(250, "2.0.0", "Ok, go on");
    }
}

// A piece of content to the house, unless the message's fate is known.
void Session::deliver(Chunk content) {
    Transaction& transaction = *transaction_;
    transaction.content_bytes += content.size();
    if (transaction.content_bytes > info_.policy->message_bytes_max) {
        refuse_message(message_too_large);
    }
    if (transaction.verdict) {
        transaction.intake.reset();
        return;
    }
    if (content.empty()) return;
    const Result<Flow> flow = transaction.intake->write(std::move(content));
    if (flow) {
        transaction.intake_full = *flow == Flow::full;
    } else {
        transaction.verdict = reply_for(flow.error());
        transaction.intake.reset();
    }
}

void Session::end_content() {
    Metrics::instance().add(Counter::bytes_received, transaction_->content_bytes);
    enter(State::storing);
    if (!transaction_->verdict) transaction_->intake->finish();
}

// The message's fate, said once all of it was read. The first reason stays, but for a lone CR or
// LF: that is said whatever else is wrong, wherever the network cut.
void Session::refuse_message(const SmtpRefusal& refusal) {
    Transaction& transaction = *transaction_;
    if (transaction.refused == &refusal) return;
    if (transaction.verdict && &refusal != &bare_line_end) return;
    transaction.refused = &refusal;
    transaction.verdict = refusal.to_reply();
    transaction.intake.reset();
}

void Session::answer_message() {
    const Reply verdict = *std::move(transaction_->verdict);
    if (transaction_->refused) {
        Metrics::instance().add(Counter::messages_refused);
        log_.info("ICID {} message refused: {} {}", info_.icid, verdict.code, verdict.text());
    }
    forget_transaction();
    respond(verdict);
    if (state_ != State::closed) enter(State::ready);
}

void Session::forget_transaction() { transaction_.reset(); }

void Session::on_intake_drain() {
    transaction_->intake_full = false;
    carrier_.on_session_ready();
}

void Session::on_intake_done(Reply reply) {
    if (!transaction_->verdict) transaction_->verdict = std::move(reply);
    carrier_.on_session_ready();
}

}  // namespace sealgate

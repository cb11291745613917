// SPDX-License-Identifier: GPL-3.0-or-later
// What each command does, once session.cc found it allowed.
#include <utility>

#include "core/limits.h"
#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/path.h"
#include "smtp/session.h"
#include "smtp/session_state.h"

namespace sealgate {

// False, and refused, when a command that stands alone came with something.
bool Session::takes_argument(std::string_view argument) {
    if (argument.empty()) return true;
    refuse_command({501, "5.5.4", "No argument is allowed here"});
    return false;
}

void Session::begin_session(std::string helo, bool extended) {
    // RFC 5321 §4.1.4: EHLO clears "exactly as if a RSET command had been issued".
    forget_transaction();
    info_.helo = std::move(helo);
    info_.extended = extended;
    enter(State::ready);
}

void Session::on_helo(std::string_view argument) {
    auto helo = parse_helo(argument);
    if (!helo) return refuse_command(helo.error());
    begin_session(*std::move(helo), false);
    respond(250, "", info_.config->gateway.hostname);
}

void Session::on_ehlo(std::string_view argument) {
    auto helo = parse_helo(argument);
    if (!helo) return refuse_command(helo.error());
    begin_session(*std::move(helo), true);
    fmt::format_to(std::back_inserter(output_),
                   "250-{}\r\n250-PIPELINING\r\n250-SIZE {}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                   "250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n250 DSN\r\n",
                   info_.config->gateway.hostname, info_.policy->message_bytes_max);
}

Checked<MailCommand> Session::check_mail(std::string_view argument) const {
    auto mail = parse_mail(argument);
    // RFC 1870 §6.1: refuse now what could not be taken later.
    if (mail && mail->size_bytes.value_or(0) > info_.policy->message_bytes_max) {
        return tl::unexpected(message_too_large);
    }
    return mail;
}

void Session::on_mail(std::string_view argument) {
    if (messages_ >= info_.policy->messages_per_connection_max) {
        return close_with(421, "4.7.0", "Too many messages in this connection");
    }
    auto mail = check_mail(argument);
    if (!mail) return refuse_command(mail.error());
    Reply why_not;
    if (!host_.accepting(why_not)) {
        respond(why_not);
        return log_refused(why_not.to_wire());
    }
    transaction_ = std::make_unique<Transaction>();
    Envelope& envelope = transaction_->envelope;
    envelope.sender = std::move(mail->sender);
    envelope.body = mail->body;
    envelope.smtputf8 = mail->smtputf8;
    envelope.return_ = mail->return_;
    envelope.envelope_id = std::move(mail->envelope_id);
    enter(State::mail);
    respond(250, "2.1.0", "Ok");
}

// Why this recipient is not taken; nothing: it is, and counts.
std::optional<Reply> Session::check_recipient(const Recipient& recipient) {
    if (transaction_->envelope.recipients.size() >= info_.policy->recipients_per_message_max) {
        return make_reply(452, "4.5.3", "Too many recipients");
    }
    const bool incoming = info_.listener->type == ListenerOptions::Type::public_ &&
                          info_.policy->action == MailFlowPolicyOptions::Action::accept;
    // RFC 5321 §4.5.1: "postmaster" without a domain is always taken; it means ours.
    const bool ours = address_domain(recipient.address).empty();
    if (incoming && recipient_access_ && !ours) {
        if (const Reply* refused = recipient_access_->refuses(recipient.address)) return *refused;
    }
    if (!carrier_.take_recipient()) {
        return make_reply(452, "4.7.1", "Too many recipients from you in this hour");
    }
    return std::nullopt;
}

void Session::on_rcpt(std::string_view argument) {
    auto recipient = parse_rcpt(argument, transaction_->envelope.smtputf8);
    if (!recipient) {
        Metrics::instance().add(Counter::recipients_refused);
        return refuse_command(recipient.error());
    }
    if (const std::optional<Reply> refused = check_recipient(*recipient)) {
        Metrics::instance().add(Counter::recipients_refused);
        log_refused(std::to_string(refused->code) + " " + refused->text());
        return respond(*refused);
    }
    if (address_domain(recipient->address).empty()) {
        recipient->address += "@" + info_.config->gateway.hostname;
    }
    Metrics::instance().add(Counter::recipients_accepted);
    transaction_->envelope.recipients.push_back(*std::move(recipient));
    enter(State::rcpt);
    respond(250, "2.1.5", "Ok");
}

void Session::on_data(std::string_view argument) {
    if (!takes_argument(argument)) return;
    begin_message();
    if (transaction_->verdict) {
        log_refused(transaction_->verdict->to_wire());
        return answer_message();
    }
    enter(State::data);
    respond(354, "", "End data with <CR><LF>.<CR><LF>");
}

// RFC 3030 §2: the octets follow whatever we answer, so they are read in every state.
void Session::on_bdat(std::string_view argument) {
    const auto bdat = parse_bdat(argument);
    if (!bdat) {
        // How many octets follow is unknown: they must not be taken for commands.
        refuse_command(bdat.error());
        return enter(State::closed);
    }
    if (state_ != State::rcpt && state_ != State::bdat) {
        after_chunk_ = state_ == State::mail ? State::ready : state_;
        const SmtpRefusal refused = out_of_sequence(Verb::bdat);
        transaction_ = std::make_unique<Transaction>();
        transaction_->chunk_refusal = refused;
    } else if (state_ == State::rcpt) {
        begin_message();
    }
    transaction_->bdat.begin_chunk(bdat->bytes, bdat->last);
    const std::uint64_t content_bytes_max = info_.policy->message_bytes_max;
    if (!transaction_->chunk_refusal &&
        bdat->bytes > content_bytes_max - transaction_->content_bytes) {
        refuse_message(message_too_large);
    }
    enter(State::chunk);
}

void Session::on_rset(std::string_view argument) {
    if (!takes_argument(argument)) return;
    forget_transaction();
    if (state_ != State::greeted) enter(State::ready);
    respond(250, "2.0.0", "Ok");
}

void Session::on_noop(std::string_view) { respond(250, "2.0.0", "Ok"); }

void Session::on_vrfy(std::string_view argument) {
    if (argument.empty()) return refuse_command({501, "5.5.4", "Syntax: VRFY address"});
    // RFC 5321 §3.5.3: 252 is the answer of a server that does not tell.
    respond(252, "2.1.5", "Cannot verify, but will take the message and try");
}

void Session::on_help(std::string_view) { respond(214, "2.0.0", "See RFC 5321"); }

void Session::on_quit(std::string_view argument) {
    if (!takes_argument(argument)) return;
    close_with(221, "2.0.0", "closing connection");
}

void Session::on_unimplemented(std::string_view) {
    refuse_command({502, "5.5.1", "Command not implemented"});
}

void Session::on_foreign(std::string_view) {
    refuse_command({500, "5.5.2", "This is an SMTP server"});
    enter(State::closed);
}

void Session::on_unknown(std::string_view) {
    refuse_command({500, "5.5.2", "Command not recognized"});
}

}  // namespace sealgate

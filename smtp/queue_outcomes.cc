// SPDX-License-Identifier: GPL-3.0-or-later
// What deliveries led to: delivered, put off, failed, expired; and who is told.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/bounce_schedule.h"
#include "smtp/queue_state.h"

namespace sealgate {
namespace {

constexpr const char* status_expired = "5.4.7";

DsnRecipient told_about(const Recipient& recipient, std::string status, std::string explanation,
                        const std::string& host = {}) {
    DsnRecipient told;
    told.address = recipient.address;
    told.original = recipient.original;
    told.status = std::move(status);
    told.explanation = std::move(explanation);
    if (!kept_reply_is_from_host(recipient.last_reply)) return told;
    told.reply = recipient.last_reply;
    told.remote_host = host;
    return told;
}

// What a setback of ours says for itself; a host's is put into our words, and quoted beside them.
std::string explanation_of(const Setback& setback, const std::string& status) {
    if (setback.from_host || setback.reply.lines.empty()) return words_for_status(status);
    return setback.reply.lines.front();
}

void append(Findings::Report& report, std::size_t rid, DsnRecipient recipient) {
    report.rids.push_back(rid);
    report.recipients.push_back(std::move(recipient));
}

}  // namespace

void DeliveryQueue::State::on_outcome(DestinationQueue& at, std::uint64_t dcid,
                                      std::unique_ptr<DeliveryTask> task,
                                      std::vector<RecipientOutcome> outcomes) {
    QueuedMessage& message = messages.at(task->mid);  // it stays while a task is out
    open(message);
    CHECK(message.out > 0);
    --message.out;
    message.attempted = true;
    message.changed = true;
    for (const DeliveryRecipient& recipient : task->recipients)
        message.phases[recipient.rid] = RecipientPhase::resting;
    Findings findings;
    for (const RecipientOutcome& outcome : outcomes) {
        const Setback setback{outcome.rid, dcid, outcome.reply, outcome.from_host, outcome.host};
        switch (outcome.kind) {
        case RecipientOutcome::Kind::delivered: on_delivered(message, outcome, findings); break;
        case RecipientOutcome::Kind::deferred:
            put_off(message, at.domain(), setback, findings);
            break;
        case RecipientOutcome::Kind::failed: fail(message, at.domain(), setback, findings); break;
        }
    }
    report(message, std::move(findings));
    settle(message);
}

void DeliveryQueue::State::on_delivered(QueuedMessage& message, const RecipientOutcome& outcome,
                                        Findings& findings) {
    Recipient& recipient = message.envelope->recipients.at(outcome.rid);
    recipient.state = RecipientState::delivered;
    recipient.last_reply = kept_reply(outcome.reply, outcome.from_host);
    Metrics::instance().add(Counter::recipients_delivered);
    // RFC 3461 §5.2.2: a host with DSN has taken the request over; another has not, and we are the
    // last who can tell. What a route discards went nowhere.
    if (!outcome.from_host || outcome.dsn_relayed || message.envelope->sender.empty() ||
        !wants_report(recipient.notify, DsnKind::relayed)) {
        return;
    }
    const bool enhanced = outcome.reply.enhanced.starts_with("2.");
    append(findings.relayed, outcome.rid,
           told_about(recipient, enhanced ? outcome.reply.enhanced : "2.0.0",
                      "handed over to the next mail system", outcome.host));
}

void DeliveryQueue::State::put_off(QueuedMessage& message, const std::string& domain,
                                   const Setback& setback, Findings& findings) {
    Envelope& envelope = *message.envelope;
    Recipient& recipient = envelope.recipients.at(setback.rid);
    recipient.last_reply = kept_reply(setback.reply, setback.from_host);
    const BounceProfileOptions& profile = bounce_profile_of(*config, domain);
    const std::uint32_t attempts = envelope.attempts + 1;
    if (given_up(profile, envelope.arrived, attempts, now()))
        return expire(message, domain, setback, findings);
    const std::string status = status_of(setback.reply, FailureClass::persistent_transient);
    context.log.info("Delayed: DCID {} MID {} to RID {} - {} - {} {}", setback.dcid, message.mid,
                     setback.rid, status, words_for_status(status),
                     reply_tuple(setback.reply, setback.from_host));
    Metrics::instance().add(Counter::recipients_deferred);
    std::int64_t next = next_attempt_at(profile, envelope.arrived, attempts, now());
    const auto line = destinations.find(domain);
    if (line != destinations.end() && line->second->down()) {
        next = std::min(std::max(next, line->second->down_until()),
                        expires_at(profile, envelope.arrived));
    }
    message.round_next = message.round_next == 0 ? next : std::min(message.round_next, next);
}

void DeliveryQueue::State::fail(QueuedMessage& message, const std::string& domain,
                                const Setback& setback, Findings& findings) {
    Recipient& recipient = message.envelope->recipients.at(setback.rid);
    recipient.state = RecipientState::bounced;
    recipient.last_reply = kept_reply(setback.reply, setback.from_host);
    message.changed = true;
    const std::string status = status_of(setback.reply, FailureClass::permanent);
    context.log.info("Bounced: DCID {} MID {} to RID {} - {} - {} {}", setback.dcid, message.mid,
                     setback.rid, status, words_for_status(status),
                     reply_tuple(setback.reply, setback.from_host));
    Metrics::instance().add(Counter::recipients_bounced);
    if (!told(message, recipient, domain, DsnKind::failed)) return;
    append(findings.failed, setback.rid,
           told_about(recipient, status, explanation_of(setback, status), setback.host));
}

void DeliveryQueue::State::expire(QueuedMessage& message, const std::string& domain,
                                  const Setback& setback, Findings& findings) {
    Recipient& recipient = message.envelope->recipients.at(setback.rid);
    recipient.state = RecipientState::bounced;
    message.changed = true;
    context.log.info("Bounced: DCID {} MID {} to RID {} - {} - {} {}", setback.dcid, message.mid,
                     setback.rid, status_expired, words_for_status(status_expired),
                     kept_reply_tuple(recipient.last_reply));
    Metrics::instance().add(Counter::recipients_bounced);
    if (!told(message, recipient, domain, DsnKind::expired)) return;
    const std::string last = status_of(setback.reply, FailureClass::persistent_transient);
    append(findings.expired, setback.rid,
           told_about(recipient, status_expired,
                      fmt::format("the time allowed for delivery is over; at the last attempt: {}",
                                  explanation_of(setback, last)),
                      setback.host));
}

// Whether a report about this recipient is to be made; says so in the log when it would be the
// bounce of a bounce.
bool DeliveryQueue::State::told(const QueuedMessage& message, const Recipient& recipient,
                                const std::string& domain, DsnKind kind) {
    const Envelope& envelope = *message.envelope;
    if (envelope.sender.empty()) {
        const auto rid = &recipient - envelope.recipients.data();
        context.log.info("MID {} RID {} bounce of a bounce: not sent", message.mid, rid);
        Metrics::instance().add(Counter::dsn_suppressed);
        return false;
    }
    if (bounce_profile_of(*config, domain).notify && wants_report(recipient.notify, kind))
        return true;
    Metrics::instance().add(Counter::dsn_suppressed);
    return false;
}

void DeliveryQueue::State::on_unreachable(DestinationQueue& at, std::uint64_t dcid, Reply reply) {
    const BounceProfileOptions& profile = bounce_profile_of(*config, at.domain());
    // For good: what waits fails, and what comes later is looked at anew.
    const std::int64_t seconds =
        reply.permanent() ? 1 : retry_delay_seconds(profile, at.failures() + 1);
    at.set_down(now() + seconds, dcid, std::move(reply));
}

void DeliveryQueue::State::on_handed_back(DestinationQueue& at, MessageId mid) {
    QueuedMessage& message = messages.at(mid);
    open(message);
    --message.places;
    message.attempted = true;
    message.changed = true;
    Findings findings;
    const Reply reply = at.down_reply();
    for (std::size_t rid = 0; rid < message.phases.size(); ++rid) {
        if (message.phases[rid] != RecipientPhase::waiting) continue;
        if (!goes_to(message.envelope->recipients[rid].address, context.hostname, at.domain()))
            continue;
        message.phases[rid] = RecipientPhase::resting;
        const Setback setback{rid, at.down_dcid(), reply, false, {}};
        if (reply.permanent()) {
            fail(message, at.domain(), setback, findings);
        } else {
            put_off(message, at.domain(), setback, findings);
        }
    }
    report(message, std::move(findings));
    settle(message);
}

void DeliveryQueue::State::report(QueuedMessage& message, Findings findings) {
    report(message, DsnKind::failed, std::move(findings.failed));
    report(message, DsnKind::expired, std::move(findings.expired));
    report(message, DsnKind::delayed, std::move(findings.delayed));
    report(message, DsnKind::relayed, std::move(findings.relayed));
}

void DeliveryQueue::State::report(QueuedMessage& message, DsnKind kind, Findings::Report found) {
    if (found.rids.empty()) return;
    const Envelope& envelope = *message.envelope;
    BounceJob job;
    job.mid = message.mid;
    job.report = report_about(envelope, kind);
    job.report.recipients = std::move(found.recipients);
    if (kind == DsnKind::delayed) {
        const std::string domain =
            destination_of(envelope.recipients[found.rids.front()].address, context.hostname);
        job.report.tried_until = expires_at(bounce_profile_of(*config, domain), envelope.arrived);
    }
    job.wanted = envelope.return_;
    job.in_memory = message.in_memory;
    if (message.in_memory) job.original = message.body;
    job.body_bytes = message.body_bytes;
    job.header_bytes = envelope.header_bytes;
    job.done = [weak = weak_from_this(), mid = message.mid, kind,
                rids = std::move(found.rids)](Result<void> result) {
        if (const auto state = weak.lock()) state->on_reported(mid, kind, rids, result);
    };
    ++message.reports;
    desk.submit(std::move(job));
}

void DeliveryQueue::State::on_reported(MessageId mid, DsnKind kind,
                                       const std::vector<std::size_t>& rids,
                                       const Result<void>& result) {
    QueuedMessage& message = messages.at(mid);  // it stays while a report is being made
    open(message);
    CHECK(message.reports > 0);
    --message.reports;
    const bool failure = kind == DsnKind::failed || kind == DsnKind::expired;
    if (!result && failure) {
        // Nobody was told, so it has not failed yet: the recipients get another attempt.
        for (const std::size_t rid : rids)
            message.envelope->recipients[rid].state = RecipientState::pending;
        const std::int64_t next = now() + 60;
        message.round_next = message.round_next == 0 ? next : std::min(message.round_next, next);
        message.attempted = true;
    }
    settle(message);
}

// 0 < delay-warning: when a recipient's sender is to be warned; else never.
std::int64_t DeliveryQueue::State::delay_warning_at(const Envelope& envelope,
                                                    const Recipient& recipient) const {
    constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    if (recipient.state != RecipientState::pending || recipient.delay_told) return never;
    if (envelope.sender.empty() || !wants_report(recipient.notify, DsnKind::delayed)) return never;
    const std::string domain = destination_of(recipient.address, context.hostname);
    const BounceProfileOptions& profile = bounce_profile_of(*config, domain);
    if (!profile.notify || profile.delay_warning_ms == 0) return never;
    return envelope.arrived + whole_seconds(profile.delay_warning_ms);
}

void DeliveryQueue::State::warn_of_delay(QueuedMessage& message, Findings& findings) {
    Envelope& envelope = *message.envelope;
    for (std::size_t rid = 0; rid < envelope.recipients.size(); ++rid) {
        Recipient& recipient = envelope.recipients[rid];
        if (now() < delay_warning_at(envelope, recipient)) continue;
        recipient.delay_told = true;
        message.changed = true;
        append(findings.delayed, rid, told_about(recipient, "4.4.7", "it is still being tried"));
    }
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What operators ask of the queue, and bounces that the gateway itself decides on.
#include <algorithm>

#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/queue_state.h"

namespace sealgate {
namespace {

bool has_pending_at(const Envelope& envelope, const std::string& hostname,
                    const std::string& domain) {
    return std::any_of(envelope.recipients.begin(), envelope.recipients.end(),
                       [&](const Recipient& recipient) {
                           return recipient.state == RecipientState::pending &&
                                  goes_to(recipient.address, hostname, domain);
                       });
}

// What an operator types, in the form of destinations.
std::string domain_of_operator(const std::string& domain) {
    const std::string name = destination_of("x@" + domain, "");
    return name.empty() ? domain : name;
}

Envelope envelope_of(const QueuedMessage& message) {
    if (message.envelope) return *message.envelope;
    auto envelope = decode_envelope(message.stored);
    CHECK(envelope);
    return *std::move(envelope);
}

}  // namespace

const char* to_text(QueueState state) {
    switch (state) {
    case QueueState::active: return "active";
    case QueueState::ready: return "ready";
    case QueueState::deferred: return "deferred";
    }
    return "";
}

std::optional<QueueState> parse_queue_state(std::string_view text) {
    for (const QueueState state : {QueueState::active, QueueState::ready, QueueState::deferred}) {
        if (text == to_text(state)) return state;
    }
    return std::nullopt;
}

QueueRow DeliveryQueue::State::row_of(const QueuedMessage& message,
                                      const Envelope& envelope) const {
    QueueRow row;
    row.mid = message.mid;
    row.state = message.state();
    row.sender = envelope.sender;
    row.body_bytes = message.body_bytes;
    row.arrived = envelope.arrived;
    row.age_seconds = std::max<std::int64_t>(0, now() - envelope.arrived);
    row.attempts = envelope.attempts;
    row.next_attempt = row.state == QueueState::deferred ? envelope.next_attempt : 0;
    row.subject = envelope.subject;
    for (const Recipient& recipient : envelope.recipients) {
        if (recipient.state != RecipientState::pending) continue;
        row.recipients.push_back(recipient.address);
        if (row.last_error.empty()) row.last_error = recipient.last_reply;
    }
    return row;
}

QueueList DeliveryQueue::list(const QueueFilter& filter) const {
    QueueList list;
    const std::string domain = filter.domain.empty() ? "" : domain_of_operator(filter.domain);
    for (const auto& [mid, message] : state_->messages) {
        if (filter.state && message.state() != *filter.state) continue;
        const bool wanted = list.rows.size() < filter.rows_max;
        if (!wanted && domain.empty()) {  // counted only: its envelope is of no interest
            ++list.matching;
            continue;
        }
        const Envelope envelope = envelope_of(message);
        if (!domain.empty() && !has_pending_at(envelope, state_->context.hostname, domain))
            continue;
        ++list.matching;
        if (wanted) list.rows.push_back(state_->row_of(message, envelope));
    }
    return list;
}

std::optional<QueuedMessageView> DeliveryQueue::show(MessageId mid) const {
    const auto found = state_->messages.find(mid);
    if (found == state_->messages.end()) return std::nullopt;
    Envelope envelope = envelope_of(found->second);
    QueueRow row = state_->row_of(found->second, envelope);
    return QueuedMessageView{std::move(row), std::move(envelope)};
}

bool DeliveryQueue::State::retry_now(QueuedMessage& message) {
    if (!message.sleeping) return false;
    const Envelope envelope = envelope_of(message);
    for (const Recipient& recipient : envelope.recipients) {
        if (recipient.state != RecipientState::pending) continue;
        const auto line = destinations.find(destination_of(recipient.address, context.hostname));
        if (line != destinations.end()) line->second->set_up();
    }
    schedule.erase({message.wake_at, message.mid});
    message.sleeping = false;
    begin_round(message);
    return true;
}

std::size_t DeliveryQueue::retry(MessageId mid) {
    const auto found = state_->messages.find(mid);
    return found != state_->messages.end() && state_->retry_now(found->second) ? 1 : 0;
}

std::size_t DeliveryQueue::retry_domain(const std::string& domain) {
    const std::string name = domain_of_operator(domain);
    std::vector<MessageId> mids;
    for (const auto& [mid, message] : state_->messages) {
        if (message.sleeping &&
            has_pending_at(envelope_of(message), state_->context.hostname, name))
            mids.push_back(mid);
    }
    std::size_t count = 0;
    for (const MessageId mid : mids) count += retry(mid);
    return count;
}

std::size_t DeliveryQueue::retry_all() {
    std::vector<MessageId> mids;
    for (const auto& [wake_at, mid] : state_->schedule) mids.push_back(mid);
    std::size_t count = 0;
    for (const MessageId mid : mids) count += retry(mid);
    return count;
}

QueueRemoval DeliveryQueue::remove(MessageId mid) {
    const auto found = state_->messages.find(mid);
    if (found == state_->messages.end()) return QueueRemoval::not_found;
    QueuedMessage& message = found->second;
    if (message.state() == QueueState::active) return QueueRemoval::active;
    if (message.places > 0) state_->leave_lines(message);
    // At once: an operator who deletes a message and kills the gateway must not see it again.
    state_->finish(message, "aborted", [](const Result<void>&) {});
    return QueueRemoval::removed;
}

QueueStatistics DeliveryQueue::statistics() const {
    QueueStatistics statistics;
    statistics.messages = state_->messages.size();
    statistics.unreadable = state_->unreadable;
    statistics.deferred = state_->schedule.size();
    for (const auto& [mid, message] : state_->messages) {
        if (message.sleeping) continue;
        if (message.state() == QueueState::active) ++statistics.active;
    }
    statistics.ready = statistics.messages - statistics.deferred - statistics.active;
    statistics.destinations = state_->destinations.size();
    for (const auto& [domain, line] : state_->destinations) {
        statistics.connections += line->connections();
        if (line->down()) ++statistics.destinations_down;
    }
    statistics.reports = state_->desk.jobs();
    return statistics;
}

void DeliveryQueue::bounce(MessageId original, const Envelope& envelope, std::string header_block,
                           std::vector<BouncedRecipient> recipients,
                           std::function<void(Result<void>)> done) {
    State& state = *state_;
    BounceJob job;
    job.mid = original;
    job.report = report_about(envelope, DsnKind::failed);
    job.wanted = Envelope::Return::headers;  // its body never came this far
    job.in_memory = true;
    job.original.append(Chunk::copy_of(header_block));
    bool suppressed_by_null = false;
    for (BouncedRecipient& bounced : recipients) {
        const Recipient& recipient = envelope.recipients.at(bounced.rid);
        state.context.log.info(
            "Bounced: DCID 0 MID {} to RID {} - {} - {} ('000', ['{}'])", original, bounced.rid,
            bounced.enhanced, words_for_status(bounced.enhanced),
            printable(bounced.reason.empty() ? bounced.text
                                             : bounced.reason + ": " + bounced.text));
        Metrics::instance().add(Counter::recipients_bounced);
        suppressed_by_null = envelope.sender.empty();
        const std::string domain = destination_of(recipient.address, state.context.hostname);
        if (suppressed_by_null || !wants_report(recipient.notify, DsnKind::failed) ||
            !bounce_profile_of(*state.config, domain).notify) {
            Metrics::instance().add(Counter::dsn_suppressed);
            continue;
        }
        DsnRecipient& told = job.report.recipients.emplace_back();
        told.address = recipient.address;
        told.original = recipient.original;
        told.status = std::move(bounced.enhanced);
        told.explanation = std::move(bounced.text);
        told.reason = std::move(bounced.reason);
    }
    if (suppressed_by_null) state.context.log.info("MID {} bounce of a bounce: not sent", original);
    if (job.report.recipients.empty()) {
        if (done) state.context.loop.defer([done = std::move(done)] { done({}); });
        return;
    }
    job.done = std::move(done);
    state.desk.submit(std::move(job));
}

}  // namespace sealgate

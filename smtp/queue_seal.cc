// SPDX-License-Identifier: GPL-3.0-or-later
// Messages whose S/MIME is still to be done: instead of going to a destination they go to the
// sealer, and what it could not do yet is put off like a delivery (RFC 5321 §4.5.4).
#include "core/loop.h"
#include "core/mail_log.h"
#include "smtp/queue_state.h"

namespace sealgate {

void DeliveryQueue::State::begin_sealing(QueuedMessage& message) {
    const Envelope& envelope = *message.envelope;
    message.phases.assign(envelope.recipients.size(), RecipientPhase::resting);
    SealTask task;
    task.mid = message.mid;
    task.envelope = envelope;
    for (std::size_t rid = 0; rid < envelope.recipients.size(); ++rid) {
        if (envelope.recipients[rid].state != RecipientState::pending) continue;
        message.phases[rid] = RecipientPhase::out;
        task.recipients.push_back(rid);
    }
    task.in_memory = message.in_memory;
    if (message.in_memory) task.body = message.body;
    ++message.out;
    auto done = [weak = weak_from_this(), mid = message.mid](const SealOutcome& outcome) {
        if (const auto state = weak.lock()) state->on_sealed(mid, outcome);
    };
    if (context.seal) return context.seal(std::move(task), std::move(done));
    context.loop.defer([done = std::move(done)] { done({{}, "S/MIME cannot be done here"}); });
}

void DeliveryQueue::State::on_sealed(MessageId mid, const SealOutcome& outcome) {
    QueuedMessage& message = messages.at(mid);  // it stays while its S/MIME is done
    open(message);
    CHECK(message.out > 0);
    --message.out;
    message.attempted = true;
    message.changed = true;
    std::vector<Recipient>& recipients = message.envelope->recipients;
    for (const std::size_t rid : outcome.moved) recipients.at(rid).state = RecipientState::moved;
    Findings findings;
    const Reply reply = make_reply(451, "4.7.5", "S/MIME must wait: " + outcome.waits);
    for (std::size_t rid = 0; rid < recipients.size(); ++rid) {
        if (message.phases[rid] != RecipientPhase::out) continue;
        message.phases[rid] = RecipientPhase::resting;
        if (recipients[rid].state != RecipientState::pending) continue;
        const std::string domain = destination_of(recipients[rid].address, context.hostname);
        put_off(message, domain, {.rid = rid, .reply = reply}, findings);
    }
    report(message, std::move(findings));
    settle(message);
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Messages and their destinations: lines to stand in, tasks, connections.
#include <algorithm>

#include "core/loop.h"
#include "smtp/listener_limits.h"
#include "smtp/queue_state.h"

namespace sealgate {

DestinationQueue& DeliveryQueue::State::destination(const std::string& domain) {
    auto& queue = destinations[domain];
    if (!queue) {
        queue =
            std::make_unique<DestinationQueue>(*this, domain, destination_options(*config, domain));
        if (draining) queue->drain();
    }
    return *queue;
}

// Puts the message into the line of every destination that it is still to reach.
void DeliveryQueue::State::enter_lines(QueuedMessage& message, Findings& findings) {
    Envelope& envelope = *message.envelope;
    message.phases.assign(envelope.recipients.size(), RecipientPhase::resting);
    std::vector<DestinationQueue*> lines;
    for (std::size_t rid = 0; rid < envelope.recipients.size(); ++rid) {
        const Recipient& recipient = envelope.recipients[rid];
        if (recipient.state != RecipientState::pending) continue;
        const std::string domain = destination_of(recipient.address, context.hostname);
        if (domain.empty()) {
            const Reply reply = make_reply(550, "5.1.2", "not a domain that mail can be sent to");
            message.attempted = true;
            fail(message, domain, {.rid = rid, .reply = reply}, findings);
            continue;
        }
        message.phases[rid] = RecipientPhase::waiting;
        DestinationQueue& line = destination(domain);
        if (std::find(lines.begin(), lines.end(), &line) == lines.end()) lines.push_back(&line);
    }
    message.places = static_cast<std::uint32_t>(lines.size());
    for (DestinationQueue* line : lines) line->add(message.mid);
}

// The message is about to be gone: gives its places back.
void DeliveryQueue::State::leave_lines(QueuedMessage& message) {
    open(message);
    std::set<std::string> domains;
    for (std::size_t rid = 0; rid < message.phases.size(); ++rid) {
        if (message.phases[rid] == RecipientPhase::waiting)
            domains.insert(
                destination_of(message.envelope->recipients[rid].address, context.hostname));
    }
    for (const std::string& domain : domains) destination(domain).forget_one();
    message.places = 0;
}

DestinationQueue::Taken DeliveryQueue::State::take_task(DestinationQueue& at, MessageId mid,
                                                        std::size_t recipients_max) {
    DestinationQueue::Taken taken;
    const auto found = messages.find(mid);
    if (found == messages.end()) return taken;
    QueuedMessage& message = found->second;
    open(message);
    const Envelope& envelope = *message.envelope;
    auto task = std::make_unique<DeliveryTask>();
    for (std::size_t rid = 0; rid < envelope.recipients.size(); ++rid) {
        if (message.phases[rid] != RecipientPhase::waiting) continue;
        const Recipient& recipient = envelope.recipients[rid];
        if (!goes_to(recipient.address, context.hostname, at.domain())) continue;
        if (task->recipients.size() == recipients_max) {
            taken.more = true;
            break;
        }
        message.phases[rid] = RecipientPhase::out;
        task->recipients.push_back({rid, recipient.address, recipient.original, recipient.notify});
    }
    CHECK(!task->recipients.empty());
    task->mid = mid;
    task->sender = envelope.sender;
    task->envelope_id = envelope.envelope_id;
    task->return_ = envelope.return_;
    task->smtputf8 = envelope.smtputf8;
    task->body = envelope.body;
    task->signed_by_gateway = envelope.signed_by_gateway;
    task->has_long_lines = envelope.has_long_lines;
    task->body_bytes = message.body_bytes;
    task->in_memory = message.in_memory;
    if (message.in_memory) task->bytes = message.body;
    ++message.out;
    if (!taken.more) --message.places;
    taken.task = std::move(task);
    return taken;
}

void DeliveryQueue::State::pump_later(DestinationQueue& at) {
    to_pump.insert(&at);
    if (pump_asked || !started) return;
    pump_asked = true;
    context.loop.defer([weak = weak_from_this()] {
        if (const auto state = weak.lock()) state->pump_all();
    });
}

void DeliveryQueue::State::pump_at(DestinationQueue& at, std::int64_t wall_seconds) {
    pump_times.emplace(wall_seconds, at.domain());
    arm_timer();
}

void DeliveryQueue::State::pump_all() {
    pump_asked = false;
    const std::set<DestinationQueue*> now_pumped = std::exchange(to_pump, {});
    for (DestinationQueue* queue : now_pumped) queue->pump();
    for (DestinationQueue* queue : now_pumped) {
        if (!queue->forgettable()) continue;
        to_pump.erase(queue);
        destinations.erase(std::string(queue->domain()));
    }
    look_whether_drained();
}

// Those that were down are remembered for a while; this is when they are not any more.
void DeliveryQueue::State::forget_destinations() {
    for (auto place = destinations.begin(); place != destinations.end();) {
        DestinationQueue* queue = place->second.get();
        if (queue->forgettable() && to_pump.count(queue) == 0) {
            place = destinations.erase(place);
        } else {
            ++place;
        }
    }
}

std::unique_ptr<DeliveryLink> DeliveryQueue::State::make_link(DeliveryLink::Owner& owner,
                                                              const std::string& domain) {
    return link_factory(owner, config, domain);
}

bool DeliveryQueue::State::take_connection() { return context.connections.take(); }

void DeliveryQueue::State::give_connection() { context.connections.give_back(); }

std::int64_t DeliveryQueue::State::now() const {
    return context.clock ? context.clock() : context.loop.wall_seconds();
}

}  // namespace sealgate

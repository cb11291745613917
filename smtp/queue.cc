// SPDX-License-Identifier: GPL-3.0-or-later
// Messages come, wake, settle and end.
#include "smtp/queue.h"

#include <algorithm>

#include "core/chunk.h"
#include "core/loop.h"
#include "core/mail_log.h"
#include "smtp/bounce_schedule.h"
#include "smtp/queue_state.h"

namespace sealgate {
namespace {

// Above so many messages, envelopes are kept encoded while they wait in line.
constexpr std::size_t open_envelopes_max = 1000;
// Of what is due at the same time, so many begin in one round of the loop.
constexpr std::size_t due_per_round_max = 200;
// The wall clock may be set while we sleep.
constexpr std::uint64_t timer_ms_max = 30'000;
constexpr std::int64_t forget_every_seconds = 600;

// Bodies are kept while there is plenty of room; then deliveries read the store.
bool memory_to_spare() {
    const BlockPool& pool = BlockPool::instance();
    return pool.in_use_bytes() <= pool.budget_bytes() / 2;
}

bool has_pending(const Envelope& envelope) {
    return std::any_of(
        envelope.recipients.begin(), envelope.recipients.end(),
        [](const Recipient& recipient) { return recipient.state == RecipientState::pending; });
}

DeliveryLinkFactory default_links(const DeliveryQueue::Context& context, RouteTable& routes) {
    if (context.make_link) return context.make_link;
    return courier_links(Courier::Context{.loop = context.loop,
                                          .log = context.log,
                                          .resolver = context.resolver,
                                          .spool = context.spool,
                                          .routes = routes,
                                          .hostname = context.hostname,
                                          .own_endpoints = context.own_endpoints});
}

}  // namespace

DeliveryQueue::State::State(Context with, std::shared_ptr<const Config> config_now)
    : context(std::move(with)),
      config(std::move(config_now)),
      routes(config),
      link_factory(default_links(context, routes)),
      desk({.loop = context.loop,
            .log = context.log,
            .spool = context.spool,
            .hostname = context.hostname,
            .clock = [this] { return now(); },
            .to_queue = [this](StoredMessage stored) { add(std::move(stored)); }}),
      timer(context.loop, [this] { check_due(); }) {}

void DeliveryQueue::State::add(StoredMessage stored) {
    auto envelope = decode_envelope(stored.envelope);
    if (!envelope) {
        ++unreadable;
        context.log.error("MID {} has an envelope that cannot be read: {}; it stays in the store",
                          stored.mid, envelope.error().what);
        return;
    }
    const auto [place, is_new] = messages.try_emplace(stored.mid);
    CHECK(is_new);
    QueuedMessage& message = place->second;
    message.mid = stored.mid;
    message.body_bytes = stored.body_bytes;
    message.envelope = std::make_unique<Envelope>(*std::move(envelope));
    if (stored.in_memory && memory_to_spare()) {
        message.in_memory = true;
        message.body = std::move(stored.body);
    }
    begin_round(message);
}

void DeliveryQueue::State::recover(Spool::Recovered recovered) {
    const auto envelope = decode_envelope(recovered.envelope);
    if (!envelope) {
        ++unreadable;
        context.log.error("MID {} has an envelope that cannot be read: {}; it stays in the store",
                          recovered.mid, envelope.error().what);
        return;
    }
    const auto [place, is_new] = messages.try_emplace(recovered.mid);
    CHECK(is_new);
    QueuedMessage& message = place->second;
    message.mid = recovered.mid;
    message.body_bytes = recovered.body_bytes;
    message.stored = std::move(recovered.envelope);
    if (!has_pending(*envelope)) return finish(message, "done");  // only the removal was lost
    message.sleeping = true;
    message.wake_at = envelope->next_attempt;
    for (const Recipient& recipient : envelope->recipients)
        message.wake_at = std::min(message.wake_at, delay_warning_at(*envelope, recipient));
    schedule.emplace(message.wake_at, message.mid);
}

void DeliveryQueue::State::open(QueuedMessage& message) {
    if (message.envelope) return;
    auto envelope = decode_envelope(message.stored);
    CHECK(envelope);  // it was read before
    message.envelope = std::make_unique<Envelope>(*std::move(envelope));
    message.stored = {};
}

void DeliveryQueue::State::close(QueuedMessage& message) {
    if (!message.envelope) return;
    message.stored = encode_envelope(*message.envelope);
    message.stored.shrink_to_fit();
    message.envelope.reset();
}

// One attempt at everything that is pending.
void DeliveryQueue::State::begin_round(QueuedMessage& message) {
    open(message);
    message.round_next = 0;
    if (!message.envelope->deferred_profile.empty()) return begin_sealing(message);
    Findings findings;
    enter_lines(message, findings);
    report(message, std::move(findings));
    if (message.in_round() && messages.size() > open_envelopes_max) return close(message);
    settle(message);
}

// Where every message comes when something about it has changed. It may be gone afterwards.
void DeliveryQueue::State::settle(QueuedMessage& message) {
    if (message.reports > 0) return;  // nothing is stored as told before it is
    if (!message.in_round()) return end_round(message);
    if (message.changed) persist(message);
}

void DeliveryQueue::State::end_round(QueuedMessage& message) {
    open(message);
    Envelope& envelope = *message.envelope;
    if (!has_pending(envelope)) return finish(message, "done");
    if (message.attempted) {
        message.attempted = false;
        message.changed = true;
        ++envelope.attempts;
        envelope.next_attempt = message.round_next > 0 ? message.round_next : now();
    }
    message.phases = {};
    Findings findings;
    warn_of_delay(message, findings);
    report(message, std::move(findings));
    if (message.reports == 0) sleep(message);
}

void DeliveryQueue::State::sleep(QueuedMessage& message) {
    const Envelope& envelope = *message.envelope;
    message.wake_at = envelope.next_attempt;
    for (const Recipient& recipient : envelope.recipients)
        message.wake_at = std::min(message.wake_at, delay_warning_at(envelope, recipient));
    message.body.clear();
    message.in_memory = false;
    if (message.changed) persist(message);
    close(message);
    message.sleeping = true;
    schedule.emplace(message.wake_at, message.mid);
    arm_timer();
}

void DeliveryQueue::State::wake(QueuedMessage& message) {
    schedule.erase({message.wake_at, message.mid});
    message.sleeping = false;
    open(message);
    if (now() >= message.envelope->next_attempt) return begin_round(message);
    end_round(message);  // only a warning is due
}

void DeliveryQueue::State::finish(QueuedMessage& message, const char* how,
                                  std::function<void(Result<void>)> removed) {
    context.log.info("Message finished MID {} {}", message.mid, how);
    if (message.sleeping) schedule.erase({message.wake_at, message.mid});
    context.spool.remove(message.mid, std::move(removed));
    messages.erase(message.mid);
    look_whether_drained();
}

// One update at a time is on its way to the store; what changes meanwhile goes with the next one.
void DeliveryQueue::State::persist(QueuedMessage& message) {
    if (message.updating) return;
    open(message);
    message.changed = false;
    message.updating = true;
    context.spool.update(message.mid, encode_envelope(*message.envelope),
                         [weak = weak_from_this(), mid = message.mid](Result<void> result) {
                             if (const auto state = weak.lock()) state->on_updated(mid, result);
                         });
}

void DeliveryQueue::State::on_updated(MessageId mid, const Result<void>& result) {
    const auto found = messages.find(mid);
    if (found == messages.end()) return;
    QueuedMessage& message = found->second;
    message.updating = false;
    if (!result) {
        // The store is behind: a crash now would repeat deliveries, which is allowed; the next
        // change brings it up to date.
        context.log.warning("MID {} its state could not be stored: {}", mid, result.error().what);
        message.changed = true;
        return;
    }
    if (!message.changed || message.reports > 0) return;
    persist(message);
    if (message.sleeping) close(message);
}

void DeliveryQueue::State::check_due() {
    if (!started || draining) return;
    const std::int64_t time = now();
    for (std::size_t i = 0; i < due_per_round_max; ++i) {
        if (schedule.empty() || schedule.begin()->first > time) break;
        wake(messages.at(schedule.begin()->second));
    }
    while (!pump_times.empty() && pump_times.begin()->first <= time) {
        const auto found = destinations.find(pump_times.begin()->second);
        pump_times.erase(pump_times.begin());
        if (found != destinations.end()) pump_later(*found->second);
    }
    if (time >= forgotten_at + forget_every_seconds) {
        forgotten_at = time;
        forget_destinations();
    }
    arm_timer();
}

void DeliveryQueue::State::arm_timer() {
    if (!started || draining) return;
    std::int64_t first = now() + forget_every_seconds;
    if (!schedule.empty()) first = std::min(first, schedule.begin()->first);
    if (!pump_times.empty()) first = std::min(first, pump_times.begin()->first);
    const auto wait_ms =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, first - now())) * 1000;
    timer.start(std::min(wait_ms, timer_ms_max));
}

void DeliveryQueue::State::set_config(std::shared_ptr<const Config> config_now) {
    config = std::move(config_now);
    routes.replace(config);
    for (auto& [domain, queue] : destinations) {
        queue->set_options(destination_options(*config, domain));
        queue->set_up();  // the new routes may lead elsewhere
        queue->finish_connections();
        pump_later(*queue);
    }
}

void DeliveryQueue::State::drain(std::function<void()> when_drained) {
    draining = true;
    drained = std::move(when_drained);
    timer.stop();
    for (auto& [domain, queue] : destinations) queue->drain();
    context.loop.defer([weak = weak_from_this()] {
        if (const auto state = weak.lock()) state->look_whether_drained();
    });
}

void DeliveryQueue::State::look_whether_drained() {
    if (!draining || !drained || desk.jobs() > 0) return;
    for (const auto& [domain, queue] : destinations) {
        if (queue->connections() > 0) return;
    }
    context.loop.defer(std::exchange(drained, nullptr));
}

DeliveryQueue::DeliveryQueue(Context context, std::shared_ptr<const Config> config)
    : state_(std::make_shared<State>(std::move(context), std::move(config))) {}

DeliveryQueue::~DeliveryQueue() = default;

void DeliveryQueue::add(StoredMessage message) { state_->add(std::move(message)); }

void DeliveryQueue::recover(Spool::Recovered message) { state_->recover(std::move(message)); }

void DeliveryQueue::start() {
    state_->started = true;
    for (auto& [domain, queue] : state_->destinations) state_->pump_later(*queue);
    state_->arm_timer();
}

void DeliveryQueue::set_config(std::shared_ptr<const Config> config) {
    state_->set_config(std::move(config));
}

void DeliveryQueue::drain(std::function<void()> drained) { state_->drain(std::move(drained)); }

void DeliveryQueue::check_due() { state_->check_due(); }

}  // namespace sealgate

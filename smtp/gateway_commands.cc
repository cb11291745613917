// SPDX-License-Identifier: GPL-3.0-or-later
// What the control socket may ask of the gateway: status, reload, alerts, the queue; and the keys
// (smtp/gateway_key_commands.h).
#include <nlohmann/json.hpp>

#include "core/metrics.h"
#include "smtp/alert_report.h"
#include "smtp/gateway.h"
#include "smtp/gateway_key_commands.h"

namespace sealgate {
namespace {

using nlohmann::json;

json refusal(const std::string& what) { return {{"ok", false}, {"error", what}}; }

std::string text_of(const json& request, const char* name) {
    const auto member = request.find(name);
    return member != request.end() && member->is_string() ? member->get<std::string>() : "";
}

std::uint64_t number_of(const json& request, const char* name, std::uint64_t otherwise) {
    const auto member = request.find(name);
    return member != request.end() && member->is_number_unsigned() ? member->get<std::uint64_t>()
                                                                   : otherwise;
}

bool flag_of(const json& request, const char* name) {
    const auto member = request.find(name);
    return member != request.end() && member->is_boolean() && member->get<bool>();
}

json quantiles_of(const LoopStalls& rounds) {
    return {{"rounds", rounds.rounds()},
            {"p50", rounds.quantile_us(0.5)},
            {"p99", rounds.quantile_us(0.99)},
            {"p99.9", rounds.quantile_us(0.999)},
            {"max", rounds.max_us()}};
}

json to_json(const QueueRow& row) {
    json recipients = json::array();
    for (const std::string& address : row.recipients) recipients.push_back({{"address", address}});
    return {{"mid", row.mid},
            {"state", to_text(row.state)},
            {"sender", row.sender},
            {"recipients", std::move(recipients)},
            {"bytes", row.body_bytes},
            {"arrived", row.arrived},
            {"age", row.age_seconds},
            {"attempts", row.attempts},
            {"next_attempt", row.next_attempt},
            {"last_error", row.last_error},
            {"subject", row.subject}};
}

const char* to_text(RecipientState state) {
    switch (state) {
    case RecipientState::pending: return "pending";
    case RecipientState::delivered: return "delivered";
    case RecipientState::bounced: return "bounced";
    case RecipientState::moved: return "moved";
    }
    return "";
}

json to_json(const QueuedMessageView& view) {
    json message = to_json(view.row);
    message["message_id"] = view.envelope.message_id;
    message["envelope_id"] = view.envelope.envelope_id;
    message["signed"] = view.envelope.signed_by_gateway;
    message["recipients"] = json::array();
    for (const Recipient& recipient : view.envelope.recipients)
        message["recipients"].push_back({{"address", recipient.address},
                                         {"state", to_text(recipient.state)},
                                         {"last_reply", recipient.last_reply}});
    return message;
}

}  // namespace

class GatewayCommands {
public:
    explicit GatewayCommands(Gateway& gateway) : g_(gateway) {}

    json status() const {
        const QueueStatistics queue = g_.queue_->statistics();
        const Spool::Statistics spool = g_.spool_->statistics();
        std::size_t sessions = 0;
        for (const auto& listener : g_.listeners_) sessions += listener->session_count();
        json answer = {{"ok", true},
                       {"version", SEALGATE_VERSION},
                       {"hostname", g_.state_->config->gateway.hostname},
                       {"uptime_seconds", g_.loop_.wall_seconds() - g_.started_},
                       {"sessions", sessions},
                       {"connections", g_.connections_->count()},
                       {"message_memory_bytes", BlockPool::instance().in_use_bytes()},
                       {"message_memory_peak_bytes", BlockPool::instance().peak_bytes()},
                       {"crypto_jobs_outstanding", g_.workers_->outstanding()},
                       {"spool_healthy", g_.spool_->healthy()},
                       {"spool_trouble", g_.spool_->trouble()},
                       {"spool_commits", spool.commits},
                       {"spool_messages_committed", spool.messages},
                       {"spool_sync_microseconds", spool.sync_microseconds}};
        answer["queue"] = {{"messages", queue.messages},
                           {"active", queue.active},
                           {"ready", queue.ready},
                           {"deferred", queue.deferred},
                           {"unreadable", queue.unreadable},
                           {"destinations", queue.destinations},
                           {"destinations_down", queue.destinations_down},
                           {"delivery_connections", queue.connections}};
        answer["loop_stall_us"] = quantiles_of(g_.loop_.stalls());
        answer["loop_cpu_us"] = quantiles_of(g_.loop_.work());
        const KeyRing::Statistics keys = g_.keys_->statistics();
        answer["keys"] = {{"manual", keys.manual},
                          {"harvested", keys.harvested},
                          {"harvested_bytes", keys.harvested_bytes},
                          {"capacity_bytes", keys.capacity_bytes},
                          {"evictions", keys.evictions},
                          {"full", keys.full},
                          {"unstored", keys.unstored}};
        answer["gauges"] = {{"sealgate_key_repository_bytes", keys.harvested_bytes},
                            {"sealgate_key_repository_capacity_bytes", keys.capacity_bytes},
                            {"sealgate_key_repository_keys", keys.harvested},
                            {"sealgate_key_repository_evictions_total", keys.evictions}};
        for (const auto& listener : g_.listeners_)
            for (const Endpoint& at : listener->addresses())
                answer["listeners"][listener->name()].push_back(at.to_text());
        const Metrics& metrics = Metrics::instance();
        for (int i = 0; i < counter_count; ++i) {
            const auto counter = static_cast<Counter>(i);
            answer["counters"][to_name(counter)] = metrics.value(counter);
        }
        for (int kind = 0; kind < smime_operation_count; ++kind) {
            const auto operation = static_cast<SmimeOperation>(kind);
            for (int i = 0; i < reason_count; ++i) {
                const auto reason = static_cast<Reason>(i);
                if (const std::uint64_t count = metrics.smime_value(operation, reason))
                    answer["smime"][to_word(operation)][to_word(reason)] = count;
            }
        }
        return answer;
    }

    json alerts() const {
        json answer = {{"ok", true}, {"alerts", json::array()}};
        for (const Alert& alert : g_.alerts_->shown()) answer["alerts"].push_back(to_json(alert));
        return answer;
    }

    json list(const json& request) const {
        QueueFilter filter;
        filter.domain = text_of(request, "domain");
        filter.rows_max = number_of(request, "most", filter.rows_max);
        const std::string state = text_of(request, "state");
        if (!state.empty()) {
            filter.state = parse_queue_state(state);
            if (!filter.state) return refusal("no such state: active, ready or deferred");
        }
        const QueueList listed = g_.queue_->list(filter);
        json answer = {{"ok", true}, {"messages", json::array()}};
        for (const QueueRow& row : listed.rows) answer["messages"].push_back(to_json(row));
        answer["more"] = listed.matching - listed.rows.size();
        return answer;
    }

    json show(const json& request) const {
        const auto view = g_.queue_->show(number_of(request, "mid", 0));
        if (!view) return refusal("no such message in the queue");
        return {{"ok", true}, {"message", to_json(*view)}};
    }

    json retry(const json& request) {
        if (const std::uint64_t mid = number_of(request, "mid", 0); mid != 0) {
            if (!g_.queue_->show(mid)) return refusal("no such message in the queue");
            return {{"ok", true}, {"count", g_.queue_->retry(mid)}};
        }
        const std::string domain = text_of(request, "domain");
        if (!domain.empty()) return {{"ok", true}, {"count", g_.queue_->retry_domain(domain)}};
        if (flag_of(request, "all")) return {{"ok", true}, {"count", g_.queue_->retry_all()}};
        return refusal("wants a MID, a domain or all");
    }

    json remove(const json& request) {
        if (const std::uint64_t mid = number_of(request, "mid", 0); mid != 0) return remove(mid);
        QueueFilter filter;
        filter.domain = text_of(request, "domain");
        filter.rows_max = SIZE_MAX;
        if (filter.domain.empty() && !flag_of(request, "all"))
            return refusal("wants a MID, a domain or all");
        std::uint64_t removed = 0, active = 0;
        for (const QueueRow& row : g_.queue_->list(filter).rows) {
            const QueueRemoval removal = g_.queue_->remove(row.mid);
            removed += removal == QueueRemoval::removed;
            active += removal == QueueRemoval::active;
        }
        return {{"ok", true}, {"count", removed}, {"active", active}};
    }

    void reload(const ControlServer::Answer& answer) { g_.reload(answer); }

private:
    json remove(std::uint64_t mid) {
        switch (g_.queue_->remove(mid)) {
        case QueueRemoval::removed: return {{"ok", true}, {"count", 1}};
        case QueueRemoval::not_found: return refusal("no such message in the queue");
        case QueueRemoval::active: return refusal("a delivery of it is under way");
        }
        return refusal("");
    }

    Gateway& g_;
};

void add_control_commands(Gateway& gateway) {
    auto commands = std::make_shared<GatewayCommands>(gateway);
    ControlServer& control = *gateway.control_;
    using Answer = ControlServer::Answer;
    control.on("status",
               [commands](const json&, const Answer& answer) { answer(commands->status()); });
    control.on("reload",
               [commands](const json&, const Answer& answer) { commands->reload(answer); });
    control.on("alerts",
               [commands](const json&, const Answer& answer) { answer(commands->alerts()); });
    control.on("queue.list", [commands](const json& request, const Answer& answer) {
        answer(commands->list(request));
    });
    control.on("queue.show", [commands](const json& request, const Answer& answer) {
        answer(commands->show(request));
    });
    control.on("queue.retry", [commands](const json& request, const Answer& answer) {
        answer(commands->retry(request));
    });
    control.on("queue.delete", [commands](const json& request, const Answer& answer) {
        answer(commands->remove(request));
    });
    add_key_commands(control, *gateway.keys_, *gateway.workers_);
}

}  // namespace sealgate

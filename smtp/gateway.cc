// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/gateway.h"

#include <fmt/format.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "core/metrics.h"
#include "core/options.h"
#include "crypto/rsa_engine.h"
#include "crypto/wolf.h"
#include "smtp/gateway_explain_command.h"
#include "smtp/intake.h"
#include "smtp/privileges.h"

namespace sealgate {
namespace {

// How often a shutdown looks whether the last answers were given.
constexpr std::uint64_t shutdown_look_ms = 20;

// A command of `sealgate key` that began before us may have the keys open.
constexpr std::uint64_t keys_patience_ms = 30'000;

std::vector<Endpoint> endpoints_of(const std::vector<std::unique_ptr<Listener>>& listeners) {
    std::vector<Endpoint> endpoints;
    for (const auto& listener : listeners)
        for (const Endpoint& at : listener->addresses()) endpoints.push_back(at);
    return endpoints;
}

}  // namespace

Gateway::Gateway(GatewayStatePtr state, StateLoader load) : load_(std::move(load)) {
    put_in_force(std::move(state));
}

Gateway::~Gateway() {
    // Sessions first: their messages are aborted while the store is still there to forget them.
    control_.reset();
    listeners_.clear();
    alert_watch_.reset();
    alert_webhook_.reset();
    alert_mail_.reset();
    sealer_.reset();
    queue_.reset();
    parts_.reset();
    directories_.reset();
    fetcher_.reset();
    workers_.reset();
    harvester_.reset();
    keys_.reset();
    spool_.reset();
    resolver_.reset();
    alerts_.reset();
    log_.reset();
}

Result<std::unique_ptr<Gateway>> Gateway::open(GatewayStatePtr state, StateLoader load,
                                               std::string* why) {
    std::unique_ptr<Gateway> gateway(new Gateway(std::move(state), std::move(load)));
    Gateway& g = *gateway;
    const Config& config = *g.state_->config;

    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    BlockPool::instance().set_budget_bytes(config.gateway.memory_bytes_max);
    TRY(prepare_data_dir(config, why));
    g.log_ = TRY(MailLog::open(config.log, &g.loop_, why));
    g.resolver_ = TRY(open_resolver(g.loop_, config.dns, why));
    TRY(g.open_ports(why));
    TRY(become_user(config.gateway, why));

    // Threads begin here, with the user that stays.
    TRY(init_wolfssl());
    choose_rsa_engine(config.gateway.rsa_engine);
    g.workers_ = std::make_unique<WorkerPool>(g.loop_, config.gateway.crypto_threads);
    g.alerts_ = std::make_unique<Alerts>(g.loop_, *g.log_);
    TRY(g.open_keys(why));
    TRY(g.open_store(why));
    g.open_alerts();
    TRY(g.open_control(why));
    g.watch_signals();
    g.started_ = g.loop_.wall_seconds();
    return gateway;
}

Result<void> Gateway::open_ports(std::string* why) {
    connections_ = std::make_unique<ConnectionBudget>(state_->config->gateway.connections_max);
    const Listener::House house{loop_, *log_, *this, *resolver_, *connections_, recipient_rate_};
    const auto config = config_for_sessions();
    for (const ListenerOptions& options : config->listeners)
        listeners_.push_back(TRY(Listener::open(house, config, options, why)));
    return {};
}

Result<void> Gateway::open_keys(std::string* why) {
    const Config& config = *state_->config;
    KeyRing::Options options;
    options.directory = config.gateway.data_dir + "/keys";
    options.capacity_bytes = config.key_repository.capacity_bytes;
    options.persist = config.key_repository.persist;
    options.patience_ms = keys_patience_ms;
    keys_ = TRY(KeyRing::open(&loop_, std::move(options), why));
    harvester_ = std::make_unique<Harvester>(*keys_, *alerts_, *log_,
                                             [this] { return loop_.wall_seconds(); });
    fetcher_ = std::make_unique<Fetcher>(loop_);
    directories_ = std::make_unique<KeyDirectories>(loop_, *workers_, *resolver_, *fetcher_);
    directories_->put_in_force(state_->directories, judge_by(state_->trust_smime));
    known_keys_ = std::make_unique<KeyRingKeys>(*keys_);
    return {};
}

Result<void> Gateway::open_store(std::string* why) {
    spool_ = TRY(Spool::open(loop_, state_->config->gateway.data_dir, why));
    DeliveryQueue::Context context{loop_,
                                   *log_,
                                   *spool_,
                                   *resolver_,
                                   *connections_,
                                   state_->config->gateway.hostname,
                                   endpoints_of(listeners_)};
    context.seal = [this](SealTask task, Sealer::Done done) {
        sealer_->start(std::move(task), std::move(done));
    };
    queue_ = std::make_unique<DeliveryQueue>(std::move(context), state_->config);
    const KeySources keys{*keys_, directories_.get()};
    parts_ =
        std::make_unique<HouseParts>(HouseParts{loop_, *log_, *spool_, *workers_, *queue_, keys});
    parts_->incoming.known_keys = known_keys_.get();
    parts_->incoming.harvester = harvester_.get();
    parts_->incoming.revocation =
        Revocation::make(loop_, fetcher_.get(), *workers_, state_->config->trust_smime,
                         state_->crl_files_smime);
    sealer_ = std::make_unique<Sealer>(*parts_, [this] { return state_; });
    TRY(spool_->recover([this](Spool::Recovered message) { queue_->recover(std::move(message)); }));
    queue_->start();
    return {};
}

void Gateway::open_alerts() {
    alert_mail_ = std::make_unique<AlertMail>(AlertMail::Context{
        loop_, *log_, *spool_, [this](StoredMessage message) { queue_->add(std::move(message)); }});
    alert_webhook_ = std::make_unique<AlertWebhook>(AlertWebhook::Context{loop_, *log_, *fetcher_});
    alerts_->add_sink([this](const Alert& alert) {
        alert_mail_->send(alert);
        alert_webhook_->send(alert);
    });
    put_alerts_in_force();
    alert_watch_ = std::make_unique<AlertWatch>(
        AlertWatch::Context{loop_, *alerts_, [this] { return spool_->trouble(); },
                            [this] { return state_; }, [this] { return loop_.wall_seconds(); }});
    alert_watch_->start();
}

Result<void> Gateway::open_control(std::string* why) {
    control_ = TRY(ControlServer::listen(loop_, state_->config->gateway.control_socket, why));
    add_control_commands(*this);
    add_explain_command(*control_, loop_, {*keys_, directories_.get()}, [this] { return state_; });
    return {};
}

void Gateway::watch_signals() {
    loop_.on_signal(SIGHUP, [this] { reload([](const auto&) {}); });
    loop_.on_signal(SIGTERM, [this] { begin_shutdown(); });
    loop_.on_signal(SIGINT, [this] { begin_shutdown(); });
}

void Gateway::run() {
    log_->info("Version sealgate {} ready: {} listeners, RSA-2048 by {}", SEALGATE_VERSION,
               listeners_.size(), rsa_engine_for(2048));
    log_->flush();
    loop_.run();
    log_->info("Stopped");
}

bool Gateway::accepting(Reply& why_not) {
    if (spool_->healthy()) return true;
    why_not = make_reply(452, "4.3.1", "Insufficient system storage");
    return false;
}

std::unique_ptr<MessageIntake> Gateway::begin_message(Envelope envelope, const SessionInfo& session,
                                                      MessageIntakeEvents& events) {
    return std::make_unique<Intake>(*parts_, state_of(session.config), std::move(envelope), session,
                                    events);
}

// A session holds its Config; this one keeps the whole state it belongs to alive.
std::shared_ptr<const Config> Gateway::config_for_sessions() const {
    return {state_, state_->config.get()};
}

GatewayStatePtr Gateway::state_of(const std::shared_ptr<const Config>& config) {
    const auto known = states_.find(config.get());
    CHECK(known != states_.end());
    GatewayStatePtr state = known->second.lock();
    CHECK(state);  // `config` shares its ownership
    return state;
}

void Gateway::put_in_force(GatewayStatePtr state) {
    state_ = std::move(state);
    std::erase_if(states_, [](const auto& entry) { return entry.second.expired(); });
    states_[state_->config.get()] = state_;
}

void Gateway::put_alerts_in_force() {
    const AlertOptions& options = state_->config->alerts;
    alerts_->put_in_force(options, state_->config->gateway.hostname);
    alert_mail_->put_in_force(options);
    alert_webhook_->put_in_force(options);
}

// Files, certificates and regular expressions are read on a worker: the loop goes on.
void Gateway::reload(ControlServer::Answer answer) {
    if (reload_under_way_) {
        answer({{"ok", false}, {"error", "a reload is under way"}});
        return;
    }
    reload_under_way_ = true;
    reloading_ = workers_->submit([load = load_] { return load(); },
                                  [this, answer = std::move(answer)](CheckedState checked) {
                                      reload_under_way_ = false;
                                      apply(checked, answer);
                                  });
}

void Gateway::apply(const CheckedState& checked, const ControlServer::Answer& answer) {
    nlohmann::json reply = {{"ok", checked.state != nullptr},
                            {"warnings", nlohmann::json::array()},
                            {"needs_restart", nlohmann::json::array()}};
    for (const Complaint& warning : checked.warnings)
        reply["warnings"].push_back(warning.to_text());
    if (!checked.state) {
        Metrics::instance().add(Counter::config_rejected);
        reply["error"] = "the configuration has errors: nothing was changed";
        for (const Complaint& complaint : checked.complaints) {
            log_->error("Configuration not applied: {}", complaint.to_text());
            reply["complaints"].push_back(complaint.to_text());
        }
        tell_of_rejected(checked.complaints);
        answer(reply);
        return;
    }
    for (const std::string& change :
         changes_that_need_restart(*state_->config, *checked.state->config)) {
        log_->warning("Configuration: needs a restart: {}", change);
        reply["needs_restart"].push_back(change);
    }
    put_in_force(checked.state);
    const auto config = config_for_sessions();
    BlockPool::instance().set_budget_bytes(config->gateway.memory_bytes_max);
    connections_->set_max(config->gateway.connections_max);
    for (auto& listener : listeners_) listener->apply(config);
    keys_->set_capacity(config->key_repository.capacity_bytes);
    directories_->put_in_force(state_->directories, judge_by(state_->trust_smime));
    parts_->incoming.revocation =
        parts_->incoming.revocation->renewed(config->trust_smime, state_->crl_files_smime);
    queue_->set_config(state_->config);
    put_alerts_in_force();
    alert_watch_->look_at_certificates();
    log_->reopen();  // logrotate sends SIGHUP, too
    Metrics::instance().add(Counter::config_reloads);
    log_->info("Configuration applied");
    answer(reply);
}

void Gateway::tell_of_rejected(const Complaints& complaints) {
    const std::size_t count = complaints.size();
    const std::string first = complaints.empty() ? "" : complaints.front().to_text();
    alerts_->raise(
        AlertName::config_rejected, "configuration", Alerts::Severity::warning,
        fmt::format("a changed configuration was not applied, the old one stays in "
                    "force; {}: {}",
                    count == 1 ? "its error" : fmt::format("the first of {} errors", count),
                    first));
}

void Gateway::begin_shutdown() {
    if (shutdown_timer_) {  // asked twice: at once
        loop_.stop();
        return;
    }
    log_->info("Stopping: waiting for messages under way");
    for (auto& listener : listeners_) listener->drain();
    queue_->drain([this] { deliveries_ended_ = true; });
    shutdown_by_ms_ = loop_.now_ms() + state_->config->gateway.shutdown_grace_ms;
    shutdown_timer_ = std::make_unique<Timer>(loop_, [this] { stop_when_stored(); });
    shutdown_timer_->start(0, shutdown_look_ms);
}

void Gateway::stop_when_stored() {
    std::size_t storing = 0;
    for (const auto& listener : listeners_) storing += listener->storing_count();
    if ((storing == 0 && deliveries_ended_) || loop_.now_ms() >= shutdown_by_ms_) loop_.stop();
}

}  // namespace sealgate

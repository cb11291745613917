// SPDX-License-Identifier: GPL-3.0-or-later
// The gateway: everything put together, in the order it starts and stops.
//
// open() reads like a table of contents: ports, user, log, engines, store, queue, control socket.
// It is the SessionHost of all sessions: it numbers them, says whether mail may come in, and makes
// an Intake of each message. A reload replaces the GatewayState as a whole; sessions and messages
// under way keep theirs. Everything here is on the loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/alerts.h"
#include "core/fetch.h"
#include "core/loop.h"
#include "core/mail_log.h"
#include "core/spool.h"
#include "core/timer.h"
#include "core/workers.h"
#include "crypto/key_ring.h"
#include "crypto/known_keys.h"
#include "crypto/revocation.h"
#include "dns/resolver.h"
#include "smtp/alert_mail.h"
#include "smtp/alert_watch.h"
#include "smtp/alert_webhook.h"
#include "smtp/control.h"
#include "smtp/gateway_state.h"
#include "smtp/harvest.h"
#include "smtp/key_directories.h"
#include "smtp/listener.h"
#include "smtp/outlet.h"
#include "smtp/queue.h"
#include "smtp/sealer.h"
#include "smtp/session_host.h"

namespace sealgate {

// Where a configuration comes from: read at start and again at each reload. Blocks.
using StateLoader = std::function<CheckedState()>;

class Gateway final : public SessionHost {
public:
    // `why` says what could not be opened. `load` is called again at each reload, on a worker.
    static Result<std::unique_ptr<Gateway>> open(GatewayStatePtr state, StateLoader load,
                                                 std::string* why);
    ~Gateway() override;

    // Until SIGTERM or SIGINT, and then as long as shutdown-grace.
    void run();

    std::uint64_t next_icid() override { return ++last_icid_; }
    bool accepting(Reply& why_not) override;
    std::unique_ptr<MessageIntake> begin_message(Envelope envelope, const SessionInfo& session,
                                                 MessageIntakeEvents& events) override;

private:
    explicit Gateway(GatewayStatePtr state, StateLoader load);

    Result<void> open_ports(std::string* why);
    Result<void> open_keys(std::string* why);
    Result<void> open_store(std::string* why);
    void open_alerts();
    Result<void> open_control(std::string* why);
    void watch_signals();

    void reload(ControlServer::Answer answer);
    void apply(const CheckedState& checked, const ControlServer::Answer& answer);
    void put_in_force(GatewayStatePtr state);
    void put_alerts_in_force();
    void tell_of_rejected(const Complaints& complaints);
    std::shared_ptr<const Config> config_for_sessions() const;
    GatewayStatePtr state_of(const std::shared_ptr<const Config>& config);
    void begin_shutdown();
    void stop_when_stored();

    Loop loop_;
    GatewayStatePtr state_;
    StateLoader load_;
    // States that sessions may still live by, found by their Config.
    std::map<const Config*, std::weak_ptr<const GatewayState>> states_;
    std::uint64_t last_icid_ = 0;
    std::int64_t started_ = 0;

    std::unique_ptr<MailLog> log_;
    std::unique_ptr<Alerts> alerts_;
    std::unique_ptr<WorkerPool> workers_;
    std::unique_ptr<Resolver> resolver_;
    std::unique_ptr<Fetcher> fetcher_;
    std::unique_ptr<KeyRing> keys_;
    std::unique_ptr<Harvester> harvester_;
    std::unique_ptr<KeyDirectories> directories_;
    std::unique_ptr<KnownKeys> known_keys_;
    std::unique_ptr<Spool> spool_;
    std::unique_ptr<ConnectionBudget> connections_;
    RecipientRate recipient_rate_;
    std::unique_ptr<DeliveryQueue> queue_;
    std::unique_ptr<HouseParts> parts_;
    std::unique_ptr<Sealer> sealer_;
    std::unique_ptr<AlertMail> alert_mail_;
    std::unique_ptr<AlertWebhook> alert_webhook_;
    std::unique_ptr<AlertWatch> alert_watch_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::unique_ptr<ControlServer> control_;
    WorkerPool::Ticket reloading_;
    bool reload_under_way_ = false;
    std::unique_ptr<Timer> shutdown_timer_;
    std::uint64_t shutdown_by_ms_ = 0;
    bool deliveries_ended_ = false;

    friend class GatewayCommands;  // smtp/gateway_commands.cc: what the control socket may ask
    friend void add_control_commands(Gateway& gateway);
};

// Registers status, reload, alerts, queue.* and key.* at the gateway's control socket.
void add_control_commands(Gateway& gateway);

}  // namespace sealgate

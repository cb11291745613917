// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/listener.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/limits.h"
#include "core/loop.h"
#include "core/mail_log.h"
#include "core/socket.h"
#include "core/timer.h"
#include "dns/resolver.h"
#include "smtp/host_access.h"
#include "smtp/recipient_access.h"
#include "smtp/session.h"

namespace sealgate {
namespace {

// A configuration, ready to be asked; a connection keeps the one it came in by.
struct Rules {
    std::shared_ptr<const Config> config;
    const ListenerOptions* options = nullptr;  // inside `config`
    HostAccess host_access;
    std::shared_ptr<const RecipientAccess> recipient_access;

    Rules(std::shared_ptr<const Config> c, const ListenerOptions& o)
        : config(std::move(c)),
          options(&o),
          host_access(*config, o),
          recipient_access(std::make_shared<RecipientAccess>(config->recipient_access)) {}
};

}  // namespace

struct Listener::Core : std::enable_shared_from_this<Core> {
    House house;
    std::string name;
    std::shared_ptr<const Rules> rules;
    std::vector<std::unique_ptr<Acceptor>> acceptors;
    HostConnections host_connections;  // before the connections, which count themselves out
    std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections;  // by ICID
    bool draining = false;

    explicit Core(const House& h) : house(h) {}
    void on_accepted(std::unique_ptr<Socket> socket);
};

// One client: a socket, a timer, and its session once it is known who the client is.
class Listener::Connection final : private Socket::Handler, private Session::Carrier {
public:
    Connection(Core& core, std::uint64_t icid, std::unique_ptr<Socket> socket);
    ~Connection();

    // Both may end with the destruction of this connection.
    void begin();
    void resume();

    void drain();
    bool storing() const { return session_ && session_->storing(); }

private:
    void on_bytes(Chunk chunk) override;
    void on_end() override { close(); }
    void on_broken(std::string what) override;
    void on_drain() override;
    void on_session_ready() override;
    bool take_recipient() override;

    void open_session(std::string confirmed_host);
    std::optional<SmtpRefusal> check_room();
    void settle(Flow flow);
    void watch_patience();
    void on_timer();
    void close();

    Core& core_;
    std::shared_ptr<const Rules> rules_;
    std::unique_ptr<Socket> socket_;
    Endpoint peer_;
    Endpoint local_;
    std::uint64_t icid_;
    Timer timer_;
    std::uint64_t timer_due_ms_ = 0;
    std::uint64_t deadline_ms_ = 0;  // 0: the client is not waited for
    std::uint32_t progress_ = 0;
    bool in_budget_ = false;      // counted in the gateway's connections
    bool in_host_count_ = false;  // counted in its host's
    bool resume_posted_ = false;
    DnsTicket name_lookup_;
    const MailFlowPolicyOptions* policy_ = nullptr;
    std::unique_ptr<Session> session_;
};

Listener::Connection::Connection(Core& core, std::uint64_t icid, std::unique_ptr<Socket> socket)
    : core_(core),
      rules_(core.rules),
      socket_(std::move(socket)),
      peer_(socket_->peer()),
      local_(socket_->local()),
      icid_(icid),
      timer_(core.house.loop, [this] { on_timer(); }),
      in_budget_(core.house.connections.take()) {
    socket_->set_handler(this);
}

Listener::Connection::~Connection() {
    session_.reset();
    if (in_budget_) core_.house.connections.give_back();
    if (in_host_count_) core_.host_connections.give_back(peer_.ip);
}

void Listener::Connection::begin() {
    if (!in_budget_ || !rules_->host_access.depends_on_name(peer_.ip)) return open_session({});
    // Reads meanwhile, to hear those who do not wait for the greeting.
    socket_->resume();
    name_lookup_ = core_.house.resolver.confirm_host(
        peer_.ip, [this](std::string name) { open_session(std::move(name)); });
}

std::optional<SmtpRefusal> Listener::Connection::check_room() {
    if (!in_budget_) return SmtpRefusal{421, "4.3.2", "Too many connections, try again later"};
    in_host_count_ = core_.host_connections.take(peer_.ip, policy_->connections_per_host_max);
    if (!in_host_count_) return SmtpRefusal{421, "4.7.0", "Too many connections from you"};
    return std::nullopt;
}

void Listener::Connection::open_session(std::string confirmed_host) {
    const HostAccess::Match match = rules_->host_access.find(peer_.ip, confirmed_host);
    policy_ = match.policy;
    SessionContext context;
    context.info.config = rules_->config;
    context.info.listener = rules_->options;
    context.info.policy = policy_;
    context.info.icid = icid_;
    context.info.peer = peer_;
    context.info.local = local_;
    context.info.confirmed_host = std::move(confirmed_host);
    context.info.sender_group = match.group;
    context.matched_pattern = match.pattern;
    context.recipient_access = rules_->recipient_access;
    context.refusal = check_room();
    session_ = std::make_unique<Session>(std::move(context), core_.house.host, core_.house.log,
                                         static_cast<Session::Carrier&>(*this));
    session_->start();
    if (core_.draining) session_->drain();
    settle(Flow::open);
}

void Listener::Connection::on_bytes(Chunk chunk) {
    if (session_) return settle(session_->receive(std::move(chunk)));
    name_lookup_.cancel();
    SessionContext context;
    context.info.config = rules_->config;
    context.info.listener = rules_->options;
    context.info.icid = icid_;
    context.info.peer = peer_;
    session_ = std::make_unique<Session>(std::move(context), core_.house.host, core_.house.log,
                                         static_cast<Session::Carrier&>(*this));
    session_->refuse_early_talker();
    settle(Flow::open);
}

// After everything the session did: its replies out, and more bytes in or not.
void Listener::Connection::settle(Flow flow) {
    if (session_->has_output()) socket_->send(session_->take_output());
    if (session_->wants_close()) return close();
    if (flow == Flow::full || socket_->unsent_bytes() > limits::pending_reply_bytes_max) {
        socket_->pause();
    } else {
        socket_->resume();
    }
    watch_patience();
}

void Listener::Connection::on_drain() {
    if (session_) settle(session_->resume());
}

void Listener::Connection::on_broken(std::string what) {
    core_.house.log.info("ICID {} connection lost: {}", icid_, what);
    core_.connections.erase(icid_);
}

void Listener::Connection::on_session_ready() {
    if (std::exchange(resume_posted_, true)) return;
    core_.house.loop.defer([core = core_.weak_from_this(), icid = icid_] {
        const std::shared_ptr<Core> alive = core.lock();
        if (!alive) return;
        const auto found = alive->connections.find(icid);
        if (found != alive->connections.end()) found->second->resume();
    });
}

void Listener::Connection::resume() {
    resume_posted_ = false;
    settle(session_->resume());
}

bool Listener::Connection::take_recipient() {
    return core_.house.recipient_rate.take(peer_.ip, policy_->recipients_per_hour_max,
                                           core_.house.loop.now_ms());
}

void Listener::Connection::drain() {
    if (!session_) return;  // told when it begins
    session_->drain();
    on_session_ready();  // what it has to say goes out with the next round
}

// The timer is not restarted by every read: it runs to where it was set, then looks again.
void Listener::Connection::watch_patience() {
    const std::uint64_t patience_ms = session_->patience_ms();
    const bool moved = session_->progress() != std::exchange(progress_, session_->progress());
    if (patience_ms == 0) {
        deadline_ms_ = 0;
        return;
    }
    if (!moved && deadline_ms_ != 0) return;
    const std::uint64_t now_ms = core_.house.loop.now_ms();
    deadline_ms_ = now_ms + patience_ms;
    if (timer_.running() && timer_due_ms_ <= deadline_ms_) return;
    timer_due_ms_ = deadline_ms_;
    timer_.start(patience_ms);
}

void Listener::Connection::on_timer() {
    if (deadline_ms_ == 0) return;  // started again when the client is waited for again
    const std::uint64_t now_ms = core_.house.loop.now_ms();
    if (now_ms < deadline_ms_) {
        timer_due_ms_ = deadline_ms_;
        timer_.start(deadline_ms_ - now_ms);
        return;
    }
    session_->on_timeout();
    settle(Flow::open);
}

// The end of this object.
void Listener::Connection::close() {
    Socket::close_after_sending(std::move(socket_));
    core_.connections.erase(icid_);
}

void Listener::Core::on_accepted(std::unique_ptr<Socket> socket) {
    if (socket->peer().ip.family() == IpAddress::Family::none) return;  // it has gone already
    const std::uint64_t icid = house.host.next_icid();
    auto connection = std::make_unique<Connection>(*this, icid, std::move(socket));
    connections.emplace(icid, std::move(connection)).first->second->begin();
}

Result<std::unique_ptr<Listener>> Listener::open(const House& house,
                                                 std::shared_ptr<const Config> config,
                                                 const ListenerOptions& options, std::string* why) {
    auto core = std::make_shared<Core>(house);
    core->name = options.name;
    core->rules = std::make_shared<Rules>(std::move(config), options);
    for (const Endpoint& address : options.addresses) {
        std::string reason;
        auto acceptor = Acceptor::listen(
            house.loop, address,
            [state = core.get()](std::unique_ptr<Socket> socket) {
                state->on_accepted(std::move(socket));
            },
            &reason);
        if (!acceptor) {
            if (why) *why = address.to_text() + ": " + reason;
            return tl::unexpected(acceptor.error());
        }
        core->acceptors.push_back(*std::move(acceptor));
    }
    return std::unique_ptr<Listener>(new Listener(std::move(core)));
}

Listener::Listener(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Listener::~Listener() {
    core_->acceptors.clear();
    core_->connections.clear();
}

void Listener::apply(std::shared_ptr<const Config> config) {
    const auto options =
        std::find_if(config->listeners.begin(), config->listeners.end(),
                     [this](const ListenerOptions& known) { return known.name == core_->name; });
    if (options == config->listeners.end()) return;
    core_->rules = std::make_shared<Rules>(config, *options);
}

void Listener::drain() {
    core_->draining = true;
    core_->acceptors.clear();
    for (auto& [icid, connection] : core_->connections) connection->drain();
}

const std::string& Listener::name() const { return core_->name; }

std::vector<Endpoint> Listener::addresses() const {
    std::vector<Endpoint> bound;
    for (const auto& acceptor : core_->acceptors) bound.push_back(acceptor->local());
    return bound;
}

std::size_t Listener::session_count() const { return core_->connections.size(); }

std::size_t Listener::storing_count() const {
    return static_cast<std::size_t>(
        std::count_if(core_->connections.begin(), core_->connections.end(),
                      [](const auto& row) { return row.second->storing(); }));
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/control.h"

#include <nlohmann/json.hpp>

#include "core/loop.h"
#include "core/socket.h"

namespace sealgate {
namespace {

using nlohmann::json;

// A request is a command and a few words; what is longer is not one.
constexpr std::size_t request_bytes_max = 1 << 20;

json refusal(const char* what) { return {{"ok", false}, {"error", what}}; }

}  // namespace

class ControlServer::Connection final : public Socket::Handler,
                                        public std::enable_shared_from_this<Connection> {
public:
    Connection(ControlServer& server, std::unique_ptr<Socket> socket)
        : server_(server), socket_(std::move(socket)) {
        socket_->set_handler(this);
        socket_->resume();
    }

    void answer(const json& value) {
        std::string line = value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
        socket_->send(Chunk::copy_of(line));
    }

    void on_bytes(Chunk chunk) override {
        pending_.append(chunk.text());
        for (std::size_t end; (end = pending_.find('\n')) != std::string::npos;) {
            const std::string line = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            server_.handle(line, weak_from_this());
        }
        if (pending_.size() > request_bytes_max) server_.forget(this);
    }
    void on_end() override { server_.forget(this); }
    void on_broken(std::string) override { server_.forget(this); }
    void on_drain() override {}

private:
    ControlServer& server_;
    std::unique_ptr<Socket> socket_;
    std::string pending_;
};

ControlServer::ControlServer(Loop& loop) : loop_(loop) {}
ControlServer::~ControlServer() = default;

Result<std::unique_ptr<ControlServer>> ControlServer::listen(Loop& loop, const std::string& path,
                                                             std::string* why) {
    std::unique_ptr<ControlServer> server(new ControlServer(loop));
    server->acceptor_ = TRY(Acceptor::listen_unix(
        loop, path,
        [raw = server.get()](std::unique_ptr<Socket> socket) { raw->accept(std::move(socket)); },
        why));
    return server;
}

void ControlServer::on(const std::string& name, Command command) {
    commands_[name] = std::move(command);
}

void ControlServer::accept(std::unique_ptr<Socket> socket) {
    auto connection = std::make_shared<Connection>(*this, std::move(socket));
    connections_.emplace(connection.get(), std::move(connection));
}

void ControlServer::handle(const std::string& line, std::weak_ptr<Connection> asker) {
    const Answer answer = [asker](const json& value) {
        if (const auto connection = asker.lock()) connection->answer(value);
    };
    const json request = json::parse(line, nullptr, false);
    if (!request.is_object() || !request.contains("command") || !request["command"].is_string()) {
        answer(refusal("not a JSON object with a command"));
        return;
    }
    const auto command = commands_.find(request["command"].get<std::string>());
    if (command == commands_.end()) {
        answer(refusal("unknown command"));
        return;
    }
    command->second(request, answer);
}

void ControlServer::forget(Connection* connection) {
    // It is on the stack above us: let it go when the loop comes round.
    const auto entry = connections_.find(connection);
    if (entry == connections_.end()) return;
    loop_.defer([gone = std::move(entry->second)] {});
    connections_.erase(entry);
}

}  // namespace sealgate

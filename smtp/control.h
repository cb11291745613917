// SPDX-License-Identifier: GPL-3.0-or-later
// The control socket: one JSON request a line in, one JSON answer a line out. What the command line
// speaks to a running gateway; never reachable but by the file's owner (mode 0600).
//
// Requests name a command: {"command": "queue.retry", "mid": 6}. Answers: {"ok": true, …} or
// {"ok": false, "error": "…"}. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/result.h"

namespace sealgate {

class Acceptor;
class Loop;
class Socket;

class ControlServer {
public:
    using Answer = std::function<void(const nlohmann::json&)>;
    // Calls `answer` once, now or later; the asker may be gone by then.
    using Command = std::function<void(const nlohmann::json& request, Answer answer)>;

    static Result<std::unique_ptr<ControlServer>> listen(Loop& loop, const std::string& path,
                                                         std::string* why);
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    void on(const std::string& name, Command command);

private:
    class Connection;
    explicit ControlServer(Loop& loop);
    void accept(std::unique_ptr<Socket> socket);
    void handle(const std::string& line, std::weak_ptr<Connection> asker);
    void forget(Connection* connection);

    Loop& loop_;
    std::unique_ptr<Acceptor> acceptor_;
    std::map<std::string, Command> commands_;
    std::map<Connection*, std::shared_ptr<Connection>> connections_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// A peer for tests that is a program of its own: it prints its port, then serves until it is ended.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sealgate {

class ScriptServer {
public:
    // Runs tests/SCRIPT with python3. Null when it does not print a port within ten seconds.
    static std::unique_ptr<ScriptServer> start(const std::string& script,
                                               std::vector<std::string> arguments);
    ~ScriptServer();
    ScriptServer(const ScriptServer&) = delete;
    ScriptServer& operator=(const ScriptServer&) = delete;

    std::uint16_t port() const { return port_; }

private:
    ScriptServer() = default;
    pid_t process_ = -1;
    int output_ = -1;
    std::uint16_t port_ = 0;
};

}  // namespace sealgate

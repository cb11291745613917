// SPDX-License-Identifier: GPL-3.0-or-later
// A real DNS server for tests: nsd on a free loopback port, with zones given as text.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace sealgate {

class NsdServer {
public:
    // Zone name -> zone file text ("" : the zone is announced without data, so nsd says SERVFAIL).
    // Null when nsd is not installed or does not come up.
    static std::unique_ptr<NsdServer> start(const std::map<std::string, std::string>& zones);
    ~NsdServer();
    NsdServer(const NsdServer&) = delete;
    NsdServer& operator=(const NsdServer&) = delete;

    std::string address() const { return "127.0.0.1@" + std::to_string(port_); }

private:
    NsdServer() = default;
    pid_t process_ = -1;
    std::uint16_t port_ = 0;
    std::string directory_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// A real LDAP server for tests: OpenLDAP's slapd on a free loopback port, with entries given as
// LDIF below "dc=example". "cn=gate,dc=example" with password "secret" may read everything; others
// whatever is not below "ou=closed,dc=example".
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

namespace sealgate {

class SlapdServer {
public:
    // Null when slapd is not installed or does not come up. With `certificate` and `key` (PEM
    // files) it speaks LDAPS only.
    static std::unique_ptr<SlapdServer> start(const std::string& ldif,
                                              const std::string& certificate = "",
                                              const std::string& key = "");
    ~SlapdServer();
    SlapdServer(const SlapdServer&) = delete;
    SlapdServer& operator=(const SlapdServer&) = delete;

    std::uint16_t port() const { return port_; }

private:
    SlapdServer() = default;
    bool spawn(bool tls);
    pid_t process_ = -1;
    std::uint16_t port_ = 0;
    std::string folder_;
};

}  // namespace sealgate

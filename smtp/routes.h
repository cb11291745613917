// SPDX-License-Identifier: GPL-3.0-or-later
// [smtp-routes]: where mail for a domain goes.
//
// The most specific row wins: the domain itself, then the longest `.parent`, then ALL. No row means
// MX, and so does USEDNS. There is no way back from a row to MX: when its hosts are down, the mail
// waits. Hosts of equal priority take turns, so a table has state; one table serves the process,
// and a reload puts the new configuration into it. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/config.h"

namespace sealgate {

struct Route {
    enum class Kind : std::uint8_t { mx, hosts, discard } kind = Kind::mx;
    std::vector<RouteHost> hosts;  // in the order to try them
};

class RouteTable {
public:
    explicit RouteTable(std::shared_ptr<const Config> config) { replace(std::move(config)); }
    void replace(std::shared_ptr<const Config> config);

    // `domain` in look-up form (dns/domain_name.h), or an address literal "[192.0.2.1]": without a
    // row (ALL is one) a literal's own address is the host.
    Route find(std::string_view domain);

private:
    struct Entry {
        const RouteRow* row = nullptr;
        std::uint64_t turn = 0;
    };
    Entry* entry_for(std::string_view domain);

    std::shared_ptr<const Config> config_;
    std::unordered_map<std::string, Entry> entries_;  // by lower-case pattern
};

// "[192.0.2.1]", "[IPv6:2001:db8::1]" and what people write, "[2001:db8::1]".
std::optional<IpAddress> address_of_literal(std::string_view domain);

}  // namespace sealgate

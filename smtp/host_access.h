// SPDX-License-Identifier: GPL-3.0-or-later
// The Host Access Table of a listener: which policy a client gets by its address or name.
//
// The listener's sender groups are tried in their order; the first pattern that matches decides,
// but for groups whose policy says `continue`. Who matches none gets the listener's default policy,
// as the implicit group ALL. Names count only when forward-confirmed, so a caller asks
// depends_on_name() first and looks the name up only then. Immutable, built with the
// configuration, whose policies it points to; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/host_pattern.h"

namespace sealgate {

class HostAccess {
public:
    struct Match {
        const MailFlowPolicyOptions* policy = nullptr;  // never null in an answer
        std::string_view group;                         // "ALL" for the implicit one
        std::string_view pattern;                       // as written
    };

    // Both must live as long as this. Their references were checked by load_config().
    HostAccess(const Config& config, const ListenerOptions& listener);

    Match find(const IpAddress& client, std::string_view confirmed_host) const;
    // Whether a name could change what find() says of this address.
    bool depends_on_name(const IpAddress& client) const;

private:
    struct Row {
        HostPattern pattern;
        bool is_name = false;
        const SenderGroupOptions* group = nullptr;
        const MailFlowPolicyOptions* policy = nullptr;
    };

    std::vector<Row> rows_;
    const MailFlowPolicyOptions* default_policy_ = nullptr;
};

}  // namespace sealgate

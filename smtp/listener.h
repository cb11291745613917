// SPDX-License-Identifier: GPL-3.0-or-later
// A [listener:NAME]: its addresses, the sessions that came in by it, their sockets and timers.
//
// It decides who gets a session: room within `connections-max`, the sender group (with the client's
// confirmed name looked up only where a pattern of names could decide), room within the policy's
// `connections-per-host-max`. The dialogue is smtp/session.h's; this is the adapter between it and
// core/socket.h. A new configuration counts for new connections. Loop thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/result.h"
#include "smtp/listener_limits.h"
#include "smtp/session_host.h"

namespace sealgate {

class Loop;
class MailLog;
class Resolver;

class Listener {
public:
    // What all listeners share; it outlives them.
    struct House {
        Loop& loop;
        MailLog& log;
        SessionHost& host;
        Resolver& resolver;
        ConnectionBudget& connections;
        RecipientRate& recipient_rate;
    };

    // Binds all addresses of `options` (a listener of `config`) and accepts from now on. `why`
    // names the address that cannot be bound.
    static Result<std::unique_ptr<Listener>> open(const House& house,
                                                  std::shared_ptr<const Config> config,
                                                  const ListenerOptions& options, std::string* why);
    ~Listener();  // closes what is open; messages that are not stored are aborted
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // New connections live by `config`; without a listener of this name in it nothing changes.
    void apply(std::shared_ptr<const Config> config);
    // Accepts no more; idle sessions get 421 now, the others after their message's answer.
    void drain();

    const std::string& name() const;
    std::vector<Endpoint> addresses() const;  // with the ports really bound
    std::size_t session_count() const;
    // Sessions between the end of data and the reply: what a shutdown waits for.
    std::size_t storing_count() const;

private:
    class Connection;
    struct Core;
    explicit Listener(std::shared_ptr<Core> core);

    std::shared_ptr<Core> core_;  // shared with what was put off to a later moment of the loop
};

}  // namespace sealgate

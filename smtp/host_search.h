// SPDX-License-Identifier: GPL-3.0-or-later
// Where to connect for a domain: one address after the other, until the caller has enough.
//
// Routes first, otherwise MX, then the addresses of each host in its turn (RFC 5321 §5.1). Hosts
// are looked up only when it is their turn. Our own listeners are left out: mail to them would come
// back for ever. Why nothing was reached is collected here, too, because only the whole of it says
// whether trying later can help. Loop thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/address.h"
#include "dns/resolver.h"
#include "smtp/reply.h"
#include "smtp/routes.h"

namespace sealgate {

class Loop;

class HostSearch {
public:
    struct Place {
        Resolver& resolver;
        std::string hostname;                 // ours
        std::vector<Endpoint> own_endpoints;  // our listeners'
        std::uint16_t mx_port = 25;
    };
    struct Candidate {
        std::string host;  // its name, or "[address]"
        Endpoint endpoint;
    };
    using Found = std::function<void(std::optional<Candidate>)>;

    // `route` is of kind mx or hosts.
    HostSearch(Loop& loop, Place place, std::string domain, Route route);
    ~HostSearch();
    HostSearch(const HostSearch&) = delete;
    HostSearch& operator=(const HostSearch&) = delete;

    // The next address to try; nothing: there is none, and failure() says why. One call at a time;
    // `found` comes later, not after the search is gone.
    void next(Found found);
    // The same address once more: its host had closed a connection that was idle.
    void again(Candidate candidate) { candidates_.push_front(std::move(candidate)); }
    // Hosts or addresses are left that were not tried.
    bool more() const { return !candidates_.empty() || !hosts_.empty(); }

    // A candidate failed, or a look-up did. A temporary failure outweighs a permanent one.
    void note_failure(Reply why);
    const Reply& failure() const { return failure_; }

    // After connecting: whether this is one of our own listeners after all, listening on all
    // addresses of the machine.
    bool is_own(const Endpoint& local, const Endpoint& peer) const;

private:
    void begin();
    void step();
    void give(std::optional<Candidate> candidate);
    void on_mx(const MxAnswer& answer);
    void on_addresses(const RouteHost& host, const AddressAnswer& answer);
    void add_candidate(const std::string& host, const Endpoint& endpoint);
    bool listens_on(std::uint16_t port) const;

    Loop& loop_;
    Place place_;
    std::string domain_;
    bool begun_ = false;
    Route route_;
    std::deque<RouteHost> hosts_;
    std::deque<Candidate> candidates_;
    Reply failure_;
    Found found_;
    DnsTicket ticket_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/host_search.h"

#include <algorithm>

#include "core/loop.h"
#include "dns/domain_name.h"

namespace sealgate {
namespace {

bool is_wildcard(const IpAddress& ip) {
    return std::all_of(ip.octets().begin(), ip.octets().end(),
                       [](std::uint8_t octet) { return octet == 0; });
}

Reply loop_reply(const std::string& host) {
    return make_reply(554, "5.4.6", "mail for " + host + " loops back to this gateway");
}

std::string lower(std::string text) {
    for (char& byte : text) {
        if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + 32);
    }
    return text;
}

}  // namespace

HostSearch::HostSearch(Loop& loop, Place place, std::string domain, Route route)
    : loop_(loop), place_(std::move(place)), domain_(std::move(domain)), route_(std::move(route)) {
    CHECK(route_.kind != Route::Kind::discard);
}

HostSearch::~HostSearch() { *alive_ = false; }

void HostSearch::next(Found found) {
    CHECK(!found_);
    found_ = std::move(found);
    loop_.defer([this, alive = alive_] {
        if (*alive) begun_ ? step() : begin();
    });
}

void HostSearch::give(std::optional<Candidate> candidate) {
    const Found found = std::exchange(found_, nullptr);
    found(std::move(candidate));
}

void HostSearch::begin() {
    begun_ = true;
    if (route_.kind == Route::Kind::hosts) {
        hosts_.assign(route_.hosts.begin(), route_.hosts.end());
        return step();
    }
    ticket_ = place_.resolver.lookup_mx(domain_, [this](const MxAnswer& answer) { on_mx(answer); });
}

void HostSearch::on_mx(const MxAnswer& answer) {
    switch (answer.outcome) {
    case DnsOutcome::no_such_domain:
        note_failure(make_reply(550, "5.1.2", "domain " + domain_ + " does not exist"));
        return step();
    case DnsOutcome::no_data:
        note_failure(make_reply(550, "5.4.4", "domain " + domain_ + " has no usable mail host"));
        return step();
    case DnsOutcome::temporary:
    case DnsOutcome::bogus:
        note_failure(
            make_reply(451, "4.4.3", "mail hosts of " + domain_ + ": " + to_text(answer.outcome)));
        return step();
    case DnsOutcome::found: break;
    }
    if (answer.null_mx) {  // RFC 7505 §4.1
        note_failure(make_reply(556, "5.1.10", "domain " + domain_ + " accepts no mail (null MX)"));
        return step();
    }
    for (const MxHost& host : answer.hosts) {
        // RFC 5321 §5.1: we are one of its hosts, so only better ones may be asked. (Not when port
        // 25 of this machine is another server's, which may well be the domain's.)
        if (!answer.implicit && host.name == lower(place_.hostname) && listens_on(place_.mx_port)) {
            std::erase_if(hosts_,
                          [&](const RouteHost& h) { return h.priority >= host.preference; });
            if (hosts_.empty()) note_failure(loop_reply(domain_));
            break;
        }
        RouteHost entry;
        entry.host = host.name;
        entry.port = place_.mx_port;
        entry.priority = host.preference;
        hosts_.push_back(std::move(entry));
    }
    step();
}

void HostSearch::step() {
    while (candidates_.empty() && !hosts_.empty()) {
        const RouteHost host = std::move(hosts_.front());
        hosts_.pop_front();
        if (host.is_address) {
            if (const auto ip = IpAddress::parse(host.host)) {
                add_candidate("[" + host.host + "]", {*ip, host.port});
            }
            continue;
        }
        const auto name = to_lookup_form(host.host);
        if (!name) {
            note_failure(make_reply(451, "4.4.3", "host " + host.host + " is no host name"));
            continue;
        }
        ticket_ = place_.resolver.lookup_addresses(
            *name, [this, host](const AddressAnswer& answer) { on_addresses(host, answer); });
        return;
    }
    if (candidates_.empty()) return give(std::nullopt);
    Candidate candidate = std::move(candidates_.front());
    candidates_.pop_front();
    give(std::move(candidate));
}

void HostSearch::on_addresses(const RouteHost& host, const AddressAnswer& answer) {
    if (answer.outcome == DnsOutcome::found) {
        for (const IpAddress& ip : answer.addresses) add_candidate(host.host, {ip, host.port});
    } else {
        // A host in [smtp-routes] is the operator's word: a slip there must not bounce mail.
        const bool final_answer =
            route_.kind == Route::Kind::mx &&
            (answer.outcome == DnsOutcome::no_such_domain || answer.outcome == DnsOutcome::no_data);
        const std::string what = "address of host " + host.host + ": " + to_text(answer.outcome);
        note_failure(final_answer ? make_reply(550, "5.4.4", what)
                                  : make_reply(451, "4.4.3", what));
    }
    step();
}

void HostSearch::add_candidate(const std::string& host, const Endpoint& endpoint) {
    for (const Endpoint& own : place_.own_endpoints) {
        const bool same_ip =
            own.ip == endpoint.ip || (is_wildcard(own.ip) && endpoint.ip.is_loopback());
        if (own.port == endpoint.port && same_ip) return note_failure(loop_reply(domain_));
    }
    candidates_.push_back({host, endpoint});
}

bool HostSearch::is_own(const Endpoint& local, const Endpoint& peer) const {
    // A machine that connects to an address of its own does so from that address.
    if (local.ip != peer.ip && !peer.ip.is_loopback()) return false;
    return std::any_of(
        place_.own_endpoints.begin(), place_.own_endpoints.end(),
        [&](const Endpoint& own) { return own.port == peer.port && is_wildcard(own.ip); });
}

bool HostSearch::listens_on(std::uint16_t port) const {
    return std::any_of(place_.own_endpoints.begin(), place_.own_endpoints.end(),
                       [port](const Endpoint& own) { return own.port == port; });
}

void HostSearch::note_failure(Reply why) {
    if (failure_.code != 0 && failure_.temporary() && !why.temporary()) return;
    failure_ = std::move(why);
}

}  // namespace sealgate

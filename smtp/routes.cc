// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/routes.h"

#include <algorithm>

namespace sealgate {
namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& byte : result) {
        if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + 32);
    }
    return result;
}

// By priority; each group of equals begins one host further at every turn.
std::vector<RouteHost> in_turn(std::vector<RouteHost> hosts, std::uint64_t turn) {
    std::stable_sort(hosts.begin(), hosts.end(), [](const RouteHost& a, const RouteHost& b) {
        return a.priority < b.priority;
    });
    for (auto begin = hosts.begin(); begin != hosts.end();) {
        const auto end = std::find_if(begin, hosts.end(), [&](const RouteHost& host) {
            return host.priority != begin->priority;
        });
        const auto count = static_cast<std::uint64_t>(end - begin);
        std::rotate(begin, begin + static_cast<std::ptrdiff_t>(turn % count), end);
        begin = end;
    }
    return hosts;
}

}  // namespace

void RouteTable::replace(std::shared_ptr<const Config> config) {
    entries_.clear();
    config_ = std::move(config);
    for (const RouteRow& row : config_->smtp_routes) {
        std::string pattern = lower(row.pattern);
        if (pattern.size() > 1 && pattern.back() == '.') pattern.pop_back();
        entries_.emplace(std::move(pattern), Entry{&row, 0});
    }
}

RouteTable::Entry* RouteTable::entry_for(std::string_view domain) {
    if (entries_.empty()) return nullptr;
    std::string name = lower(domain);
    if (auto found = entries_.find(name); found != entries_.end()) return &found->second;
    const bool literal = !name.empty() && name.front() == '[';
    for (std::size_t dot = literal ? name.npos : name.find('.'); dot != name.npos;
         dot = name.find('.', dot + 1)) {
        if (auto found = entries_.find(name.substr(dot)); found != entries_.end()) {
            return &found->second;
        }
    }
    const auto all = entries_.find("all");
    return all == entries_.end() ? nullptr : &all->second;
}

Route RouteTable::find(std::string_view domain) {
    Route route;
    Entry* entry = entry_for(domain);
    if (entry && entry->row->kind == RouteRow::Kind::discard) {
        route.kind = Route::Kind::discard;
    } else if (entry && entry->row->kind == RouteRow::Kind::hosts) {
        route.kind = Route::Kind::hosts;
        route.hosts = in_turn(entry->row->hosts, entry->turn++);
    } else if (const auto address = address_of_literal(domain)) {
        route.kind = Route::Kind::hosts;
        RouteHost host;
        host.host = address->to_text();
        host.is_address = true;
        route.hosts.push_back(std::move(host));
    }
    return route;
}

std::optional<IpAddress> address_of_literal(std::string_view domain) {
    if (domain.size() < 3 || domain.front() != '[' || domain.back() != ']') return std::nullopt;
    std::string inner = lower(domain.substr(1, domain.size() - 2));
    if (inner.starts_with("ipv6:")) inner.erase(0, 5);
    return IpAddress::parse(inner);
}

}  // namespace sealgate

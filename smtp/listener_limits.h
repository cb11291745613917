// SPDX-License-Identifier: GPL-3.0-or-later
// What sessions share and may use up: connections in all, connections of one host, recipients of
// one host in an hour. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>

#include "core/address.h"

namespace sealgate {

struct IpAddressHash {
    std::size_t operator()(const IpAddress& ip) const {
        const auto& octets = ip.octets();
        return std::hash<std::string_view>()(
            {reinterpret_cast<const char*>(octets.data()), octets.size()});
    }
};

// [gateway] connections-max: sessions in and out together.
class ConnectionBudget {
public:
    explicit ConnectionBudget(std::uint64_t count_max) : count_max_(count_max) {}

    void set_max(std::uint64_t count_max) { count_max_ = count_max; }
    bool take() {
        if (count_ >= count_max_) return false;
        ++count_;
        return true;
    }
    void give_back() { --count_; }
    std::uint64_t count() const { return count_; }

private:
    std::uint64_t count_max_;
    std::uint64_t count_ = 0;
};

// How many connections each host has now.
class HostConnections {
public:
    bool take(const IpAddress& host, std::uint64_t count_max) {
        std::uint64_t& count = counts_[host];
        if (count >= count_max) {
            if (count == 0) counts_.erase(host);
            return false;
        }
        ++count;
        return true;
    }
    void give_back(const IpAddress& host) {
        const auto row = counts_.find(host);
        if (row != counts_.end() && --row->second == 0) counts_.erase(row);
    }
    std::size_t hosts() const { return counts_.size(); }

private:
    std::unordered_map<IpAddress, std::uint64_t, IpAddressHash> counts_;
};

// recipients-per-hour-max: an hour begins with a host's first recipient. Hosts are forgotten when
// their hour is over, and when there are too many of them: then a new host is not counted, for a
// flood of addresses must not grow our memory, nor refuse those who do nothing wrong.
class RecipientRate {
public:
    static constexpr std::size_t hosts_max = 65536;

    // One more recipient within the hour? `count_max` 0: unlimited, and not counted.
    bool take(const IpAddress& host, std::uint64_t count_max, std::uint64_t now_ms);
    std::size_t hosts() const { return hours_.size(); }

private:
    static constexpr std::uint64_t hour_ms = 3'600'000;
    struct Hour {
        std::uint64_t begin_ms = 0;
        std::uint64_t count = 0;
    };
    bool has_room(std::uint64_t now_ms);

    std::unordered_map<IpAddress, Hour, IpAddressHash> hours_;
    std::uint64_t swept_ms_ = 0;
};

}  // namespace sealgate

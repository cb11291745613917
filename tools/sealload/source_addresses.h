// SPDX-License-Identifier: GPL-3.0-or-later
// Who a source's messages come from and go to: patterns, counts and domains by distribution.
//
// A message's addresses follow from its number and the seed alone, so they are the same whenever
// they are asked for. Read-only; one owner.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/sealload/address_pattern.h"
#include "tools/sealload/load_distribution.h"

namespace sealgate {

class SourceAddresses {
public:
    struct Plan {
        std::string from = "sender@example.com";
        // Of so many senders the messages come in turn, and %d of `from` is the sender's number;
        // 0: the message's.
        std::uint64_t senders = 0;
        std::uint64_t senders_from = 1;
        std::vector<std::string> to = {"recipient@example.net"};
        std::optional<LoadDistribution> recipients;  // how many; nothing: each of `to` once
        std::optional<LoadDistribution> domains;     // %h of each recipient
        std::uint64_t seed = 1;
    };
    explicit SourceAddresses(const Plan& plan);

    std::uint64_t sender_of(std::uint64_t message) const;
    std::size_t recipients_of(std::uint64_t message) const;
    void append_sender(std::string& out, std::uint64_t message) const;
    void append_recipient(std::string& out, std::uint64_t message, std::size_t index) const;

private:
    AddressPattern from_;
    std::uint64_t senders_, senders_from_;
    std::vector<AddressPattern> to_;
    std::optional<LoadDistribution> recipients_, domains_;
    std::uint64_t seed_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// A pattern of [sender-group:NAME] hosts: which clients belong to the group.
//
// IPv4 and IPv6 addresses, CIDR (10.1.0.0/16, short 10.1/16), partial addresses (10.1.), ranges
// (10.1.1.10-40, 10.1-3), host names, .partial.example (every host below it) and ALL. It looks
// nothing up: the caller gives the name it has forward-confirmed, or none. A value, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/address.h"
#include "core/result.h"

namespace sealgate {

// RFC 1123 §2.1 as DNS has it in practice: labels of letters, digits, '-' and '_', at most 63 and
// 253 in all; the last one is not a number, so that no address is a name. A-labels, not U-labels.
bool is_host_name(std::string_view text);

class HostPattern {
public:
    static Result<HostPattern> parse(std::string_view text);

    // `confirmed_host_name`: of the PTR that leads back to the address; empty where there is none.
    bool matches(const IpAddress& client, std::string_view confirmed_host_name) const;
    const std::string& text() const { return text_; }

private:
    enum class Kind : std::uint8_t { all, range, name, below };
    using Octets = std::array<std::uint8_t, 16>;

    Result<void> parse_ipv4(std::string_view text);
    Result<void> parse_ipv6(std::string_view text);
    Result<void> set_network(const IpAddress& address, unsigned prefix_bits);

    std::string text_;
    Kind kind_ = Kind::all;
    IpAddress::Family family_ = IpAddress::Family::none;
    Octets first_{};  // every form of address is a range, both ends in it
    Octets last_{};
    std::string name_;  // lower-case; for `below` with its leading dot
};

}  // namespace sealgate

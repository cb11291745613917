// SPDX-License-Identifier: GPL-3.0-or-later
// IP addresses and endpoints: values with a text form; no look-up happens here.
#pragma once

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sealgate {

// An IPv4 or IPv6 address. IPv4-mapped IPv6 (::ffff:a.b.c.d) becomes IPv4 when parsed.
class IpAddress {
public:
    enum class Family : std::uint8_t { none, ipv4, ipv6 };

    static std::optional<IpAddress> parse(std::string_view text);  // no brackets, no port
    static IpAddress from_sockaddr(const sockaddr* address);
    static IpAddress from_ipv4(const std::uint8_t (&octets)[4]);
    static IpAddress from_ipv6(const std::uint8_t (&octets)[16]);

    Family family() const { return family_; }
    bool is_loopback() const;
    // Network order, 4 or 16 bytes of it valid.
    const std::array<std::uint8_t, 16>& octets() const { return octets_; }
    std::string to_text() const;
    // RFC 5321 §4.1.3 address literal: "[192.0.2.1]" or "[IPv6:2001:db8::1]".
    std::string to_literal() const;

    auto operator<=>(const IpAddress&) const = default;

private:
    Family family_ = Family::none;
    std::array<std::uint8_t, 16> octets_{};
};

struct Endpoint {
    IpAddress ip;
    std::uint16_t port = 0;

    // "127.0.0.1:2525", "[::1]:2525"; the port is required.
    static std::optional<Endpoint> parse(std::string_view text);
    static Endpoint from_sockaddr(const sockaddr* address);
    socklen_t to_sockaddr(sockaddr_storage& storage) const;
    std::string to_text() const;

    auto operator<=>(const Endpoint&) const = default;
};

}  // namespace sealgate

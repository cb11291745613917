// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace sealgate {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    const std::string terminated(text);
    std::uint8_t four[4];
    std::uint8_t sixteen[16];
    if (inet_pton(AF_INET, terminated.c_str(), four) == 1) return from_ipv4(four);
    if (inet_pton(AF_INET6, terminated.c_str(), sixteen) == 1) return from_ipv6(sixteen);
    return std::nullopt;
}

IpAddress IpAddress::from_ipv4(const std::uint8_t (&octets)[4]) {
    IpAddress address;
    address.family_ = Family::ipv4;
    std::memcpy(address.octets_.data(), octets, 4);
    return address;
}

IpAddress IpAddress::from_ipv6(const std::uint8_t (&octets)[16]) {
    static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    IpAddress address;
    if (std::memcmp(octets, mapped, sizeof mapped) == 0) {
        address.family_ = Family::ipv4;
        std::memcpy(address.octets_.data(), octets + 12, 4);
    } else {
        address.family_ = Family::ipv6;
        std::memcpy(address.octets_.data(), octets, 16);
    }
    return address;
}

IpAddress IpAddress::from_sockaddr(const sockaddr* address) {
    if (address->sa_family == AF_INET) {
        std::uint8_t octets[4];
        std::memcpy(octets, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
        return from_ipv4(octets);
    }
    if (address->sa_family == AF_INET6) {
        std::uint8_t octets[16];
        std::memcpy(octets, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
        return from_ipv6(octets);
    }
    return {};
}

bool IpAddress::is_loopback() const {
    if (family_ == Family::ipv4) return octets_[0] == 127;
    static constexpr std::array<std::uint8_t, 16> one{0, 0, 0, 0, 0, 0, 0, 0,
                                                      0, 0, 0, 0, 0, 0, 0, 1};
    return family_ == Family::ipv6 && octets_ == one;
}

std::string IpAddress::to_text() const {
    if (family_ == Family::none) return "unknown";
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(family_ == Family::ipv4 ? AF_INET : AF_INET6, octets_.data(), text, sizeof text);
    return text;
}

std::string IpAddress::to_literal() const {
    return (family_ == Family::ipv6 ? "[IPv6:" : "[") + to_text() + "]";
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return std::nullopt;  // an IPv6 address wants its brackets
    }
    Endpoint endpoint;
    const auto ip = IpAddress::parse(host);
    const auto [end, fault] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (!ip || fault != std::errc() || end != port.data() + port.size()) return std::nullopt;
    endpoint.ip = *ip;
    return endpoint;
}

Endpoint Endpoint::from_sockaddr(const sockaddr* address) {
    Endpoint endpoint;
    endpoint.ip = IpAddress::from_sockaddr(address);
    if (address->sa_family == AF_INET)
        endpoint.port = ntohs(reinterpret_cast<const sockaddr_in*>(address)->sin_port);
    if (address->sa_family == AF_INET6)
        endpoint.port = ntohs(reinterpret_cast<const sockaddr_in6*>(address)->sin6_port);
    return endpoint;
}

socklen_t Endpoint::to_sockaddr(sockaddr_storage& storage) const {
    std::memset(&storage, 0, sizeof storage);
    if (ip.family() == IpAddress::Family::ipv6) {
        auto& six = reinterpret_cast<sockaddr_in6&>(storage);
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        std::memcpy(&six.sin6_addr, ip.octets().data(), 16);
        return sizeof six;
    }
    auto& four = reinterpret_cast<sockaddr_in&>(storage);
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&four.sin_addr, ip.octets().data(), 4);
    return sizeof four;
}

std::string Endpoint::to_text() const {
    const std::string host =
        ip.family() == IpAddress::Family::ipv6 ? "[" + ip.to_text() + "]" : ip.to_text();
    return host + ":" + std::to_string(port);
}

}  // namespace sealgate

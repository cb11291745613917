// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/loopback.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sealgate {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::uint16_t free_port(int type) {
    const int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t bytes = sizeof address;
    std::uint16_t port = 0;
    if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), bytes) == 0 &&
        getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &bytes) == 0) {
        port = ntohs(address.sin_port);
    }
    close(descriptor);
    return port;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Addresses for servers that tests start: ports of 127.0.0.1 that nobody uses yet.
#pragma once

#include <netinet/in.h>

#include <cstdint>

namespace sealgate {

sockaddr_in loopback(std::uint16_t port);

// For a socket of `type` (SOCK_STREAM, SOCK_DGRAM); nsd wants it for both, and takes what is free
// for UDP. Another process may be quicker, so who starts a server must try again; 0 when there is
// none.
std::uint16_t free_port(int type);

}  // namespace sealgate

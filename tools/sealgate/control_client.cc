// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/control_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sealgate {
namespace {

using nlohmann::json;

json no_answer() {
    return {{"ok", false}, {"error", "the gateway closed the control socket without an answer"}};
}

bool send_line(int descriptor, std::string line) {
    line += '\n';
    std::size_t sent = 0;
    while (sent < line.size()) {
        const ssize_t bytes =
            ::send(descriptor, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes <= 0) return false;
        sent += static_cast<std::size_t>(bytes);
    }
    return true;
}

json receive_line(int descriptor) {
    std::string answer;
    char buffer[65536];
    for (;;) {
        const ssize_t bytes = ::recv(descriptor, buffer, sizeof buffer, 0);
        if (bytes < 0 && errno == EINTR) continue;  // a command that ends by itself on Ctrl-C
        if (bytes <= 0) return no_answer();
        answer.append(buffer, static_cast<std::size_t>(bytes));
        if (answer.back() == '\n') break;
    }
    json parsed = json::parse(answer, nullptr, false);
    return parsed.is_discarded() ? no_answer() : parsed;
}

}  // namespace

std::optional<json> control_request(const std::string& socket_path, const json& request) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.size() >= sizeof address.sun_path) return std::nullopt;
    std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return std::nullopt;
    if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(descriptor);
        return std::nullopt;
    }
    json answer =
        send_line(descriptor, request.dump(-1, ' ', false, json::error_handler_t::replace))
            ? receive_line(descriptor)
            : no_answer();
    ::close(descriptor);
    return answer;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Listening sockets, TCP and Unix.
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/socket_internal.h"

namespace sealgate {
namespace {

// Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn.
constexpr int backlog = 4096;

// Whether somebody answers on the socket file; one left by a killed process does not.
bool somebody_listens(const std::string& path) {
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) return false;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const bool answered =
        ::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return answered;
}

}  // namespace

struct Acceptor::State {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    Loop& loop;
    Accepted accepted;
    std::string path;

    State(Loop& l, Accepted a) : loop(l), accepted(std::move(a)) {}
    ~State() {}  // the union's members are plain C

    Result<std::unique_ptr<Acceptor>> open(int status, std::string* why);
    void on_connection(int status);
};

Result<std::unique_ptr<Acceptor>> Acceptor::State::open(int status, std::string* why) {
    if (status == 0)
        status = uv_listen(&stream, backlog, [](uv_stream_t* s, int result) {
            static_cast<State*>(s->data)->on_connection(result);
        });
    std::unique_ptr<Acceptor> acceptor(new Acceptor(this));
    if (status == 0) return acceptor;
    if (why) *why = uv_strerror(status);
    path.clear();  // not ours to remove
    return temporary("cannot listen");
}

void Acceptor::State::on_connection(int status) {
    if (status < 0) return;  // EMFILE and the like: libuv tries again with the next event
    Socket::State* state = Socket::State::make(loop);
    if (handle.type == UV_TCP) {
        uv_tcp_init(loop.uv(), &state->tcp);
    } else {
        uv_pipe_init(loop.uv(), &state->pipe, 0);
    }
    state->handle.data = state;
    std::unique_ptr<Socket> socket(new Socket(state));
    if (uv_accept(&stream, &state->stream) != 0) return;
    if (handle.type == UV_TCP) uv_tcp_nodelay(&state->tcp, 1);
    accepted(std::move(socket));
}

Result<std::unique_ptr<Acceptor>> Acceptor::listen(Loop& loop, const Endpoint& at,
                                                   Accepted accepted, std::string* why) {
    auto* state = new State(loop, std::move(accepted));
    uv_tcp_init(loop.uv(), &state->tcp);
    state->handle.data = state;
    sockaddr_storage address;
    at.to_sockaddr(address);
    // An IPv6 listener takes IPv6 only, so that 0.0.0.0 and [::] can stand side by side.
    const unsigned flags = at.ip.family() == IpAddress::Family::ipv6 ? UV_TCP_IPV6ONLY : 0;
    const int status = uv_tcp_bind(&state->tcp, reinterpret_cast<sockaddr*>(&address), flags);
    return state->open(status, why);
}

Result<std::unique_ptr<Acceptor>> Acceptor::listen_unix(Loop& loop, const std::string& path,
                                                        Accepted accepted, std::string* why) {
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
        if (why) *why = "the path of a Unix socket has at most 107 bytes";
        return past_limit("socket path too long");
    }
    if (somebody_listens(path)) {
        if (why) *why = "another process listens there";
        return temporary("socket in use");
    }
    ::unlink(path.c_str());
    auto* state = new State(loop, std::move(accepted));
    state->path = path;
    uv_pipe_init(loop.uv(), &state->pipe, 0);
    state->handle.data = state;
    const mode_t old = ::umask(0177);  // 0600 from the first moment
    const int status = uv_pipe_bind(&state->pipe, path.c_str());
    ::umask(old);
    return state->open(status, why);
}

Acceptor::~Acceptor() {
    if (!state_->path.empty()) ::unlink(state_->path.c_str());
    state_->accepted = nullptr;
    uv_close(&state_->handle, [](uv_handle_t* h) { delete static_cast<State*>(h->data); });
}

Endpoint Acceptor::local() const { return endpoint_of(state_->tcp, uv_tcp_getsockname); }

}  // namespace sealgate

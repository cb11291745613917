// SPDX-License-Identifier: GPL-3.0-or-later
// What core/socket*.cc share: the libuv side of a Socket. Nobody else includes this.
#pragma once

#include <uv.h>

#include "core/loop_internal.h"
#include "core/socket.h"

namespace sealgate {

// `ask` is uv_tcp_getsockname or uv_tcp_getpeername; a Unix socket has no endpoint.
inline Endpoint endpoint_of(const uv_tcp_t& tcp,
                            int (*ask)(const uv_tcp_t*, sockaddr* name, int* name_bytes)) {
    sockaddr_storage storage{};
    int bytes = sizeof storage;
    auto* name = reinterpret_cast<sockaddr*>(&storage);
    if (tcp.type != UV_TCP || ask(&tcp, name, &bytes) != 0) return {};
    return Endpoint::from_sockaddr(name);
}

// Lives until libuv's close callback; the Socket in front of it may be gone before. What was put
// off to a later moment of the loop shares it.
struct Socket::State : std::enable_shared_from_this<Socket::State> {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    Loop& loop;
    std::shared_ptr<State> itself;  // while the handle is open
    Handler* handler = nullptr;
    Connected connected;
    uv_connect_t connect_request{};
    uv_write_t write_request{};
    uv_shutdown_t shutdown_request{};
    ChunkList unsent;   // waits for the write under way
    ChunkList sending;  // in libuv's hands
    bool wants_reading = false;
    bool starved = false;
    bool send_posted = false;
    bool broken = false;
    bool closing = false;
    bool last_words = false;  // close_after_sending(): nobody in front any more
    uv_timer_t* grace = nullptr;

    explicit State(Loop& l) : loop(l) {}
    ~State() {}  // the union's members are plain C

    static Socket::State& of(void* data) { return *static_cast<Socket::State*>(data); }

    void start_reading();
    void on_read(ssize_t bytes);
    void on_starved();
    void schedule_send();
    void send_now();
    void on_written(int status);
    void shut_down();
    void on_fault(int status);
    void close();
    void on_connected(int status);
    static State* make(Loop& loop);
};

}  // namespace sealgate

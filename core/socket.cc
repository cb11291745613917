// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/socket.h"

#include <uv.h>

#include <algorithm>

#include "core/socket_internal.h"

namespace sealgate {
namespace {

// iovecs of one write: as many as a message in memory has chunks; more go in a second call.
constexpr std::size_t write_buffers_max = 64;
// How long a reader waits before it asks again whether the pool has room.
constexpr std::uint64_t starved_retry_ms = 5;

}  // namespace

void Socket::State::start_reading() {
    if (closing || broken || starved) return;
    const int status = uv_read_start(
        &stream,
        [](uv_handle_t* h, std::size_t, uv_buf_t* room) {
            Socket::State& self = of(h->data);
            // No room given makes libuv report UV_ENOBUFS: that is how a full pool stops a reader.
            *room = BlockPool::instance().exhausted() ? uv_buf_init(nullptr, 0)
                                                      : self.loop.state().read_room();
        },
        [](uv_stream_t* s, ssize_t bytes, const uv_buf_t*) { of(s->data).on_read(bytes); });
    if (status < 0 && status != UV_EALREADY) on_fault(status);
}

void Socket::State::on_read(ssize_t bytes) {
    if (last_words) {  // what still comes is not wanted; the end is
        if (bytes < 0) close();
        return;
    }
    if (bytes > 0) {
        Chunk chunk = loop.state().take_read(static_cast<std::size_t>(bytes));
        if (handler) handler->on_bytes(std::move(chunk));
        return;
    }
    if (bytes == 0) return;
    if (bytes == UV_ENOBUFS) {
        on_starved();
        return;
    }
    uv_read_stop(&stream);
    if (bytes == UV_EOF) {
        if (handler) handler->on_end();
        return;
    }
    on_fault(static_cast<int>(bytes));
}

// Back-pressure of `memory-max`: this socket sleeps until blocks were released.
void Socket::State::on_starved() {
    uv_read_stop(&stream);
    if (starved) return;
    starved = true;
    Loop::State& shared = loop.state();
    shared.starved.push_back([self = shared_from_this()] {
        self->starved = false;
        if (self->wants_reading) self->start_reading();
    });
    uv_timer_start(
        &shared.starved_timer,
        [](uv_timer_t* timer) {
            auto& state = *static_cast<Loop::State*>(timer->loop->data);
            if (BlockPool::instance().exhausted()) return;
            uv_timer_stop(timer);
            std::vector<std::function<void()>> tasks;
            tasks.swap(state.starved);
            for (auto& task : tasks) task();
        },
        starved_retry_ms, starved_retry_ms);
}

// All that a session says in one round of the loop leaves in one system call.
void Socket::State::schedule_send() {
    if (send_posted || !sending.empty() || closing || broken) return;
    send_posted = true;
    loop.defer([self = shared_from_this()] {
        self->send_posted = false;
        self->send_now();
    });
}

void Socket::State::send_now() {
    if (unsent.empty() || !sending.empty() || broken || closing) return;
    sending = std::move(unsent);
    unsent = ChunkList();
    while (!sending.empty()) {
        uv_buf_t buffers[write_buffers_max];
        unsigned count = 0;
        for (const Chunk& chunk : sending) {
            if (count == write_buffers_max) break;
            auto* data = const_cast<std::uint8_t*>(chunk.data());
            buffers[count++] =
                uv_buf_init(reinterpret_cast<char*>(data), static_cast<unsigned>(chunk.size()));
        }
        const int written = uv_try_write(&stream, buffers, count);
        if (written < 0 && written != UV_EAGAIN) {
            on_fault(written);
            return;
        }
        std::size_t left = written < 0 ? 0 : static_cast<std::size_t>(written);
        while (left > 0) {
            const std::size_t front = sending.begin()->size();
            if (front > left) {
                sending.trim_front(left);
                break;
            }
            left -= front;
            sending.take_front();
        }
        if (written < 0) break;  // the kernel's buffer is full: libuv goes on when it can
    }
    if (sending.empty()) {
        on_written(0);
        return;
    }
    std::vector<uv_buf_t> rest;
    rest.reserve(sending.count());
    for (const Chunk& chunk : sending) {
        auto* data = const_cast<std::uint8_t*>(chunk.data());
        rest.push_back(
            uv_buf_init(reinterpret_cast<char*>(data), static_cast<unsigned>(chunk.size())));
    }
    const int status = uv_write(
        &write_request, &stream, rest.data(), static_cast<unsigned>(rest.size()),
        [](uv_write_t* request, int result) { of(request->handle->data).on_written(result); });
    if (status < 0) on_fault(status);
}

void Socket::State::on_written(int status) {
    sending.clear();
    if (closing) return;
    if (status < 0) {
        on_fault(status);
        return;
    }
    if (!unsent.empty()) {
        schedule_send();
    } else if (last_words) {
        shut_down();
    } else if (handler) {
        handler->on_drain();
    }
}

void Socket::State::shut_down() {
    // Reads on to the peer's FIN: closing with input unread would make the kernel send RST, and the
    // peer might lose the last reply.
    const int status =
        uv_shutdown(&shutdown_request, &stream, [](uv_shutdown_t* request, int result) {
            State& self = of(request->handle->data);
            if (result < 0) {
                self.close();
            } else {
                self.start_reading();
            }
        });
    if (status < 0) close();
}

void Socket::State::on_fault(int status) {
    if (broken || closing) return;
    broken = true;
    unsent.clear();
    if (last_words) {
        close();
    } else if (handler) {
        // Not from inside send(): the handler may destroy us, and its caller is still at work.
        loop.defer([self = shared_from_this(), status] {
            if (self->handler) self->handler->on_broken(uv_strerror(status));
        });
    }
}

void Socket::State::close() {
    handler = nullptr;
    closing = true;
    loop.state().lingering.erase(this);
    if (grace) {
        uv_close(reinterpret_cast<uv_handle_t*>(grace),
                 [](uv_handle_t* timer) { delete reinterpret_cast<uv_timer_t*>(timer); });
        grace = nullptr;
    }
    if (uv_is_closing(&handle)) return;
    uv_close(&handle, [](uv_handle_t* h) { of(h->data).itself.reset(); });
}

// A new state with its handle still to be initialised.
Socket::State* Socket::State::make(Loop& loop) {
    auto state = std::make_shared<State>(loop);
    state->itself = state;
    return state.get();
}

Socket::~Socket() {
    if (state_) state_->close();
}

void Socket::set_handler(Handler* handler) { state_->handler = handler; }

void Socket::resume() {
    if (state_->wants_reading) return;
    state_->wants_reading = true;
    state_->start_reading();
}

void Socket::pause() {
    if (!state_->wants_reading) return;
    state_->wants_reading = false;
    if (!state_->closing) uv_read_stop(&state_->stream);
}

void Socket::send(Chunk chunk) {
    if (state_->broken) return;
    state_->unsent.append(std::move(chunk));
    state_->schedule_send();
}

void Socket::send(ChunkList chunks) {
    if (state_->broken) return;
    state_->unsent.append(std::move(chunks));
    state_->schedule_send();
}

std::size_t Socket::unsent_bytes() const {
    return state_->unsent.bytes() + state_->sending.bytes();
}

void Socket::end_after_sending(std::unique_ptr<Transport> /*self*/, std::uint64_t grace_ms) {
    State& s = *state_;
    s.handler = nullptr;
    s.last_words = true;
    if (s.broken) return;  // our destructor closes it
    uv_read_stop(&s.stream);
    s.loop.state().lingering.insert(&s);
    s.grace = new uv_timer_t;
    uv_timer_init(s.loop.uv(), s.grace);
    s.grace->data = &s;
    uv_timer_start(
        s.grace, [](uv_timer_t* timer) { State::of(timer->data).close(); }, grace_ms, 0);
    if (s.unsent.empty() && s.sending.empty()) {
        s.shut_down();
    } else {
        s.schedule_send();
    }
    state_ = nullptr;  // it closes itself
}

Endpoint Socket::local() const { return endpoint_of(state_->tcp, uv_tcp_getsockname); }

Endpoint Socket::peer() const { return endpoint_of(state_->tcp, uv_tcp_getpeername); }

void Socket::State::on_connected(int status) {
    if (closing || !connected) return;
    Connected call = std::move(connected);
    connected = nullptr;
    if (status == 0) {
        call({}, "");
    } else {
        broken = true;
        call(temporary("connection failed"), uv_strerror(status));
    }
}

std::unique_ptr<Socket> Socket::connect(Loop& loop, const Endpoint& to, const IpAddress& source,
                                        Connected connected) {
    State* state = State::make(loop);
    state->connected = std::move(connected);
    uv_tcp_init(loop.uv(), &state->tcp);
    state->handle.data = state;
    sockaddr_storage address;
    int status = 0;
    if (source.family() != IpAddress::Family::none) {
        Endpoint{source, 0}.to_sockaddr(address);
        status = uv_tcp_bind(&state->tcp, reinterpret_cast<sockaddr*>(&address), 0);
    }
    to.to_sockaddr(address);
    if (status == 0)
        status = uv_tcp_connect(&state->connect_request, &state->tcp,
                                reinterpret_cast<sockaddr*>(&address),
                                [](uv_connect_t* request, int result) {
                                    State& self = State::of(request->handle->data);
                                    if (result == 0) uv_tcp_nodelay(&self.tcp, 1);
                                    self.on_connected(result);
                                });
    if (status != 0)
        loop.defer([self = state->shared_from_this(), status] { self->on_connected(status); });
    return std::unique_ptr<Socket>(new Socket(state));
}

std::unique_ptr<Socket> Socket::connect_unix(Loop& loop, const std::string& path,
                                             Connected connected) {
    State* state = State::make(loop);
    state->connected = std::move(connected);
    uv_pipe_init(loop.uv(), &state->pipe, 0);
    state->handle.data = state;
    uv_pipe_connect(&state->connect_request, &state->pipe, path.c_str(),
                    [](uv_connect_t* request, int result) {
                        State::of(request->handle->data).on_connected(result);
                    });
    return std::unique_ptr<Socket>(new Socket(state));
}

}  // namespace sealgate

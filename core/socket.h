// SPDX-License-Identifier: GPL-3.0-or-later
// Stream sockets on the loop: TCP and Unix, in and out. Bytes in by callback, bytes out by send().
//
// Back-pressure: a handler that is full calls pause(); the kernel's buffer and then the peer's
// fill. A reader also pauses by itself while the block pool is at its budget (`memory-max`). What
// was sent and not yet taken by the kernel is unsent_bytes(); on_drain() tells when it fell to 0.
// Reads land in a block that the loop's sockets share, so an idle session holds no buffer.
// Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/address.h"
#include "core/chunk.h"
#include "core/result.h"

namespace sealgate {

class Loop;

class Socket {
public:
    // What happens on a socket. The handler may destroy the Socket from inside any of these.
    class Handler {
    public:
        virtual ~Handler() = default;
        virtual void on_bytes(Chunk chunk) = 0;
        virtual void on_end() = 0;                     // the peer sent FIN; we may still send
        virtual void on_broken(std::string what) = 0;  // reset, timed out…: of no use any more
        virtual void on_drain() = 0;                   // everything sent is in the kernel
    };
    using Connected = std::function<void(Result<void>, std::string what)>;

    // The socket reads only after resume(). Destroying it closes it; unsent bytes may be lost
    // (use close_after_sending()).
    ~Socket();
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    // `connected` is called once, never from inside connect(). `source` may be empty (family none).
    static std::unique_ptr<Socket> connect(Loop& loop, const Endpoint& to, const IpAddress& source,
                                           Connected connected);
    static std::unique_ptr<Socket> connect_unix(Loop& loop, const std::string& path,
                                                Connected connected);

    void set_handler(Handler* handler);
    void resume();
    void pause();

    void send(Chunk chunk);
    void send(ChunkList chunks);
    std::size_t unsent_bytes() const;
    // Sends what is left, then FIN, and waits for the peer's; at most `grace_ms` later the socket
    // is closed and freed. The handler hears no more of it.
    static void close_after_sending(std::unique_ptr<Socket> socket, std::uint64_t grace_ms = 5000);

    Endpoint local() const;
    Endpoint peer() const;

    struct State;

private:
    friend class Acceptor;
    explicit Socket(State* state) : state_(state) {}
    State* state_;  // outlives us until libuv's close callback
};

// A listening socket.
class Acceptor {
public:
    using Accepted = std::function<void(std::unique_ptr<Socket>)>;

    static Result<std::unique_ptr<Acceptor>> listen(Loop& loop, const Endpoint& at,
                                                    Accepted accepted, std::string* why);
    // Mode 0600; an old socket file that nobody listens on is replaced.
    static Result<std::unique_ptr<Acceptor>> listen_unix(Loop& loop, const std::string& path,
                                                         Accepted accepted, std::string* why);
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    Endpoint local() const;  // the port really bound, when 0 was asked for

    struct State;

private:
    explicit Acceptor(State* state) : state_(state) {}
    State* state_;
};

}  // namespace sealgate

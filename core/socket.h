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
#include "core/transport.h"

namespace sealgate {

class Loop;

class Socket final : public Transport {
public:
    using Handler = Transport::Handler;
    using Connected = std::function<void(Result<void>, std::string what)>;

    ~Socket() override;

    // `connected` is called once, never from inside connect(). `source` may be empty (family none).
    static std::unique_ptr<Socket> connect(Loop& loop, const Endpoint& to, const IpAddress& source,
                                           Connected connected);
    static std::unique_ptr<Socket> connect_unix(Loop& loop, const std::string& path,
                                                Connected connected);

    void set_handler(Handler* handler) override;
    void resume() override;
    void pause() override;

    void send(Chunk chunk) override;
    void send(ChunkList chunks) override;
    std::size_t unsent_bytes() const override;

    Endpoint local() const override;
    Endpoint peer() const override;

    struct State;

private:
    friend class Acceptor;
    explicit Socket(State* state) : state_(state) {}
    // FIN is the end, and the peer's FIN is waited for.
    void end_after_sending(std::unique_ptr<Transport> self, std::uint64_t grace_ms) override;

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

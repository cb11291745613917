// SPDX-License-Identifier: GPL-3.0-or-later
// A stream of bytes both ways, as a session sees it: a Socket (core/socket.h), or TLS over one
// (crypto/tls_socket.h).
//
// Back-pressure: a handler that is full calls pause(), and the peer is no longer read. What was
// sent and not yet taken by the kernel is unsent_bytes(); on_drain() tells when it fell to 0.
// How a transport comes to be is not said here. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/address.h"
#include "core/chunk.h"

namespace sealgate {

class Transport {
public:
    // What happens on a transport. The handler may destroy the transport from inside any of these.
    class Handler {
    public:
        virtual ~Handler() = default;
        virtual void on_bytes(Chunk chunk) = 0;
        virtual void on_end() = 0;                     // the peer ended; we may still send
        virtual void on_broken(std::string what) = 0;  // reset, timed out…: of no use any more
        virtual void on_drain() = 0;                   // everything sent is in the kernel
    };

    // Destroying a transport closes it; unsent bytes may be lost (use close_after_sending()).
    virtual ~Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    virtual void set_handler(Handler* handler) = 0;
    // It reads only after resume(). None of these calls the handler before it returns.
    virtual void resume() = 0;
    virtual void pause() = 0;

    virtual void send(Chunk chunk) = 0;
    virtual void send(ChunkList chunks) = 0;
    virtual std::size_t unsent_bytes() const = 0;

    virtual Endpoint local() const = 0;
    virtual Endpoint peer() const = 0;

    // Sends what is left, then the end, and waits for the peer's; at most `grace_ms` later the
    // transport is closed and freed. The handler hears no more of it.
    static void close_after_sending(std::unique_ptr<Transport> transport,
                                    std::uint64_t grace_ms = 5000) {
        Transport& last = *transport;
        last.end_after_sending(std::move(transport), grace_ms);
    }

protected:
    Transport() = default;

private:
    // `self` owns this very object.
    virtual void end_after_sending(std::unique_ptr<Transport> self, std::uint64_t grace_ms) = 0;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// TLS over a transport that is there already: from its first byte, or after STARTTLS.
//
// The upgrade takes no bytes. What came in clear behind the client's STARTTLS or the server's 220
// was not said under TLS, and who takes it for that has been injected (RFC 3207 §4.2,
// CVE-2011-0411): a caller that has such bytes ends the connection. What the caller has sent before
// the upgrade (the 220) goes out in clear, before the handshake.
//
// `established` tells once how the handshake ended, never from inside the factory; until then
// nothing of the peer's reaches the handler, and what is sent waits. A failed handshake is told
// there and nowhere else. How long it may take is the caller's timer; the peer's bytes up to its
// end are bounded (limits::tls_handshake_bytes_max).
//
// on_end() is the peer's close_notify. A stream that ends without one was cut off, perhaps by
// somebody else, and is on_broken(). Renegotiation and 0-RTT data do not exist here.
//
// Back-pressure is the transport's: while the handler is paused the transport below is, with at
// most one read of it held here; what is sent becomes records only as the transport below takes
// them. Records are copied once into blocks of the pool and once out of them; besides these wolfSSL
// makes and frees one buffer for each record. One connection holds about 40 KB of wolfSSL's on a
// server, the same on a client, 20 KB more while the handshake runs. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/transport.h"
#include "crypto/tls_context.h"

namespace sealgate {

class Loop;

// How a handshake ended.
struct TlsOutcome {
    // malformed: that was no TLS; unsupported: no version or cipher in common; limit: too many
    // bytes; temporary: the peer refused or went away.
    Result<void> result;
    std::string what;         // for people, when it failed: the peer's alert, wolfSSL's reason…
    std::string protocol;     // "TLSv1.3"
    std::string cipher;       // as IANA calls it: "TLS_AES_128_GCM_SHA256"
    bool resumed = false;     // an older session was taken up again: no certificate was sent
    std::string server_name;  // on a server: what the client asked for (SNI, RFC 6066 §3)
};

// Whom a client connects to.
struct TlsTarget {
    std::string server_name;  // sent as SNI; empty: none, as for an address
    std::string session_key;  // whose sessions may be taken up, and keep theirs; empty: nobody's
};

class TlsSocket final : public Transport {
public:
    using Handler = Transport::Handler;
    using Established = std::function<void(const TlsOutcome&)>;

    // `below` has no handler of its own any more.
    static std::unique_ptr<TlsSocket> connect(Loop& loop, std::unique_ptr<Transport> below,
                                              std::shared_ptr<TlsContext> context,
                                              const TlsTarget& target, Established established);
    static std::unique_ptr<TlsSocket> accept(Loop& loop, std::unique_ptr<Transport> below,
                                             std::shared_ptr<TlsContext> context,
                                             Established established);
    ~TlsSocket() override;

    void set_handler(Handler* handler) override;
    void resume() override;
    void pause() override;

    void send(Chunk chunk) override;
    void send(ChunkList chunks) override;
    std::size_t unsent_bytes() const override;  // the plaintext that waits, and records below

    Endpoint local() const override;
    Endpoint peer() const override;

    struct State;

private:
    explicit TlsSocket(std::shared_ptr<State> state) : state_(std::move(state)) {}
    static std::unique_ptr<TlsSocket> start(std::shared_ptr<State> state, const TlsTarget& target);
    // close_notify, then the end of the transport below. What was sent before the handshake ended
    // goes with it: there is no way to say it.
    void end_after_sending(std::unique_ptr<Transport> self, std::uint64_t grace_ms) override;

    std::shared_ptr<State> state_;  // callbacks under way keep it, too
};

}  // namespace sealgate

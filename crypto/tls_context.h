// SPDX-License-Identifier: GPL-3.0-or-later
// What TLS connections of one kind share: side, versions, our certificate, sessions to take up
// again. TLS 1.2 and 1.3 by wolfSSL (RFC 5246, RFC 8446); sessions by ticket (RFC 5077, RFC 8446
// §2.2), whose keys a server context makes for itself and changes by itself.
//
// The peer is NOT verified: a client takes any certificate for any name, so what it has is secrecy
// from those who only listen. That is right for load tools and for nothing else. A judge of the
// peer's chain belongs between the end of the handshake and TlsSocket's Established: nothing of
// ours is sent before that.
//
// A TLS 1.2 server that takes its own ticket no longer (it has new keys) costs a client that
// handshake: wolfSSL 5.7 does not understand it. The target's sessions are then forgotten, and the
// next connection is well. In TLS 1.3 the handshake goes on as a full one.
//
// Private-key operations run where the handshake runs, on the loop thread (ECDSA 0.1 ms, RSA-2048
// 0.7 ms). A key on another thread is a device in wolfSSL's crypto callbacks; TlsSocket's handshake
// is a step that is repeated until it is done, which is all that such a key asks for.
//
// Loop thread only, but for the factories.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/chunk.h"
#include "core/result.h"
#include "crypto/identity.h"
#include "crypto/tls_sessions.h"

struct WOLFSSL_CTX;

namespace sealgate {

enum class TlsVersions : std::uint8_t { both, only_1_2, only_1_3 };

struct TlsClientOptions {
    TlsVersions versions = TlsVersions::both;
    std::size_t sessions_per_target = 4;  // 0: every handshake is a full one
};

struct TlsServerOptions {
    TlsVersions versions = TlsVersions::both;
};

class TlsContext {
public:
    static Result<std::shared_ptr<TlsContext>> client(const TlsClientOptions& options = {});
    // Shows `identity`'s leaf and chain to every client, whatever name it asks for.
    static Result<std::shared_ptr<TlsContext>> server(const Identity& identity,
                                                      const TlsServerOptions& options = {});
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    // --- for TlsSocket ---

    enum class Side : std::uint8_t { client, server };
    // A connection's application data in wolfSSL: where its new sessions go.
    struct Resumption {
        TlsSessions& sessions;
        std::string target;  // empty: they are not kept
    };

    Side side() const { return side_; }
    WOLFSSL_CTX* wolfssl() const { return wolfssl_; }
    TlsSessions& sessions() { return sessions_; }

    // A place for the plaintext of a record, in a block that the connections share, so that an idle
    // one holds no buffer; and what was written there, as a chunk.
    std::span<std::uint8_t> read_room();
    Chunk take_read(std::size_t bytes);
    // Where small pieces are put together to one record; of use until the next call.
    std::span<std::uint8_t> write_room();

private:
    TlsContext(Side side, WOLFSSL_CTX* wolfssl, std::size_t sessions_per_target);

    const Side side_;
    WOLFSSL_CTX* const wolfssl_;
    TlsSessions sessions_;
    Block* read_block_ = nullptr;
    std::size_t read_used_ = 0;
    SecureBytes write_room_;
};

}  // namespace sealgate

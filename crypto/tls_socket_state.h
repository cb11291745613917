// SPDX-License-Identifier: GPL-3.0-or-later
// What crypto/tls_socket.cc and crypto/tls_handshake.cc share. Nobody else includes this.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "crypto/tls_socket.h"

struct WOLFSSL;

namespace sealgate {

// The library's word on the error that a call has just ended with; empties its queue of them.
const char* tls_reason_text(int error);

struct TlsSocket::State final : Transport::Handler, std::enable_shared_from_this<State> {
    enum class Phase : std::uint8_t {
        handshake,
        open,
        ended,   // the peer's close_notify was read; we may still send
        broken,  // of no use any more, and told so
    };

    State(Loop& l, std::unique_ptr<Transport> b, std::shared_ptr<TlsContext> c, Established e)
        : loop(l), below(std::move(b)), context(std::move(c)), established(std::move(e)) {}
    ~State() override;
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    void on_bytes(Chunk chunk) override;
    void on_end() override;
    void on_broken(std::string what) override;
    void on_drain() override;

    bool prepare(const TlsTarget& target);
    void offer_session();
    void advance();
    void post_advance();
    void step_handshake();
    void step_read();
    void conclude(TlsOutcome outcome);
    void fail_handshake(int error);
    void fail_handshake(Result<void> result, std::string what);
    void break_off(std::string what);
    TlsOutcome success() const;

    void schedule_seal();
    void seal(std::size_t unsent_bytes_max);
    int seal_record();
    void say_goodbye();
    void push_out();

    int give(char* out, int bytes);         // what came, to wolfSSL
    int take(const char* data, int bytes);  // what wolfSSL has to say

    Loop& loop;
    std::unique_ptr<Transport> below;  // null: closed
    std::shared_ptr<TlsContext> context;
    Established established;
    Transport::Handler* handler = nullptr;
    std::optional<TlsContext::Resumption> resumption;
    WOLFSSL* ssl = nullptr;
    Phase phase = Phase::handshake;

    ChunkList sealed;                 // came, and is not yet wolfSSL's
    ChunkList plain;                  // to be sent, not yet records
    std::optional<ChunkBuilder> out;  // records on their way down, within one call
    std::size_t handshake_bytes = 0;  // that came
    bool wants_reading = false;
    bool unread = false;       // reading stopped by a pause, not for want of bytes
    bool below_ended = false;  // FIN; not yet told
    bool seal_posted = false;
    bool offered_session = false;
    bool owes_drain = false;  // something was sent since the handler last heard on_drain()
};

}  // namespace sealgate

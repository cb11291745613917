// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/tls_socket.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "core/limits.h"
#include "core/loop.h"

namespace sealgate {
namespace {

// Header, nonce and tag or padding of a record, rounded up.
constexpr std::size_t record_overhead_bytes = 64;

// The library's word on the error that a call has just ended with.
const char* reason_text(int error) {
    const char* text = wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(error));
    wolfSSL_ERR_clear_error();
    return text ? text : "";
}

}  // namespace

struct TlsSocket::State final : Transport::Handler, std::enable_shared_from_this<State> {
    enum class Phase : std::uint8_t {
        handshake,
        open,
        ended,   // the peer's close_notify was read; we may still send
        broken,  // of no use any more, and told so
    };

    State(Loop& l, std::unique_ptr<Transport> b, std::shared_ptr<TlsContext> c, Established e)
        : loop(l), below(std::move(b)), context(std::move(c)), established(std::move(e)) {}
    ~State() override { wolfSSL_free(ssl); }
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

// --- wolfSSL's side: bytes from and to memory --------------------------------------------------

int TlsSocket::State::give(char* to, int bytes) {
    if (sealed.empty()) return WOLFSSL_CBIO_ERR_WANT_READ;
    int given = 0;
    while (given < bytes && !sealed.empty()) {
        const Chunk& front = *sealed.begin();
        const std::size_t part = std::min(front.size(), static_cast<std::size_t>(bytes - given));
        std::memcpy(to + given, front.data(), part);
        given += static_cast<int>(part);
        if (part == front.size()) {
            sealed.take_front();
        } else {
            sealed.trim_front(part);
        }
    }
    return given;
}

int TlsSocket::State::take(const char* data, int bytes) {
    const auto size = static_cast<std::size_t>(bytes);
    if (!out) {
        // One block for all that the plaintext at hand will become.
        const std::size_t more =
            plain.bytes() + plain.bytes() / limits::tls_record_bytes_max * record_overhead_bytes;
        out.emplace(std::clamp(size + more, size, limits::read_block_bytes));
    }
    out->append(ByteSpan(reinterpret_cast<const std::uint8_t*>(data), size));
    return bytes;
}

void TlsSocket::State::push_out() {
    if (!out) return;
    ChunkList records = out->take();
    out.reset();
    if (below && !records.empty()) below->send(std::move(records));
}

bool TlsSocket::State::prepare(const TlsTarget& target) {
    ssl = wolfSSL_new(context->wolfssl());
    if (!ssl) return false;
    wolfSSL_SSLSetIORecv(ssl, [](WOLFSSL*, char* to, int bytes, void* self) {
        return static_cast<State*>(self)->give(to, bytes);
    });
    wolfSSL_SSLSetIOSend(ssl, [](WOLFSSL*, char* data, int bytes, void* self) {
        return static_cast<State*>(self)->take(data, bytes);
    });
    wolfSSL_SetIOReadCtx(ssl, this);
    wolfSSL_SetIOWriteCtx(ssl, this);
    if (context->side() == TlsContext::Side::server) return true;
    resumption.emplace(TlsContext::Resumption{context->sessions(), target.session_key});
    wolfSSL_set_app_data(ssl, &*resumption);
    if (!target.server_name.empty() &&
        (target.server_name.size() > limits::domain_bytes_max ||
         wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, target.server_name.data(),
                        static_cast<unsigned short>(target.server_name.size())) != WOLFSSL_SUCCESS))
        return false;
    offer_session();
    return true;
}

// A session that is too old, or that this wolfSSL does not read, is none: the handshake is full.
void TlsSocket::State::offer_session() {
    if (resumption->target.empty()) return;
    const SecureBytes encoded = context->sessions().take(resumption->target);
    if (encoded.empty()) return;
    const unsigned char* in = encoded.data();
    WOLFSSL_SESSION* session =
        wolfSSL_d2i_SSL_SESSION(nullptr, &in, static_cast<long>(encoded.size()));
    if (!session) return;
    offered_session = wolfSSL_set_session(ssl, session) == WOLFSSL_SUCCESS;
    wolfSSL_SESSION_free(session);
    wolfSSL_ERR_clear_error();
}

// --- the transport's side -----------------------------------------------------------------------

void TlsSocket::State::on_bytes(Chunk chunk) {
    if (phase == Phase::ended || phase == Phase::broken) return;
    if (phase == Phase::handshake) handshake_bytes += chunk.size();
    sealed.append(std::move(chunk));
    advance();
}

void TlsSocket::State::on_end() {
    below_ended = true;
    advance();
}

void TlsSocket::State::on_broken(std::string what) {
    const std::shared_ptr<State> self = shared_from_this();
    if (phase == Phase::handshake) {
        fail_handshake(temporary("the connection broke during the TLS handshake"), std::move(what));
    } else {
        break_off(std::move(what));
    }
}

void TlsSocket::State::on_drain() {
    const std::shared_ptr<State> self = shared_from_this();
    if (phase == Phase::handshake) return;
    if (!plain.empty()) {
        seal(limits::unsent_bytes_max);
    } else if (owes_drain) {
        owes_drain = false;
        if (handler) handler->on_drain();
    }
}

void TlsSocket::State::advance() {
    const std::shared_ptr<State> self = shared_from_this();
    if (phase == Phase::handshake) step_handshake();
    if (phase == Phase::open) step_read();
}

void TlsSocket::State::post_advance() {
    loop.defer([self = shared_from_this()] { self->advance(); });
}

// --- handshake ----------------------------------------------------------------------------------

void TlsSocket::State::step_handshake() {
    if (!below || !established) return;
    const int done = wolfSSL_negotiate(ssl);
    const int error = done == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(ssl, done);
    push_out();
    if (done == WOLFSSL_SUCCESS) {
        phase = Phase::open;
        if (!wants_reading) {
            unread = true;
            below->pause();
        }
        schedule_seal();
        conclude(success());
    } else if (error != WOLFSSL_ERROR_WANT_READ) {
        fail_handshake(error);
    } else if (below_ended) {
        fail_handshake(temporary("the peer closed the connection during the TLS handshake"),
                       "connection closed");
    } else if (handshake_bytes > limits::tls_handshake_bytes_max) {
        fail_handshake(past_limit("the peer's TLS handshake is too long"), "too many bytes");
    }
}

TlsOutcome TlsSocket::State::success() const {
    TlsOutcome outcome;
    outcome.protocol = wolfSSL_get_version(ssl);
    const char* cipher = wolfSSL_CIPHER_get_name(wolfSSL_get_current_cipher(ssl));
    outcome.cipher = cipher ? cipher : "";
    outcome.resumed = wolfSSL_session_reused(ssl) == 1;
    if (context->side() == TlsContext::Side::server) {
        const char* name = wolfSSL_get_servername(ssl, WOLFSSL_SNI_HOST_NAME);
        outcome.server_name = name ? name : "";
    }
    return outcome;
}

void TlsSocket::State::conclude(TlsOutcome outcome) {
    const Established tell = std::exchange(established, nullptr);
    if (tell) tell(outcome);
}

void TlsSocket::State::fail_handshake(int error) {
    WOLFSSL_ALERT_HISTORY alerts{};
    if (wolfSSL_get_alert_history(ssl, &alerts) == WOLFSSL_SUCCESS &&
        alerts.last_rx.level == alert_fatal) {
        wolfSSL_ERR_clear_error();
        fail_handshake(
            temporary("the peer refused the TLS handshake"),
            std::string("alert: ") + wolfSSL_alert_desc_string_long(alerts.last_rx.code));
        return;
    }
    Result<void> result = malformed("the peer's TLS handshake is not right");
    if (offered_session) {
        // wolfSSL 5.7 takes a TLS 1.2 server that has a ticket of ours and yet begins anew (its
        // keys have changed) for one that is out of order. The next connection offers nothing.
        context->sessions().forget(resumption->target);
        result = temporary("the TLS handshake with an older session failed");
    }
    if (error == VERSION_ERROR || error == UNSUPPORTED_SUITE || error == MATCH_SUITE_ERROR)
        result = unsupported("no TLS version or cipher in common");
    if (error == MEMORY_E) result = temporary("no memory for TLS");
    fail_handshake(result, reason_text(error));
}

void TlsSocket::State::fail_handshake(Result<void> result, std::string what) {
    phase = Phase::broken;
    plain.clear();
    sealed.clear();
    if (below) below->pause();
    TlsOutcome outcome;
    outcome.result = result;
    outcome.what = std::move(what);
    conclude(std::move(outcome));
}

// --- records in ---------------------------------------------------------------------------------

void TlsSocket::State::step_read() {
    while (below && wants_reading && phase == Phase::open) {
        const std::span<std::uint8_t> room = context->read_room();
        const int bytes = wolfSSL_read(ssl, room.data(), static_cast<int>(room.size()));
        if (bytes > 0) {
            Chunk chunk = context->take_read(static_cast<std::size_t>(bytes));
            push_out();
            if (handler) handler->on_bytes(std::move(chunk));
            continue;
        }
        const int error = wolfSSL_get_error(ssl, bytes);
        push_out();  // an alert, the answer to a key update
        if (error == WOLFSSL_ERROR_WANT_READ) {
            unread = false;
            if (below_ended) break_off("the TLS stream was cut off: no close_notify");
            return;
        }
        if (error == WOLFSSL_ERROR_ZERO_RETURN) {
            phase = Phase::ended;
            sealed.clear();
            if (handler) handler->on_end();
            return;
        }
        break_off(std::string("TLS: ") + reason_text(error));
    }
    unread = true;
}

void TlsSocket::State::break_off(std::string what) {
    if (phase == Phase::broken) return;
    phase = Phase::broken;
    plain.clear();
    sealed.clear();
    if (below) below->pause();
    if (handler) handler->on_broken(std::move(what));
}

// --- records out --------------------------------------------------------------------------------

// All that is said in one round of the loop is put into as few records as it fits in.
void TlsSocket::State::schedule_seal() {
    if (seal_posted || plain.empty() || phase == Phase::handshake) return;
    seal_posted = true;
    loop.defer([self = shared_from_this()] {
        self->seal_posted = false;
        self->seal(limits::unsent_bytes_max);
    });
}

// Goes on at on_drain() where the transport below has enough.
void TlsSocket::State::seal(std::size_t unsent_bytes_max) {
    if (!below || (phase != Phase::open && phase != Phase::ended)) return;
    const std::size_t unsent = below->unsent_bytes();
    int written = 1;
    while (written > 0 && !plain.empty() && unsent + (out ? out->bytes() : 0) < unsent_bytes_max)
        written = seal_record();
    push_out();
    if (written <= 0)
        break_off(std::string("TLS: ") + reason_text(wolfSSL_get_error(ssl, written)));
}

int TlsSocket::State::seal_record() {
    const Chunk front = *plain.begin();
    const std::uint8_t* data = front.data();
    std::size_t bytes = std::min(front.size(), limits::tls_record_bytes_max);
    if (bytes < limits::tls_record_bytes_max && plain.count() > 1) {
        const std::span<std::uint8_t> room = context->write_room();
        bytes = 0;
        for (const Chunk& chunk : plain) {
            const std::size_t part = std::min(chunk.size(), room.size() - bytes);
            std::memcpy(room.data() + bytes, chunk.data(), part);
            bytes += part;
            if (bytes == room.size()) break;
        }
        data = room.data();
    }
    const int written = wolfSSL_write(ssl, data, static_cast<int>(bytes));
    for (std::size_t left = static_cast<std::size_t>(std::max(written, 0)); left > 0;) {
        const std::size_t first = plain.begin()->size();
        if (first > left) {
            plain.trim_front(left);
            break;
        }
        left -= first;
        plain.take_front();
    }
    return written;
}

void TlsSocket::State::say_goodbye() {
    if (phase != Phase::open && phase != Phase::ended) return;
    seal(std::numeric_limits<std::size_t>::max());
    if (phase == Phase::broken) return;
    wolfSSL_shutdown(ssl);
    wolfSSL_ERR_clear_error();
    push_out();
}

// --- the front ----------------------------------------------------------------------------------

std::unique_ptr<TlsSocket> TlsSocket::connect(Loop& loop, std::unique_ptr<Transport> below,
                                              std::shared_ptr<TlsContext> context,
                                              const TlsTarget& target, Established established) {
    CHECK(context->side() == TlsContext::Side::client);
    return start(
        std::make_shared<State>(loop, std::move(below), std::move(context), std::move(established)),
        target);
}

std::unique_ptr<TlsSocket> TlsSocket::accept(Loop& loop, std::unique_ptr<Transport> below,
                                             std::shared_ptr<TlsContext> context,
                                             Established established) {
    CHECK(context->side() == TlsContext::Side::server);
    return start(
        std::make_shared<State>(loop, std::move(below), std::move(context), std::move(established)),
        {});
}

std::unique_ptr<TlsSocket> TlsSocket::start(std::shared_ptr<State> state, const TlsTarget& target) {
    if (state->prepare(target)) {
        state->below->set_handler(state.get());
        state->below->resume();
        state->post_advance();  // a client speaks first
    } else {
        state->below->set_handler(nullptr);
        state->loop.defer([state] {
            state->fail_handshake(temporary("TLS cannot be started"),
                                  "no memory, or a server name that is none");
        });
    }
    return std::unique_ptr<TlsSocket>(new TlsSocket(std::move(state)));
}

TlsSocket::~TlsSocket() {
    if (!state_) return;
    state_->handler = nullptr;
    state_->established = nullptr;
    state_->below.reset();
}

void TlsSocket::set_handler(Handler* handler) { state_->handler = handler; }

void TlsSocket::resume() {
    State& s = *state_;
    if (s.wants_reading) return;
    s.wants_reading = true;
    if (s.phase != State::Phase::open) return;
    s.below->resume();
    if (s.unread || s.below_ended) s.post_advance();
}

void TlsSocket::pause() {
    State& s = *state_;
    if (!s.wants_reading) return;
    s.wants_reading = false;
    if (s.phase == State::Phase::open) s.below->pause();
}

void TlsSocket::send(Chunk chunk) {
    State& s = *state_;
    if (s.phase == State::Phase::broken || chunk.empty()) return;
    s.owes_drain = true;
    s.plain.append(std::move(chunk));
    s.schedule_seal();
}

void TlsSocket::send(ChunkList chunks) {
    State& s = *state_;
    if (s.phase == State::Phase::broken || chunks.empty()) return;
    s.owes_drain = true;
    s.plain.append(std::move(chunks));
    s.schedule_seal();
}

std::size_t TlsSocket::unsent_bytes() const {
    return state_->plain.bytes() + state_->below->unsent_bytes();
}

void TlsSocket::end_after_sending(std::unique_ptr<Transport> /*self*/, std::uint64_t grace_ms) {
    const std::shared_ptr<State> s = std::exchange(state_, nullptr);
    s->handler = nullptr;
    s->established = nullptr;
    s->say_goodbye();
    s->below->set_handler(nullptr);
    Transport::close_after_sending(std::move(s->below), grace_ms);
}

Endpoint TlsSocket::local() const { return state_->below->local(); }

Endpoint TlsSocket::peer() const { return state_->below->peer(); }

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/tls_socket.h"

#include <wolfssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/limits.h"
#include "core/loop.h"
#include "crypto/tls_socket_state.h"

namespace sealgate {
namespace {

// Header, nonce and tag or padding of a record, rounded up.
constexpr std::size_t record_overhead_bytes = 64;

}  // namespace

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
        out.emplace(std::max(size, std::min(size + more, limits::read_block_bytes)));
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
        break_off(std::string("TLS: ") + tls_reason_text(error));
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
        break_off(std::string("TLS: ") + tls_reason_text(wolfSSL_get_error(ssl, written)));
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

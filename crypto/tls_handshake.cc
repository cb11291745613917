// SPDX-License-Identifier: GPL-3.0-or-later
// The handshake of a TlsSocket: what it offers, the steps it takes, and how it ended.
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>

#include <utility>

#include "core/limits.h"
#include "crypto/tls_socket_state.h"

namespace sealgate {

const char* tls_reason_text(int error) {
    const char* text = wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(error));
    wolfSSL_ERR_clear_error();
    return text ? text : "";
}

TlsSocket::State::~State() { wolfSSL_free(ssl); }

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

void TlsSocket::State::step_handshake() {
    if (!below) return;
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
    fail_handshake(result, tls_reason_text(error));
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

}  // namespace sealgate

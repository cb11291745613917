// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/tls_context.h"

#include <wolfssl/ssl.h>

#include "core/limits.h"
#include "crypto/pem.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

// wolfSSL tells of every new session: in TLS 1.2 when the handshake ends, in 1.3 when a ticket
// comes. Returns 0: the session stays wolfSSL's, we keep its encoding (20 KB are then 2 KB).
int on_new_session(WOLFSSL* ssl, WOLFSSL_SESSION* session) {
    auto* resumption = static_cast<TlsContext::Resumption*>(wolfSSL_get_app_data(ssl));
    if (!resumption || resumption->target.empty()) return 0;
    const int bytes = wolfSSL_i2d_SSL_SESSION(session, nullptr);
    if (bytes <= 0) return 0;
    TlsSession kept;
    kept.encoded = SecureBytes(static_cast<std::size_t>(bytes));
    unsigned char* out = kept.encoded.data();
    if (wolfSSL_i2d_SSL_SESSION(session, &out) != bytes) return 0;
    kept.use =
        wolfSSL_GetVersion(ssl) == WOLFSSL_TLSV1_3 ? TlsSession::Use::once : TlsSession::Use::often;
    resumption->sessions.keep(resumption->target, std::move(kept));
    return 0;
}

WOLFSSL_METHOD* method_for(TlsContext::Side side, TlsVersions versions) {
    const bool server = side == TlsContext::Side::server;
    switch (versions) {
    case TlsVersions::both: return server ? wolfTLS_server_method() : wolfTLS_client_method();
    case TlsVersions::only_1_2:
        return server ? wolfTLSv1_2_server_method() : wolfTLSv1_2_client_method();
    case TlsVersions::only_1_3:
        return server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method();
    }
    return nullptr;
}

struct FreeContext {
    void operator()(WOLFSSL_CTX* context) const { wolfSSL_CTX_free(context); }
};
using WolfContext = std::unique_ptr<WOLFSSL_CTX, FreeContext>;

Result<WolfContext> make_context(TlsContext::Side side, TlsVersions versions) {
    TRY(init_wolfssl());
    WolfContext context(wolfSSL_CTX_new(method_for(side, versions)));
    if (!context) return temporary("no memory for TLS");
    if (versions == TlsVersions::both &&
        wolfSSL_CTX_SetMinVersion(context.get(), WOLFSSL_TLSV1_2) != WOLFSSL_SUCCESS)
        return internal("wolfSSL does not know TLS 1.2");
    // wolfSSL's own cache is one table with one lock for the whole process.
    const long mode =
        side == TlsContext::Side::client ? WOLFSSL_SESS_CACHE_CLIENT : WOLFSSL_SESS_CACHE_SERVER;
    wolfSSL_CTX_set_session_cache_mode(context.get(), mode | WOLFSSL_SESS_CACHE_NO_INTERNAL);
    return context;
}

Result<void> use_identity(WOLFSSL_CTX* context, const Identity& identity) {
    std::string chain(as_text(write_pem("CERTIFICATE", identity.leaf->der()).bytes()));
    for (const CertificatePtr& issuer : identity.chain)
        chain += as_text(write_pem("CERTIFICATE", issuer->der()).bytes());
    if (wolfSSL_CTX_use_certificate_chain_buffer(
            context, reinterpret_cast<const unsigned char*>(chain.data()),
            static_cast<long>(chain.size())) != WOLFSSL_SUCCESS)
        return unsupported("wolfSSL does not take the certificate for TLS");
    const SecureBytes& key = identity.key.pkcs8;
    if (wolfSSL_CTX_use_PrivateKey_buffer(context, key.data(), static_cast<long>(key.size()),
                                          WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS)
        return unsupported("wolfSSL does not take the private key for TLS");
    if (wolfSSL_CTX_check_private_key(context) != WOLFSSL_SUCCESS)
        return malformed("the private key is not the certificate's");
    return {};
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::client(const TlsClientOptions& options) {
    WolfContext context = TRY(make_context(Side::client, options.versions));
    wolfSSL_CTX_set_verify(context.get(), WOLFSSL_VERIFY_NONE, nullptr);
    if (options.sessions_per_target > 0) {
        if (wolfSSL_CTX_UseSessionTicket(context.get()) != WOLFSSL_SUCCESS)
            return temporary("no memory for TLS");
        wolfSSL_CTX_sess_set_new_cb(context.get(), on_new_session);
    }
    return std::shared_ptr<TlsContext>(
        new TlsContext(Side::client, context.release(), options.sessions_per_target));
}

Result<std::shared_ptr<TlsContext>> TlsContext::server(const Identity& identity,
                                                       const TlsServerOptions& options) {
    WolfContext context = TRY(make_context(Side::server, options.versions));
    TRY(use_identity(context.get(), identity));
    // Without one the name that a client asks for is not looked at.
    wolfSSL_CTX_set_servername_callback(context.get(),
                                        [](WOLFSSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; });
    return std::shared_ptr<TlsContext>(new TlsContext(Side::server, context.release(), 0));
}

TlsContext::TlsContext(Side side, WOLFSSL_CTX* wolfssl, std::size_t sessions_per_target)
    : side_(side),
      wolfssl_(wolfssl),
      sessions_(sessions_per_target, limits::tls_session_targets_max) {}

TlsContext::~TlsContext() {
    wolfSSL_CTX_free(wolfssl_);
    if (read_block_) read_block_->release();
}

std::span<std::uint8_t> TlsContext::read_room() {
    if (read_block_ && !read_block_->shared()) read_used_ = 0;  // all was released
    if (!read_block_ || read_block_->capacity - read_used_ < limits::tls_record_bytes_max) {
        if (read_block_) read_block_->release();
        read_block_ = Block::allocate(limits::read_block_bytes);
        read_used_ = 0;
    }
    return {read_block_->bytes() + read_used_, read_block_->capacity - read_used_};
}

Chunk TlsContext::take_read(std::size_t bytes) {
    Chunk chunk = Chunk::window(*read_block_, read_used_, bytes);
    read_used_ += bytes;
    return chunk;
}

std::span<std::uint8_t> TlsContext::write_room() {
    if (write_room_.empty()) write_room_ = SecureBytes(limits::tls_record_bytes_max);
    return {write_room_.data(), write_room_.size()};
}

}  // namespace sealgate

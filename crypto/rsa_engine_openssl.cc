// SPDX-License-Identifier: GPL-3.0-or-later
// libcrypto's half of the RSA engine; wolfSSL's headers stay out of this file.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>

#include "crypto/rsa_engine.h"
#include "crypto/signing_key.h"

namespace sealgate {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;

const EVP_MD* message_digest(DigestAlgorithm digest) {
    switch (digest) {
    case DigestAlgorithm::sha256: return EVP_sha256();
    case DigestAlgorithm::sha384: return EVP_sha384();
    case DigestAlgorithm::sha512: return EVP_sha512();
    }
    return nullptr;
}

Result<Context> context_for(EVP_PKEY* key, SignatureScheme scheme, DigestAlgorithm digest) {
    Context context(EVP_PKEY_CTX_new(key, nullptr));
    const bool pss = scheme == SignatureScheme::rsa_pss;
    const bool ready =
        context && EVP_PKEY_sign_init(context.get()) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(),
                                     pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(context.get(), message_digest(digest)) == 1 &&
        (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1);
    if (ready) return context;
    ERR_clear_error();
    return internal("libcrypto does not begin an RSA signature");
}

}  // namespace

struct OpensslRsaKey::State {
    Key key;
    // A begun operation may sign again and again; setting one up costs as much as 5 % of it.
    struct Begun {
        Context context;
        SignatureScheme scheme;
        DigestAlgorithm digest;
    };
    std::vector<Begun> begun;
    Context decryption;
};

OpensslRsaKey::OpensslRsaKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
OpensslRsaKey::~OpensslRsaKey() = default;

Result<std::unique_ptr<OpensslRsaKey>> OpensslRsaKey::decode(ByteSpan pkcs8) {
    const unsigned char* at = pkcs8.data();
    auto state = std::make_unique<State>();
    state->key.reset(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(pkcs8.size())));
    const bool rsa = state->key && EVP_PKEY_get_base_id(state->key.get()) == EVP_PKEY_RSA;
    ERR_clear_error();
    if (!rsa) return malformed("the private key cannot be read");
    return std::unique_ptr<OpensslRsaKey>(new OpensslRsaKey(std::move(state)));
}

Result<Bytes> OpensslRsaKey::sign(SignatureScheme scheme, const DigestValue& digest) {
    EVP_PKEY_CTX* context = nullptr;
    for (const State::Begun& one : state_->begun) {
        if (one.scheme == scheme && one.digest == digest.algorithm()) context = one.context.get();
    }
    if (!context) {
        Context begun = TRY(context_for(state_->key.get(), scheme, digest.algorithm()));
        context = begun.get();
        state_->begun.push_back({std::move(begun), scheme, digest.algorithm()});
    }
    const ByteSpan in = digest.bytes();
    Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(state_->key.get())));
    std::size_t written = signature.size();
    if (EVP_PKEY_sign(context, signature.data(), &written, in.data(), in.size()) != 1 ||
        written != signature.size()) {
        ERR_clear_error();
        return internal("the private-key operation failed");
    }
    return signature;
}

Result<SecureBytes> OpensslRsaKey::decrypt(ByteSpan ciphertext) {
    constexpr const char* failed = "the private-key operation failed";
    if (!state_->decryption) {
        Context begun(EVP_PKEY_CTX_new(state_->key.get(), nullptr));
        if (!begun || EVP_PKEY_decrypt_init(begun.get()) != 1 ||
            EVP_PKEY_CTX_set_rsa_padding(begun.get(), RSA_NO_PADDING) != 1) {
            ERR_clear_error();
            return internal(failed);
        }
        state_->decryption = std::move(begun);
    }
    SecureBytes block(static_cast<std::size_t>(EVP_PKEY_get_size(state_->key.get())));
    std::size_t written = block.size();
    if (EVP_PKEY_decrypt(state_->decryption.get(), block.data(), &written, ciphertext.data(),
                         ciphertext.size()) != 1 ||
        written != block.size()) {
        ERR_clear_error();
        return malformed(failed);
    }
    return block;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_transport.h"

#include <wolfssl/wolfcrypt/rsa.h>

#include "crypto/wolf.h"

namespace sealgate {
namespace {

constexpr const char* unusable = "the RSA key of a recipient's certificate cannot be used";

class PublicKey {
public:
    PublicKey() : ready_(wc_InitRsaKey(&key_, nullptr) == 0) {}
    ~PublicKey() {
        if (ready_) wc_FreeRsaKey(&key_);
    }
    PublicKey(const PublicKey&) = delete;
    PublicKey& operator=(const PublicKey&) = delete;

    Result<RsaKey*> decode(ByteSpan public_key_info) {
        if (!ready_) return internal("a wolfCrypt key does not begin");
        word32 at = 0;
        if (wc_RsaPublicKeyDecode(public_key_info.data(), &at, &key_,
                                  static_cast<word32>(public_key_info.size())) != 0) {
            return malformed(unusable);
        }
        // An exponent of 1 encrypts nothing, an even one or modulus cannot be undone.
        if (!mp_isodd(&key_.n) || !mp_isodd(&key_.e) || mp_count_bits(&key_.e) < 2)
            return malformed(unusable);
        return &key_;
    }

private:
    RsaKey key_;
    bool ready_;
};

}  // namespace

Result<Bytes> transport_key(const Certificate& recipient, RsaTransport transport,
                            ByteSpan content_key) {
    WC_RNG* rng = TRY(thread_rng());
    PublicKey holder;
    RsaKey* key = TRY(holder.decode(recipient.public_key_der()));
    const int modulus_bytes = wc_RsaEncryptSize(key);
    if (modulus_bytes <= 0) return malformed(unusable);
    Bytes encrypted(static_cast<std::size_t>(modulus_bytes));
    const auto in_size = static_cast<word32>(content_key.size());
    const auto room = static_cast<word32>(encrypted.size());
    const int done =
        transport == RsaTransport::oaep
            ? wc_RsaPublicEncrypt_ex(content_key.data(), in_size, encrypted.data(), room, key, rng,
                                     WC_RSA_OAEP_PAD, WC_HASH_TYPE_SHA256, WC_MGF1SHA256, nullptr,
                                     0)
            : wc_RsaPublicEncrypt(content_key.data(), in_size, encrypted.data(), room, key, rng);
    if (done != modulus_bytes) return malformed(unusable);
    return encrypted;
}

}  // namespace sealgate

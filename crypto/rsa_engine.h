// SPDX-License-Identifier: GPL-3.0-or-later
// Which library does RSA private-key operations, per key size: `[gateway] rsa-engine`.
//
// libcrypto is faster where the processor has AVX-512 IFMA, wolfCrypt elsewhere and for 4096 bits;
// the signatures are the same, so `auto` measures once at start and takes the faster.
// choose_rsa_engine() is called before worker threads sign; until then wolfCrypt does.
#pragma once

#include <cstdint>
#include <memory>

#include "core/bytes.h"
#include "core/config.h"
#include "core/result.h"
#include "crypto/digest.h"

namespace sealgate {

enum class SignatureScheme : std::uint8_t;

// `auto` takes some 40 ms: both libraries sign a few times for each size.
void choose_rsa_engine(GatewayOptions::RsaEngine wanted);
const char* rsa_engine_for(unsigned key_bits);  // "wolfcrypt", "openssl"
bool rsa_uses_openssl(unsigned key_bits);

// libcrypto's copy of one private key; one thread's.
class OpensslRsaKey {
public:
    static Result<std::unique_ptr<OpensslRsaKey>> decode(ByteSpan pkcs8);
    ~OpensslRsaKey();
    OpensslRsaKey(const OpensslRsaKey&) = delete;
    OpensslRsaKey& operator=(const OpensslRsaKey&) = delete;

    Result<Bytes> sign(SignatureScheme scheme, const DigestValue& digest);
    // The bare operation, blinded: as many bytes as the modulus has, whatever is in them.
    Result<SecureBytes> decrypt(ByteSpan ciphertext);

private:
    struct State;
    explicit OpensslRsaKey(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// PKCS#8 keys known to the world, for measuring and for nothing else (crypto/rsa_engine_keys.cc).
SecureBytes rsa_measuring_key(unsigned key_bits);  // 2048, 3072, 4096

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Private keys, decoded: one copy per thread and key.
//
// wolfCrypt's keys are not shared between threads (an RsaKey keeps scratch values: wrong signatures
// and crashes), so each worker decodes its own from the DER that all share, and keeps the last used
// ones. Copies are wiped when they go: replaced by newer ones, or at the thread's end.
#pragma once

#include <cstddef>
#include <memory>

#include "core/result.h"
#include "crypto/identity.h"
#include "crypto/rsa_engine.h"

struct RsaKey;
struct ecc_key;
struct ed25519_key;
struct curve25519_key;

namespace sealgate {

struct WorkerKey {
    struct Free {
        void operator()(RsaKey* key) const noexcept;
        void operator()(ecc_key* key) const noexcept;
        void operator()(ed25519_key* key) const noexcept;
        void operator()(curve25519_key* key) const noexcept;
    };
    // One of them is there, as the kind of the key says.
    std::unique_ptr<RsaKey, Free> rsa;
    std::unique_ptr<ecc_key, Free> ecc;
    std::unique_ptr<ed25519_key, Free> ed25519;
    std::unique_ptr<curve25519_key, Free> x25519;  // decrypts, does not sign
    // libcrypto's copy, made when its engine is first asked for.
    std::unique_ptr<OpensslRsaKey> openssl_rsa;

    static Result<std::unique_ptr<WorkerKey>> decode(const PrivateKey& key);
};

// A thread keeps this many (an RSA-4096 key of both libraries takes some 20 KB).
inline constexpr std::size_t worker_keys_max = 128;

// This thread's copy of `key`; good until the thread's next call.
Result<WorkerKey*> worker_key(const PrivateKey& key);

}  // namespace sealgate

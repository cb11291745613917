// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_unwrap.h"

#include <utility>

namespace sealgate {
namespace {

constexpr const char* not_opened = "no content key";

Result<SecureBytes> unwrap(const WrappedKey& wrapped, std::size_t key_bytes) {
    const PrivateKey& key = wrapped.identity->key;
    switch (wrapped.kind) {
    case WrappedKey::Kind::rsa_pkcs1: return unwrap_pkcs1(key, wrapped.encrypted_key, key_bytes);
    case WrappedKey::Kind::rsa_oaep: return unwrap_oaep(key, wrapped.oaep, wrapped.encrypted_key);
    case WrappedKey::Kind::agreed: return unwrap_agreed(key, wrapped);
    case WrappedKey::Kind::unusable: break;
    }
    return unsupported("a key that is wrapped in no known way");
}

}  // namespace

Result<UnwrappedKey> unwrap_content_key(const std::vector<WrappedKey>& wrapped,
                                        std::size_t key_bytes) {
    bool one_is_usable = false;
    for (const bool is_pkcs1 : {false, true}) {
        for (std::size_t i = 0; i < wrapped.size(); ++i) {
            if (wrapped[i].kind == WrappedKey::Kind::unusable) continue;
            if ((wrapped[i].kind == WrappedKey::Kind::rsa_pkcs1) != is_pkcs1) continue;
            one_is_usable = true;
            auto key = unwrap(wrapped[i], key_bytes);
            if (key && key->size() == key_bytes) return UnwrappedKey{*std::move(key), i};
        }
    }
    if (!one_is_usable) return unsupported("a key that is wrapped in no known way");
    return malformed(not_opened);
}

}  // namespace sealgate

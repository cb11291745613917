// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/worker_keys.h"

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "crypto/ber_writer.h"
#include "crypto/der_reader.h"
#include "crypto/oid.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

constexpr const char* unreadable = "the private key cannot be read";

template <typename Key, int (*init)(Key*), int (*decode)(const byte*, word32*, Key*, word32)>
Result<std::unique_ptr<Key, WorkerKey::Free>> decoded(ByteSpan pkcs8) {
    auto raw = std::make_unique<Key>();
    if (init(raw.get()) != 0) return internal("a wolfCrypt key does not begin");
    std::unique_ptr<Key, WorkerKey::Free> key(raw.release());
    word32 at = 0;
    if (decode(pkcs8.data(), &at, key.get(), static_cast<word32>(pkcs8.size())) != 0)
        return malformed(unreadable);
    return key;
}

int init_rsa(RsaKey* key) { return wc_InitRsaKey(key, nullptr); }

// PKCS#8 holds the seed alone as a rule (RFC 8410 §7); signing wants the public half, too.
Result<void> complete(ed25519_key& key) {
    if (key.pubKeySet) return {};
    std::array<std::uint8_t, ED25519_PUB_KEY_SIZE> half;
    if (wc_ed25519_make_public(&key, half.data(), half.size()) != 0) return malformed(unreadable);
    if (wc_ed25519_import_public_ex(half.data(), half.size(), &key, 1) != 0)
        return malformed(unreadable);
    return {};
}

// OneAsymmetricKey { version, { id-X25519 }, OCTET STRING { OCTET STRING } … }: RFC 8410 §7.
// wolfCrypt's own decoder takes the number for big-endian.
Result<std::unique_ptr<curve25519_key, WorkerKey::Free>> decode_x25519(ByteSpan pkcs8) {
    DerReader outer(pkcs8);
    DerReader reader(TRY(outer.next(ber::sequence)).contents);
    TRY(reader.next(ber::integer));
    DerReader algorithm(TRY(reader.next(ber::sequence)).contents);
    if (!std::ranges::equal(TRY(algorithm.next(ber::object_identifier)).whole, oid::x25519))
        return malformed(unreadable);
    DerReader inner(TRY(reader.next(ber::octet_string)).contents);
    const DerElement octets = TRY(inner.next(ber::octet_string));
    const ByteSpan number = octets.contents;
    auto raw = std::make_unique<curve25519_key>();
    if (wc_curve25519_init(raw.get()) != 0) return internal("a wolfCrypt key does not begin");
    std::unique_ptr<curve25519_key, WorkerKey::Free> key(raw.release());
    if (wc_curve25519_import_private_ex(number.data(), static_cast<word32>(number.size()),
                                        key.get(), EC25519_LITTLE_ENDIAN) != 0)
        return malformed(unreadable);
    return key;
}

// The thread's keys, the last used first.
class Cache {
public:
    WorkerKey* find(std::uint64_t id) {
        const auto found = std::find_if(entries_.begin(), entries_.end(),
                                        [&](const Entry& entry) { return entry.first == id; });
        if (found == entries_.end()) return nullptr;
        std::rotate(entries_.begin(), found, found + 1);
        return entries_.front().second.get();
    }
    WorkerKey* add(std::uint64_t id, std::unique_ptr<WorkerKey> key) {
        if (entries_.size() == worker_keys_max) entries_.pop_back();
        entries_.emplace(entries_.begin(), id, std::move(key));
        return entries_.front().second.get();
    }

private:
    using Entry = std::pair<std::uint64_t, std::unique_ptr<WorkerKey>>;
    std::vector<Entry> entries_;
};

}  // namespace

void WorkerKey::Free::operator()(RsaKey* key) const noexcept {
    wc_FreeRsaKey(key);
    wipe(key, sizeof *key);
    delete key;
}

void WorkerKey::Free::operator()(ecc_key* key) const noexcept {
    wc_ecc_free(key);
    wipe(key, sizeof *key);
    delete key;
}

void WorkerKey::Free::operator()(ed25519_key* key) const noexcept {
    wc_ed25519_free(key);
    wipe(key, sizeof *key);
    delete key;
}

void WorkerKey::Free::operator()(curve25519_key* key) const noexcept {
    wc_curve25519_free(key);
    wipe(key, sizeof *key);
    delete key;
}

Result<std::unique_ptr<WorkerKey>> WorkerKey::decode(const PrivateKey& key) {
    WC_RNG* rng = TRY(thread_rng());
    auto copy = std::make_unique<WorkerKey>();
    const ByteSpan pkcs8 = key.pkcs8.bytes();
    switch (key.kind) {
    case KeyKind::rsa:
        copy->rsa = TRY((decoded<RsaKey, init_rsa, wc_RsaPrivateKeyDecode>(pkcs8)));
        if (wc_RsaSetRNG(copy->rsa.get(), rng) != 0) return internal("no blinding for an RSA key");
        return copy;
    case KeyKind::p256:
    case KeyKind::p384:
        copy->ecc = TRY((decoded<ecc_key, wc_ecc_init, wc_EccPrivateKeyDecode>(pkcs8)));
        return copy;
    case KeyKind::ed25519:
        copy->ed25519 =
            TRY((decoded<ed25519_key, wc_ed25519_init, wc_Ed25519PrivateKeyDecode>(pkcs8)));
        TRY(complete(*copy->ed25519));
        return copy;
    case KeyKind::x25519: copy->x25519 = TRY(decode_x25519(pkcs8)); return copy;
    case KeyKind::other: break;
    }
    return unsupported("the private key is of a kind that nothing is done with");
}

Result<WorkerKey*> worker_key(const PrivateKey& key) {
    // Keys are found by their id alone: one without would be taken for another.
    if (key.id == 0) return internal("a private key without an id");
    thread_local Cache cache;
    if (WorkerKey* known = cache.find(key.id)) return known;
    return cache.add(key.id, TRY(WorkerKey::decode(key)));
}

}  // namespace sealgate

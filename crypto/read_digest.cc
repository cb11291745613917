// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/read_digest.h"

#include <wolfssl/wolfcrypt/hash.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "core/result.h"
#include "core/text.h"
#include "crypto/oid.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

// wolfCrypt counts in 32 bits; a span longer than that is hashed in parts.
constexpr std::size_t part_bytes_max = std::size_t{1} << 30;

struct Row {
    ReadDigest digest;
    ByteSpan oid;
    const char* name;
    const char* micalg;
    std::size_t bytes;
    wc_HashType hash;
};

const Row rows[] = {
    // clang-format off
    {ReadDigest::md5,    oid::md5,    "md5",    "md5",     16, WC_HASH_TYPE_NONE},
    {ReadDigest::sha1,   oid::sha1,   "sha1",   "sha-1",   20, WC_HASH_TYPE_SHA},
    {ReadDigest::sha224, oid::sha224, "sha224", "sha-224", 28, WC_HASH_TYPE_SHA224},
    {ReadDigest::sha256, oid::sha256, "sha256", "sha-256", 32, WC_HASH_TYPE_SHA256},
    {ReadDigest::sha384, oid::sha384, "sha384", "sha-384", 48, WC_HASH_TYPE_SHA384},
    {ReadDigest::sha512, oid::sha512, "sha512", "sha-512", 64, WC_HASH_TYPE_SHA512},
    // clang-format on
};

const Row& row_of(ReadDigest digest) { return rows[static_cast<std::size_t>(digest)]; }

std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '"'; };
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::optional<ReadDigest> digest_named(std::string_view word) {
    // "sha-256" since RFC 5751, "sha256" before; "rsa-sha1" is what RFC 2311's example was taken
    // for.
    constexpr std::string_view old_prefix = "rsa-";
    std::string name = lower_case(trimmed(word));
    if (name.rfind(old_prefix, 0) == 0) name.erase(0, old_prefix.size());
    for (const Row& row : rows) {
        if (name == row.name || name == row.micalg) return row.digest;
    }
    return std::nullopt;
}

}  // namespace

const char* to_text(ReadDigest digest) { return row_of(digest).name; }

std::size_t digest_bytes(ReadDigest digest) { return row_of(digest).bytes; }

ByteSpan oid_of(ReadDigest digest) { return row_of(digest).oid; }

std::optional<ReadDigest> read_digest_of(ByteSpan oid) {
    for (const Row& row : rows) {
        if (std::ranges::equal(row.oid, oid)) return row.digest;
    }
    return std::nullopt;
}

std::vector<ReadDigest> digests_for_micalg(std::string_view micalg) {
    std::vector<ReadDigest> digests;
    bool all_known = !micalg.empty();
    while (!micalg.empty()) {
        const std::size_t comma = std::min(micalg.find(','), micalg.size());
        if (const auto digest = digest_named(micalg.substr(0, comma))) {
            digests.push_back(*digest);
        } else {
            all_known = false;
        }
        micalg.remove_prefix(std::min(comma + 1, micalg.size()));
    }
    digests.push_back(ReadDigest::sha256);
    if (!all_known)
        digests.insert(digests.end(), {ReadDigest::sha1, ReadDigest::sha384, ReadDigest::sha512});
    std::erase_if(digests, [](ReadDigest digest) { return !is_computed(digest); });
    std::sort(digests.begin(), digests.end());
    digests.erase(std::unique(digests.begin(), digests.end()), digests.end());
    return digests;
}

struct RunningDigest::State {
    ReadDigest algorithm;
    wc_HashAlg hash;

    ~State() { wc_HashFree(&hash, row_of(algorithm).hash); }
};

RunningDigest::RunningDigest(ReadDigest algorithm) : state_(std::make_unique<State>()) {
    CHECK(init_wolfssl());
    CHECK(is_computed(algorithm));
    state_->algorithm = algorithm;
    CHECK(wc_HashInit(&state_->hash, row_of(algorithm).hash) == 0);
}

RunningDigest::~RunningDigest() = default;
RunningDigest::RunningDigest(RunningDigest&&) noexcept = default;
RunningDigest& RunningDigest::operator=(RunningDigest&&) noexcept = default;

ReadDigest RunningDigest::algorithm() const { return state_->algorithm; }

void RunningDigest::update(ByteSpan bytes) {
    const wc_HashType hash = row_of(state_->algorithm).hash;
    while (!bytes.empty()) {
        const ByteSpan part = bytes.first(std::min(bytes.size(), part_bytes_max));
        CHECK(wc_HashUpdate(&state_->hash, hash, part.data(), static_cast<word32>(part.size())) ==
              0);
        bytes = bytes.subspan(part.size());
    }
}

ReadDigestValue RunningDigest::finish() {
    ReadDigestValue value(state_->algorithm);
    CHECK(wc_HashFinal(&state_->hash, row_of(state_->algorithm).hash, value.value_.data()) == 0);
    return value;
}

ReadDigestValue digest_of(ReadDigest algorithm, ByteSpan bytes) {
    RunningDigest digest(algorithm);
    digest.update(bytes);
    return digest.finish();
}

}  // namespace sealgate

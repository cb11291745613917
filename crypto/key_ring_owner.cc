// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_ring_owner.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "core/text.h"
#include "crypto/certificate_text.h"

namespace sealgate {
namespace {

std::uint64_t random_word() {
    std::random_device random;
    return std::uint64_t{random()} << 32 | random();
}

struct HashKey {
    std::uint64_t first = random_word(), second = random_word() | 1;
};

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::string domain_owner(std::string_view address) {
    const std::size_t at = address.rfind('@');
    if (at == std::string_view::npos || at == 0) return {};
    const auto domain = normal_domain(address.substr(at + 1));
    if (!domain || domain->front() == '*') return {};
    return std::string("@").append(*domain);
}

std::string wildcard_owner(std::string_view domain_owner) {
    const std::size_t dot = domain_owner.find('.');
    if (dot == std::string_view::npos) return {};
    return std::string("@*").append(domain_owner.substr(dot));
}

std::vector<std::string> owners_of_certificate(const Certificate& certificate) {
    std::vector<std::string> owners;
    for (const std::string& email : certificate.emails()) owners.push_back(lower_case(email));
    for (const std::string& domain : certificate.domains())
        owners.push_back(std::string("@").append(domain));
    std::sort(owners.begin(), owners.end());
    owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
    return owners;
}

bool names_owner(const Certificate& certificate, std::string_view owner) {
    if (owner.empty() || owner.front() != '@') return certificate.covers(owner);
    const std::string_view domain = owner.substr(1);
    if (domain.empty() || domain.front() == '*') {
        const auto& domains = certificate.domains();
        return std::find(domains.begin(), domains.end(), domain) != domains.end();
    }
    return certificate.covers(std::string("x").append(owner));
}

// After wyhash: a multiplication of 128 bits for every 16 bytes.
std::uint64_t owner_hash(std::string_view owner) {
    static const HashKey key;
    std::uint64_t hash = key.first ^ owner.size();
    while (!owner.empty()) {
        std::uint64_t words[2] = {};
        const std::size_t bytes = std::min(owner.size(), sizeof words);
        std::memcpy(words, owner.data(), bytes);
        hash = fold(words[0] ^ key.second, words[1] ^ hash);
        owner.remove_prefix(bytes);
    }
    return fold(hash ^ key.first, key.second);
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/signature_algorithm.h"

#include <algorithm>
#include <cstdint>

#include "crypto/ber_writer.h"
#include "crypto/der_reader.h"
#include "crypto/oid.h"
#include "crypto/oid_text.h"

namespace sealgate {
namespace {

struct Identifier {
    ByteSpan oid;         // with its header
    ByteSpan parameters;  // empty: absent
};

Result<Identifier> cut_identifier(ByteSpan der) {
    DerReader outer(der);
    DerReader fields(TRY(outer.next(ber::sequence)).contents);
    if (!outer.at_end()) return malformed("bytes behind an AlgorithmIdentifier");
    Identifier identifier;
    identifier.oid = TRY(fields.next(ber::object_identifier))
    .whole;
    if (!fields.at_end()) identifier.parameters = TRY(fields.next())
    .whole;
    if (!fields.at_end()) return malformed("bytes behind an algorithm's parameters");
    return identifier;
}

struct Row {
    ByteSpan oid;
    SignatureScheme scheme;
    std::optional<ReadDigest> digest;
};

const Row rows[] = {
    // clang-format off
    {oid::rsa_encryption,    SignatureScheme::rsa_pkcs1, std::nullopt},
    {oid::md5_with_rsa,      SignatureScheme::rsa_pkcs1, ReadDigest::md5},
    {oid::sha1_with_rsa,     SignatureScheme::rsa_pkcs1, ReadDigest::sha1},
    {oid::sha224_with_rsa,   SignatureScheme::rsa_pkcs1, ReadDigest::sha224},
    {oid::sha256_with_rsa,   SignatureScheme::rsa_pkcs1, ReadDigest::sha256},
    {oid::sha384_with_rsa,   SignatureScheme::rsa_pkcs1, ReadDigest::sha384},
    {oid::sha512_with_rsa,   SignatureScheme::rsa_pkcs1, ReadDigest::sha512},
    {oid::ec_public_key,     SignatureScheme::ecdsa,     std::nullopt},
    {oid::ecdsa_with_sha1,   SignatureScheme::ecdsa,     ReadDigest::sha1},
    {oid::ecdsa_with_sha224, SignatureScheme::ecdsa,     ReadDigest::sha224},
    {oid::ecdsa_with_sha256, SignatureScheme::ecdsa,     ReadDigest::sha256},
    {oid::ecdsa_with_sha384, SignatureScheme::ecdsa,     ReadDigest::sha384},
    {oid::ecdsa_with_sha512, SignatureScheme::ecdsa,     ReadDigest::sha512},
    {oid::ed25519,           SignatureScheme::ed25519,   std::nullopt},
    // clang-format on
};

// A number of a few octets; what is larger is as good as the largest.
Result<std::size_t> small_integer(ByteSpan field) {
    DerReader outer(field);
    ByteSpan octets = TRY(outer.next(ber::integer))
    .contents;
    if (!outer.at_end()) return malformed("bytes behind an INTEGER");
    if (octets.empty() || (octets[0] & 0x80) != 0) return malformed("not a number of octets");
    while (!octets.empty() && octets[0] == 0) octets = octets.subspan(1);
    if (octets.size() > 4) return std::size_t{0xffffffff};
    std::size_t value = 0;
    for (const std::uint8_t octet : octets) value = value << 8 | octet;
    return value;
}

// RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] DEFAULT sha1, maskGenAlgorithm [1] DEFAULT
// mgf1SHA1, saltLength [2] DEFAULT 20, trailerField [3] DEFAULT 1 }, RFC 4055 §3.1; EXPLICIT tags.
// What is not known leaves the scheme empty.
Result<void> read_pss_parameters(ByteSpan der, ReadSignatureAlgorithm& algorithm) {
    if (der.empty()) return malformed("RSASSA-PSS without parameters");
    DerReader outer(der);
    DerReader fields(TRY(outer.next(ber::sequence)).contents);
    algorithm.scheme = SignatureScheme::rsa_pss;
    algorithm.digest = ReadDigest::sha1;
    unsigned next_number = 0;
    while (!fields.at_end()) {
        const DerElement field = TRY(fields.next());
        const unsigned number = field.tag - unsigned{ber::context(0)};
        if (number < next_number || number > 3)
            return malformed("RSASSA-PSS parameters out of order");
        next_number = number + 1;
        bool is_known = true;
        if (number == 0) {
            algorithm.digest = TRY(parse_digest_algorithm(field.contents))
            .digest;
            is_known = algorithm.digest.has_value();
        } else if (number == 1) {
            const Identifier mask = TRY(cut_identifier(field.contents));
            is_known = std::ranges::equal(mask.oid, oid::mgf1);
            if (is_known) {
                const auto digest = TRY(parse_digest_algorithm(mask.parameters))
                .digest;
                is_known = digest && is_computed(*digest);
                algorithm.mask_digest = digest.value_or(ReadDigest::sha1);
            }
        } else if (number == 2) {
            algorithm.salt_bytes = TRY(small_integer(field.contents));
        } else {
            is_known = TRY(small_integer(field.contents))
            == 1;  // trailerFieldBC
        }
        if (!is_known) algorithm.scheme.reset();
    }
    return {};
}

}  // namespace

const char* to_text(SignatureScheme scheme) {
    switch (scheme) {
    case SignatureScheme::rsa_pkcs1: return "rsa-pkcs1";
    case SignatureScheme::rsa_pss: return "rsa-pss";
    case SignatureScheme::ecdsa: return "ecdsa";
    case SignatureScheme::ed25519: return "ed25519";
    }
    return "";
}

Result<ReadDigestAlgorithm> parse_digest_algorithm(ByteSpan der) {
    const Identifier identifier = TRY(cut_identifier(der));
    ReadDigestAlgorithm algorithm;
    algorithm.digest = read_digest_of(identifier.oid);
    algorithm.name = algorithm.digest ? to_text(*algorithm.digest) : dotted_oid(identifier.oid);
    return algorithm;
}

Result<ReadSignatureAlgorithm> parse_signature_algorithm(ByteSpan der) {
    const Identifier identifier = TRY(cut_identifier(der));
    ReadSignatureAlgorithm algorithm;
    if (std::ranges::equal(identifier.oid, oid::rsassa_pss)) {
        algorithm.name = to_text(SignatureScheme::rsa_pss);
        TRY(read_pss_parameters(identifier.parameters, algorithm));
        return algorithm;
    }
    const auto row = std::ranges::find_if(
        rows, [&](const Row& known) { return std::ranges::equal(known.oid, identifier.oid); });
    if (row == std::end(rows)) {
        algorithm.name = dotted_oid(identifier.oid);
        return algorithm;
    }
    algorithm.scheme = row->scheme;
    algorithm.digest = row->digest;
    algorithm.name = to_text(row->scheme);
    return algorithm;
}

}  // namespace sealgate

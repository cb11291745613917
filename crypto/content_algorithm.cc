// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/content_algorithm.h"

#include <algorithm>

#include "crypto/ber_writer.h"
#include "crypto/der_reader.h"
#include "crypto/oid.h"
#include "crypto/oid_text.h"

namespace sealgate {
namespace {

// Identifiers that are only read; those that are written, too, are crypto/oid.h's.
// clang-format off
constexpr std::uint8_t aes192_cbc[] = {  // 2.16.840.1.101.3.4.1.22
    0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x16};
constexpr std::uint8_t aes192_gcm[] = {  // 2.16.840.1.101.3.4.1.26
    0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x1a};
constexpr std::uint8_t des_ede3_cbc[] = {  // 1.2.840.113549.3.7
    0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07};
constexpr std::uint8_t rc2_cbc[] = {  // 1.2.840.113549.3.2
    0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x02};
constexpr std::uint8_t p_specified[] = {  // 1.2.840.113549.1.1.9
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x09};
constexpr std::uint8_t aes192_wrap[] = {  // 2.16.840.1.101.3.4.1.25
    0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x19};
constexpr std::uint8_t des_ede3_wrap[] = {  // 1.2.840.113549.1.9.16.3.6
    0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x06};
// dhSinglePass-stdDH-…, dhSinglePass-cofactorDH-…
constexpr std::uint8_t std_dh_sha1_kdf[] = {  // 1.3.133.16.840.63.0.2
    0x06, 0x09, 0x2b, 0x81, 0x05, 0x10, 0x86, 0x48, 0x3f, 0x00, 0x02};
constexpr std::uint8_t std_dh_sha224_kdf[] = {0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0b, 0x00};
constexpr std::uint8_t std_dh_sha512_kdf[] = {0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0b, 0x03};
constexpr std::uint8_t cofactor_dh_sha1_kdf[] = {  // 1.3.133.16.840.63.0.3
    0x06, 0x09, 0x2b, 0x81, 0x05, 0x10, 0x86, 0x48, 0x3f, 0x00, 0x03};
constexpr std::uint8_t cofactor_dh_sha224_kdf[] = {0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0e, 0x00};
constexpr std::uint8_t cofactor_dh_sha256_kdf[] = {0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0e, 0x01};
constexpr std::uint8_t cofactor_dh_sha384_kdf[] = {0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0e, 0x02};
constexpr std::uint8_t cofactor_dh_sha512_kdf[] = {0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0e, 0x03};
constexpr std::uint8_t std_dh_hkdf_sha384[] = {  // 1.2.840.113549.1.9.16.3.20
    0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x14};
constexpr std::uint8_t std_dh_hkdf_sha512[] = {  // 1.2.840.113549.1.9.16.3.21
    0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x15};

enum class Parameters : std::uint8_t { iv, gcm, rc2 };
struct CipherRow {
    ByteSpan oid;
    ReadableCipher cipher;
    Parameters parameters;
    std::size_t block_bytes;
};
constexpr CipherRow cipher_rows[] = {
    {oid::aes128_cbc, ReadableCipher::aes_128_cbc,  Parameters::iv,  16},
    {aes192_cbc,      ReadableCipher::aes_192_cbc,  Parameters::iv,  16},
    {oid::aes256_cbc, ReadableCipher::aes_256_cbc,  Parameters::iv,  16},
    {oid::aes128_gcm, ReadableCipher::aes_128_gcm,  Parameters::gcm, 16},
    {aes192_gcm,      ReadableCipher::aes_192_gcm,  Parameters::gcm, 16},
    {oid::aes256_gcm, ReadableCipher::aes_256_gcm,  Parameters::gcm, 16},
    {des_ede3_cbc,    ReadableCipher::des_ede3_cbc, Parameters::iv,  8},
    {rc2_cbc,         ReadableCipher::rc2_128_cbc,  Parameters::rc2, 8},
};

struct WrapRow {
    ByteSpan oid;
    KeyWrap wrap;
};
constexpr WrapRow wrap_rows[] = {
    {oid::aes128_wrap, KeyWrap::aes_128}, {aes192_wrap, KeyWrap::aes_192},
    {oid::aes256_wrap, KeyWrap::aes_256}, {des_ede3_wrap, KeyWrap::des_ede3},
};

struct AgreementRow {
    ByteSpan oid;
    KeyAgreement::Derivation derivation;
    ReadDigest hash;
};
constexpr auto x963 = KeyAgreement::Derivation::x963;
constexpr auto hkdf = KeyAgreement::Derivation::hkdf;
constexpr AgreementRow agreement_rows[] = {
    {std_dh_sha1_kdf,        x963, ReadDigest::sha1},   {cofactor_dh_sha1_kdf,   x963, ReadDigest::sha1},
    {std_dh_sha224_kdf,      x963, ReadDigest::sha224}, {cofactor_dh_sha224_kdf, x963, ReadDigest::sha224},
    {oid::std_dh_sha256_kdf, x963, ReadDigest::sha256}, {cofactor_dh_sha256_kdf, x963, ReadDigest::sha256},
    {oid::std_dh_sha384_kdf, x963, ReadDigest::sha384}, {cofactor_dh_sha384_kdf, x963, ReadDigest::sha384},
    {std_dh_sha512_kdf,      x963, ReadDigest::sha512}, {cofactor_dh_sha512_kdf, x963, ReadDigest::sha512},
    {oid::std_dh_hkdf_sha256, hkdf, ReadDigest::sha256},
    {std_dh_hkdf_sha384,      hkdf, ReadDigest::sha384},
    {std_dh_hkdf_sha512,      hkdf, ReadDigest::sha512},
};
// clang-format on

constexpr const char* not_one = "what should be an AlgorithmIdentifier is none";

template <typename Row, std::size_t count>
const Row* find_row(const Row (&rows)[count], ByteSpan oid) {
    const auto found = std::find_if(std::begin(rows), std::end(rows), [&](const Row& row) {
        return std::equal(row.oid.begin(), row.oid.end(), oid.begin(), oid.end());
    });
    return found == std::end(rows) ? nullptr : found;
}

struct Algorithm {
    ByteSpan oid;         // with its header
    ByteSpan parameters;  // the element, with its header; empty: absent
};

Result<Algorithm> parse_algorithm(ByteSpan der) {
    DerReader outer(der);
    const DerElement sequence = TRY(outer.next(ber::sequence));
    if (!outer.at_end()) return malformed(not_one);
    DerReader reader(sequence.contents);
    Algorithm algorithm;
    algorithm.oid = TRY(reader.next(ber::object_identifier))
    .whole;
    if (reader.at_end()) return algorithm;
    algorithm.parameters = TRY(reader.next())
    .whole;
    if (!reader.at_end()) return malformed(not_one);
    return algorithm;
}

// INTEGERs of parameters: small and not negative.
Result<unsigned> take_small_integer(DerReader& reader) {
    const ByteSpan octets = TRY(reader.next(ber::integer))
    .contents;
    if (octets.empty() || octets.size() > 2 || (octets[0] & 0x80) != 0)
        return unsupported("a number in an algorithm's parameters");
    unsigned value = 0;
    for (const std::uint8_t octet : octets) value = value << 8 | octet;
    return value;
}

Bytes bytes_of(ByteSpan bytes) { return Bytes(bytes.begin(), bytes.end()); }

Result<Bytes> parse_iv(ByteSpan parameters, std::size_t block_bytes) {
    DerReader reader(parameters);
    const DerElement iv = TRY(reader.next(ber::octet_string));
    if (!reader.at_end() || iv.contents.size() != block_bytes)
        return malformed("an initialisation vector of another length than its cipher's");
    return bytes_of(iv.contents);
}

// GCMParameters: RFC 5084 §3.2.
Result<void> parse_gcm(ByteSpan parameters, ContentAlgorithm& algorithm) {
    constexpr unsigned default_tag_bytes = 12, tag_bytes_max = 16;
    DerReader outer(parameters);
    DerReader reader(TRY(outer.next(ber::sequence)).contents);
    const DerElement nonce = TRY(reader.next(ber::octet_string));
    if (nonce.contents.empty()) return malformed("an empty nonce of AES-GCM");
    algorithm.iv = bytes_of(nonce.contents);
    algorithm.tag_bytes = default_tag_bytes;
    if (!reader.at_end()) {
        const unsigned bytes = TRY(take_small_integer(reader));
        // "aes-ICVlen … 12 | 13 | 14 | 15 | 16": a shorter one would be guessed.
        if (bytes < default_tag_bytes || bytes > tag_bytes_max)
            return malformed("a tag of AES-GCM of another length than 12 to 16");
        algorithm.tag_bytes = bytes;
    }
    if (!reader.at_end() || !outer.at_end()) return malformed("parameters of AES-GCM");
    return {};
}

// RC2CBCParameter: RFC 3370 §5.2. The version is a table's entry for the effective key bits: RFC
// 2268 §6.
Result<void> parse_rc2(ByteSpan parameters, ContentAlgorithm& algorithm, std::size_t block_bytes) {
    DerReader outer(parameters);
    DerReader reader(TRY(outer.next(ber::sequence)).contents);
    switch (TRY(take_small_integer(reader))) {
    case 160: algorithm.cipher = ReadableCipher::rc2_40_cbc; break;
    case 120: algorithm.cipher = ReadableCipher::rc2_64_cbc; break;
    case 58: algorithm.cipher = ReadableCipher::rc2_128_cbc; break;
    default: return unsupported("RC2 of another key length than 40, 64 and 128 bits");
    }
    const DerElement iv = TRY(reader.next());
    if (!reader.at_end() || !outer.at_end()) return malformed("parameters of RC2");
    algorithm.iv = TRY(parse_iv(iv.whole, block_bytes));
    return {};
}

Result<ReadDigest> parse_hash(ByteSpan der) {
    const auto digest = read_digest_of(TRY(parse_algorithm(der)).oid);  // NULL or nothing behind
    if (!digest || !is_computed(*digest)) return unsupported("a digest that OAEP is not done with");
    return *digest;
}

// RSAES-OAEP-params: RFC 4055 §4.1.
Result<OaepParameters> parse_oaep(ByteSpan der) {
    OaepParameters parameters;
    if (der.empty()) return parameters;
    DerReader outer(der);
    DerReader reader(TRY(outer.next(ber::sequence)).contents);
    unsigned next_number = 0;
    while (!reader.at_end()) {
        const DerElement element = TRY(reader.next());
        const unsigned number = element.tag - ber::context(0);
        if (element.tag < ber::context(0) || number < next_number || number > 2)
            return malformed("parameters of OAEP");
        next_number = number + 1;
        if (number == 0) {
            parameters.hash = TRY(parse_hash(element.contents));
            continue;
        }
        const Algorithm inner = TRY(parse_algorithm(element.contents));
        if (number == 1) {
            if (!std::ranges::equal(inner.oid, oid::mgf1))
                return unsupported("OAEP with another mask generation than MGF1");
            parameters.mask_hash = TRY(parse_hash(inner.parameters));
        } else {
            if (!std::ranges::equal(inner.oid, p_specified))
                return unsupported("OAEP with a label that is not in the message");
            DerReader label(inner.parameters);
            parameters.label = bytes_of(TRY(label.next(ber::octet_string)).contents);
        }
    }
    return parameters;
}

}  // namespace

std::size_t ContentAlgorithm::key_bytes() const {
    switch (cipher) {
    case ReadableCipher::rc2_40_cbc: return 5;
    case ReadableCipher::rc2_64_cbc: return 8;
    case ReadableCipher::rc2_128_cbc:
    case ReadableCipher::aes_128_cbc:
    case ReadableCipher::aes_128_gcm: return 16;
    case ReadableCipher::des_ede3_cbc:
    case ReadableCipher::aes_192_cbc:
    case ReadableCipher::aes_192_gcm: return 24;
    case ReadableCipher::aes_256_cbc:
    case ReadableCipher::aes_256_gcm: return 32;
    }
    return 0;
}

std::size_t ContentAlgorithm::block_bytes() const { return is_weak() ? 8 : 16; }

bool ContentAlgorithm::is_authenticated() const {
    return cipher == ReadableCipher::aes_128_gcm || cipher == ReadableCipher::aes_192_gcm ||
           cipher == ReadableCipher::aes_256_gcm;
}

bool ContentAlgorithm::is_weak() const {
    return cipher == ReadableCipher::des_ede3_cbc || cipher == ReadableCipher::rc2_40_cbc ||
           cipher == ReadableCipher::rc2_64_cbc || cipher == ReadableCipher::rc2_128_cbc;
}

const char* to_text(ReadableCipher cipher) {
    switch (cipher) {
    case ReadableCipher::aes_128_cbc: return "aes-128-cbc";
    case ReadableCipher::aes_192_cbc: return "aes-192-cbc";
    case ReadableCipher::aes_256_cbc: return "aes-256-cbc";
    case ReadableCipher::aes_128_gcm: return "aes-128-gcm";
    case ReadableCipher::aes_192_gcm: return "aes-192-gcm";
    case ReadableCipher::aes_256_gcm: return "aes-256-gcm";
    case ReadableCipher::des_ede3_cbc: return "3des-cbc";
    case ReadableCipher::rc2_40_cbc: return "rc2-40-cbc";
    case ReadableCipher::rc2_64_cbc: return "rc2-64-cbc";
    case ReadableCipher::rc2_128_cbc: return "rc2-128-cbc";
    }
    return "";
}

std::string algorithm_oid(ByteSpan der) {
    const auto algorithm = parse_algorithm(der);
    return algorithm ? dotted_oid(algorithm->oid) : std::string();
}

Result<ContentAlgorithm> parse_content_algorithm(ByteSpan der) {
    const Algorithm identifier = TRY(parse_algorithm(der));
    const CipherRow* row = find_row(cipher_rows, identifier.oid);
    if (!row) return unsupported("the content's cipher is not known");
    ContentAlgorithm algorithm;
    algorithm.cipher = row->cipher;
    switch (row->parameters) {
    case Parameters::iv:
        algorithm.iv = TRY(parse_iv(identifier.parameters, row->block_bytes));
        break;
    case Parameters::gcm: TRY(parse_gcm(identifier.parameters, algorithm)); break;
    case Parameters::rc2: TRY(parse_rc2(identifier.parameters, algorithm, row->block_bytes)); break;
    }
    return algorithm;
}

Result<KeyTransport> parse_key_transport(ByteSpan der) {
    const Algorithm identifier = TRY(parse_algorithm(der));
    KeyTransport transport;
    // Its parameters are NULL, and some leave them out: there is nothing to say.
    if (std::ranges::equal(identifier.oid, oid::rsa_encryption)) return transport;
    if (!std::ranges::equal(identifier.oid, oid::rsaes_oaep))
        return unsupported("the key transport is not known");
    transport.oaep = true;
    transport.parameters = TRY(parse_oaep(identifier.parameters));
    return transport;
}

std::size_t key_bytes(KeyWrap wrap) {
    switch (wrap) {
    case KeyWrap::aes_128: return 16;
    case KeyWrap::aes_192:
    case KeyWrap::des_ede3: return 24;
    case KeyWrap::aes_256: return 32;
    }
    return 0;
}

Result<KeyAgreement> parse_key_agreement(ByteSpan der) {
    const Algorithm scheme = TRY(parse_algorithm(der));
    const AgreementRow* row = find_row(agreement_rows, scheme.oid);
    if (!row) return unsupported("the key agreement is not known");
    const Algorithm wrap = TRY(parse_algorithm(scheme.parameters));
    const WrapRow* wrap_row = find_row(wrap_rows, wrap.oid);
    if (!wrap_row) return unsupported("the key wrap is not known");
    return KeyAgreement{row->derivation, row->hash, wrap_row->wrap, bytes_of(scheme.parameters)};
}

}  // namespace sealgate

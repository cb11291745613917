// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/smime_capabilities.h"

#include <algorithm>

#include "core/limits.h"
#include "crypto/ber_writer.h"
#include "crypto/der_reader.h"
#include "crypto/oid.h"

namespace sealgate {
namespace {

bool equal(ByteSpan a, ByteSpan b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// Of RSAES-OAEP-params the hash. RFC 4055 §4.1 has it in [0]; the encoding that RFC 3560 §5 prints
// for SMIMECapabilities has not. Absent, it is SHA-1: such a program may know no other.
Result<bool> names_sha256(DerReader parameters) {
    if (parameters.at_end()) return false;
    DerReader parts(TRY(parameters.next(ber::sequence)).contents);
    if (parts.at_end()) return false;
    DerElement hash = TRY(parts.next());
    if (hash.tag == ber::context(0)) hash = TRY(DerReader(hash.contents).next());
    if (hash.tag != ber::sequence) return false;  // [1]: only the mask is named
    return equal(TRY(DerReader(hash.contents).next()).whole, oid::sha256);
}

Result<void> add(SmimeCapabilities& all, ByteSpan capability) {
    DerReader reader(capability);
    const ByteSpan id = TRY(reader.next(ber::object_identifier))
    .whole;
    const struct {
        ByteSpan id;
        bool& flag;
    } ciphers[] = {{oid::aes128_cbc, all.aes_128_cbc},
                   {oid::aes256_cbc, all.aes_256_cbc},
                   {oid::aes128_gcm, all.aes_128_gcm},
                   {oid::aes256_gcm, all.aes_256_gcm}};
    for (const auto& cipher : ciphers) cipher.flag |= equal(id, cipher.id);
    if (equal(id, oid::rsaes_oaep)) all.rsa_oaep |= TRY(names_sha256(reader));
    return {};
}

constexpr ContentCipher best_first[] = {ContentCipher::aes_256_gcm, ContentCipher::aes_128_gcm,
                                        ContentCipher::aes_256_cbc, ContentCipher::aes_128_cbc};

ContentCipher best_for(std::span<const SmimeCapabilities> recipients) {
    const bool all_known = std::all_of(recipients.begin(), recipients.end(),
                                       [](const SmimeCapabilities& one) { return one.known; });
    if (recipients.empty() || !all_known) return ContentCipher::aes_256_cbc;
    for (const ContentCipher cipher : best_first) {
        if (std::all_of(recipients.begin(), recipients.end(),
                        [&](const SmimeCapabilities& one) { return one.reads(cipher); })) {
            return cipher;
        }
    }
    // Nothing in common: somebody lists weak ciphers only, which are never written.
    return ContentCipher::aes_256_cbc;
}

}  // namespace

const char* to_text(ContentCipher cipher) {
    switch (cipher) {
    case ContentCipher::aes_128_cbc: return "aes-128-cbc";
    case ContentCipher::aes_256_cbc: return "aes-256-cbc";
    case ContentCipher::aes_128_gcm: return "aes-128-gcm";
    case ContentCipher::aes_256_gcm: return "aes-256-gcm";
    }
    return "";
}

bool SmimeCapabilities::reads(ContentCipher cipher) const {
    switch (cipher) {
    case ContentCipher::aes_128_cbc: return aes_128_cbc;
    case ContentCipher::aes_256_cbc: return aes_256_cbc || !known;
    case ContentCipher::aes_128_gcm: return aes_128_gcm;
    case ContentCipher::aes_256_gcm: return aes_256_gcm;
    }
    return false;
}

std::uint8_t SmimeCapabilities::to_bits() const {
    unsigned bits = 0;
    unsigned place = 0;
    for (const bool flag : {known, aes_128_cbc, aes_256_cbc, aes_128_gcm, aes_256_gcm, rsa_oaep})
        bits |= (flag ? 1U : 0U) << place++;
    return static_cast<std::uint8_t>(bits);
}

SmimeCapabilities SmimeCapabilities::of_bits(std::uint8_t bits) {
    const auto bit = [&](unsigned place) { return (bits >> place & 1U) != 0; };
    if (!bit(0)) return {};
    return {true, bit(1), bit(2), bit(3), bit(4), bit(5)};
}

Result<SmimeCapabilities> parse_smime_capabilities(ByteSpan der) {
    if (der.size() > limits::smime_capabilities_bytes_max)
        return past_limit("SMIMECapabilities too long (smime_capabilities_bytes_max)");
    DerReader outer(der);
    DerReader list(TRY(outer.next(ber::sequence)).contents);
    if (!outer.at_end()) return malformed("bytes behind SMIMECapabilities");
    SmimeCapabilities all;
    all.known = true;
    while (!list.at_end()) {
        const ByteSpan capability = TRY(list.next(ber::sequence)).contents;
        TRY(add(all, capability));
    }
    return all;
}

ContentCipher choose_cipher(SendingProfileOptions::Cipher wanted,
                            std::span<const SmimeCapabilities> recipients) {
    using Cipher = SendingProfileOptions::Cipher;
    switch (wanted) {
    case Cipher::automatic: return best_for(recipients);
    case Cipher::aes_128_cbc: return ContentCipher::aes_128_cbc;
    case Cipher::aes_256_cbc: return ContentCipher::aes_256_cbc;
    case Cipher::aes_128_gcm: return ContentCipher::aes_128_gcm;
    case Cipher::aes_256_gcm: return ContentCipher::aes_256_gcm;
    }
    return ContentCipher::aes_256_cbc;
}

}  // namespace sealgate

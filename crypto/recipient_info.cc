// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/recipient_info.h"

#include <algorithm>
#include <utility>

#include "crypto/ber_writer.h"
#include "crypto/der_reader.h"
#include "crypto/oid.h"

namespace sealgate {
namespace {

constexpr std::uint8_t implicit_octets_0 = 0x80;  // [0] IMPLICIT OCTET STRING

constexpr std::uint8_t secp256r1[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::uint8_t secp384r1[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};

Bytes bytes_of(ByteSpan bytes) { return Bytes(bytes.begin(), bytes.end()); }

// RecipientIdentifier ::= CHOICE { issuerAndSerialNumber, subjectKeyIdentifier [0] }
Result<IdentityPtr> find_recipient(const DerElement& identifier, const DecryptionKeys& keys) {
    if (identifier.tag == ber::sequence) return keys.find_by_issuer(identifier.contents);
    if (identifier.tag == implicit_octets_0)
        return keys.find_by_subject_key_id(identifier.contents);
    return malformed("a recipient is named in no known way");
}

// KeyAgreeRecipientIdentifier ::= CHOICE { issuerAndSerialNumber, rKeyId [0] }; a date and what
// else is behind the identifier of the key do not matter.
Result<IdentityPtr> find_agreeing(const DerElement& identifier, const DecryptionKeys& keys) {
    if (identifier.tag == ber::sequence) return keys.find_by_issuer(identifier.contents);
    if (identifier.tag != ber::context(0)) return malformed("a recipient is named in no known way");
    DerReader reader(identifier.contents);
    return keys.find_by_subject_key_id(TRY(reader.next(ber::octet_string)).contents);
}

// A known algorithm for another kind of key, or too much of it: for us, but not usable.
void keep(WrappedKey key, WrappedKey::Kind kind, std::vector<WrappedKey>& found) {
    const KeyKind own = key.identity->key.kind;
    const bool agrees = own == KeyKind::p256 || own == KeyKind::p384 || own == KeyKind::x25519;
    const bool fits = kind == WrappedKey::Kind::agreed ? agrees : own == KeyKind::rsa;
    const std::size_t bytes = key.encrypted_key.size() + key.oaep.label.size() +
                              key.originator_key.size() + (key.ukm ? key.ukm->size() : 0) +
                              key.agreement.wrap_algorithm.size();
    if (fits && bytes <= wrapped_key_bytes_max) {
        key.kind = kind;
        found.push_back(std::move(key));
        return;
    }
    WrappedKey unusable;
    unusable.identity = std::move(key.identity);
    found.push_back(std::move(unusable));
}

// KeyTransRecipientInfo ::= SEQUENCE { version, rid, keyEncryptionAlgorithm, encryptedKey }
Result<void> add_transported(ByteSpan contents, const DecryptionKeys& keys,
                             std::vector<WrappedKey>& found) {
    DerReader reader(contents);
    TRY(reader.next(ber::integer));
    const DerElement identifier = TRY(reader.next());
    WrappedKey key;
    key.identity = TRY(find_recipient(identifier, keys));
    if (!key.identity) return {};
    const DerElement algorithm = TRY(reader.next(ber::sequence));
    key.encrypted_key = bytes_of(TRY(reader.next(ber::octet_string)).contents);
    auto transport = parse_key_transport(algorithm.whole);
    if (!transport) {
        keep(std::move(key), WrappedKey::Kind::unusable, found);
        return {};
    }
    key.oaep = std::move(transport->parameters);
    keep(std::move(key), transport->oaep ? WrappedKey::Kind::rsa_oaep : WrappedKey::Kind::rsa_pkcs1,
         found);
    return {};
}

// OriginatorPublicKey, of an ephemeral key.
struct Originator {
    bool usable = false;
    ByteSpan algorithm;   // the identifier
    ByteSpan parameters;  // empty: absent
    ByteSpan key;
};

// OriginatorIdentifierOrKey ::= CHOICE { issuerAndSerialNumber, subjectKeyIdentifier [0],
// originatorKey [1] }. The first two mean a static key of the sender's, which nobody uses.
Result<Originator> parse_originator(ByteSpan der) {
    DerReader outer(der);
    const DerElement choice = TRY(outer.next());
    Originator originator;
    if (choice.tag != ber::context(1)) return originator;
    DerReader reader(choice.contents);
    const DerElement algorithm = TRY(reader.next(ber::sequence));
    const ByteSpan bits = TRY(reader.next(ber::bit_string))
    .contents;
    if (bits.empty() || bits[0] != 0) return malformed("an originator's key of broken octets");
    DerReader inner(algorithm.contents);
    originator.algorithm = TRY(inner.next(ber::object_identifier))
    .whole;
    if (!inner.at_end()) originator.parameters = TRY(inner.next())
    .whole;
    originator.key = bits.subspan(1);
    originator.usable = true;
    return originator;
}

// RFC 5753 §3.1.1: the curve is absent, NULL, or that of the recipient. RFC 8418 §3.1: id-X25519.
bool is_of_kind(const Originator& originator, KeyKind kind) {
    if (!originator.usable) return false;
    if (kind == KeyKind::x25519) return std::ranges::equal(originator.algorithm, oid::x25519);
    if (!std::ranges::equal(originator.algorithm, oid::ec_public_key)) return false;
    if (originator.parameters.empty() || originator.parameters[0] == ber::null) return true;
    if (kind == KeyKind::p256) return std::ranges::equal(originator.parameters, secp256r1);
    return std::ranges::equal(originator.parameters, secp384r1);
}

// KeyAgreeRecipientInfo ::= SEQUENCE { version, originator [0] EXPLICIT, ukm [1] EXPLICIT OPTIONAL,
// keyEncryptionAlgorithm, recipientEncryptedKeys SEQUENCE OF SEQUENCE { rid, encryptedKey } }
Result<void> add_agreed(ByteSpan contents, const DecryptionKeys& keys, std::size_t count_max,
                        std::vector<WrappedKey>& found) {
    DerReader reader(contents);
    TRY(reader.next(ber::integer));
    const DerElement originator_der = TRY(reader.next(ber::context(0)));
    std::optional<Bytes> ukm;
    DerElement algorithm = TRY(reader.next());
    if (algorithm.tag == ber::context(1)) {
        DerReader inner(algorithm.contents);
        ukm = bytes_of(TRY(inner.next(ber::octet_string)).contents);
        algorithm = TRY(reader.next());
    }
    const Originator originator = TRY(parse_originator(originator_der.contents));
    const auto agreement = parse_key_agreement(algorithm.whole);
    DerReader recipients(TRY(reader.next(ber::sequence)).contents);
    while (!recipients.at_end() && found.size() < count_max) {
        DerReader recipient(TRY(recipients.next(ber::sequence)).contents);
        const DerElement identifier = TRY(recipient.next());
        WrappedKey key;
        key.identity = TRY(find_agreeing(identifier, keys));
        if (!key.identity) continue;
        key.encrypted_key = bytes_of(TRY(recipient.next(ber::octet_string)).contents);
        if (!agreement || !is_of_kind(originator, key.identity->key.kind)) {
            keep(std::move(key), WrappedKey::Kind::unusable, found);
            continue;
        }
        key.agreement = *agreement;
        key.originator_key = bytes_of(originator.key);
        key.ukm = ukm;
        keep(std::move(key), WrappedKey::Kind::agreed, found);
    }
    return {};
}

}  // namespace

const char* to_text(WrappedKey::Kind kind) {
    switch (kind) {
    case WrappedKey::Kind::rsa_pkcs1: return "rsa-pkcs1";
    case WrappedKey::Kind::rsa_oaep: return "rsa-oaep";
    case WrappedKey::Kind::agreed: return "ecdh";
    case WrappedKey::Kind::unusable: break;
    }
    return "";
}

Result<void> add_wrapped_keys(ByteSpan der, const DecryptionKeys& keys, std::size_t count_max,
                              std::vector<WrappedKey>& found) {
    if (found.size() >= count_max) return {};
    DerReader reader(der);
    const DerElement info = TRY(reader.next());
    if (info.tag == ber::sequence) return add_transported(info.contents, keys, found);
    if (info.tag == ber::context(1)) return add_agreed(info.contents, keys, count_max, found);
    return {};  // kekri, pwri, ori
}

}  // namespace sealgate

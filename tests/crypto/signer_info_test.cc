// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/signer_info.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate_text.h"
#include "crypto/oid.h"
#include "tests/crypto/signer_info_fixture.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate {
namespace {

using test::attribute;
using test::attribute_set;
using test::from_hexadecimal;
using test::integer;
using test::name_of;
using test::octet_string;
using test::sequence;
using test::signer_info_of;
using test::SignerInfoParts;

Bytes bytes_of(ByteSpan span) { return Bytes(span.begin(), span.end()); }

const Bytes content_type = attribute(oid::content_type, {bytes_of(oid::data)});
const Bytes message_digest = attribute(oid::message_digest, {octet_string(as_bytes("digest"))});

// --- SignerInfo
// -------------------------------------------------------------------------------------

TEST(SignerInfo, SaysWhoSignedAndHow) {
    SignerInfoParts parts;
    parts.attributes = attribute_set(0, {content_type, message_digest});
    const Bytes der = signer_info_of(parts);
    const auto info = parse_signer_info(der);
    ASSERT_TRUE(info) << info.error().what;
    EXPECT_EQ(bytes_of(info->signer.issuer), name_of("Example CA"));
    EXPECT_EQ(bytes_of(info->signer.serial), integer(0x1234));
    EXPECT_TRUE(info->signer.key_id.empty());
    EXPECT_EQ(info->digest.digest, ReadDigest::sha256);
    EXPECT_EQ(info->algorithm.scheme, SignatureScheme::ecdsa);
    EXPECT_EQ(bytes_of(info->attributes), parts.attributes);
    EXPECT_TRUE(info->unsigned_attributes.empty());
    EXPECT_EQ(as_text(info->signature), "signature");
    EXPECT_EQ(info->signer.to_text(), "serial 1234 of CN=Example CA");
}

TEST(SignerInfo, NeedsNoAttributes) {
    const Bytes der = signer_info_of({});
    const auto info = parse_signer_info(der);
    ASSERT_TRUE(info) << info.error().what;
    EXPECT_TRUE(info->attributes.empty());
}

TEST(SignerInfo, NamesASignerByItsKey) {
    SignerInfoParts parts;
    parts.version = integer(3);
    parts.signer = from_hexadecimal("80045f0e0102");
    const Bytes der = signer_info_of(parts);
    const auto info = parse_signer_info(der);
    ASSERT_TRUE(info) << info.error().what;
    EXPECT_TRUE(info->signer.serial.empty());
    EXPECT_EQ(info->signer.to_text(), "key 5F0E0102");
}

TEST(SignerInfo, IsRefusedWhereItIsNone) {
    const auto with = [](auto change) {
        SignerInfoParts parts;
        change(parts);
        return signer_info_of(parts);
    };
    const struct {
        const char* name;
        Bytes der;
    } rows[] = {
        {"empty", {}},
        {"an empty SEQUENCE", sequence()},
        {"a SET",
         [] {
             Bytes der = signer_info_of({});
             der[0] = 0x31;
             return der;
         }()},
        {"no version", with([](auto& p) { p.version = {}; })},
        {"a signer that is an INTEGER", with([](auto& p) { p.signer = integer(1); })},
        {"no signer", with([](auto& p) { p.signer = {}; })},
        {"a key identifier of nothing", with([](auto& p) { p.signer = from_hexadecimal("8000"); })},
        {"a signer with no serial number",
         with([](auto& p) { p.signer = sequence(name_of("a")); })},
        {"a signer with more than a serial number",
         with([](auto& p) { p.signer = sequence(name_of("a"), integer(1), integer(1)); })},
        {"a digest that is no SEQUENCE", with([](auto& p) { p.digest = integer(1); })},
        {"no signature", with([](auto& p) { p.signature = {}; })},
        {"a signature that is a BIT STRING",
         with([](auto& p) { p.signature = from_hexadecimal("030100"); })},
        {"the signed attributes in the unsigned ones' place",
         with([](auto& p) { p.unsigned_attributes = attribute_set(0, {content_type}); })},
        {"the unsigned attributes in the signed ones' place",
         with([](auto& p) { p.attributes = attribute_set(1, {content_type}); })},
        {"an element behind it", with([](auto& p) {
             p.unsigned_attributes = attribute_set(1, {});
             p.behind = integer(1);
         })},
    };
    for (const auto& row : rows) EXPECT_FALSE(parse_signer_info(row.der)) << row.name;
    Bytes der = signer_info_of({});
    for (std::size_t cut = 0; cut < der.size(); ++cut)
        EXPECT_FALSE(parse_signer_info(ByteSpan(der).first(cut))) << cut;
    der.push_back(0);
    EXPECT_FALSE(parse_signer_info(der)) << "with a byte behind it";
}

// --- who is meant
// -----------------------------------------------------------------------------------

TEST(SignerIdentifier, NamesACertificateByIssuerAndSerialNumber) {
    const IdentityPtr owner = test::signer("p256"), other = test::signer("rsa2048");
    const Certificate& alice = *owner->leaf;
    const Certificate& bob = *other->leaf;
    SignerIdentifier by_serial;
    by_serial.issuer = alice.issuer_der();
    by_serial.serial = alice.serial_der();
    EXPECT_TRUE(by_serial.names(alice));
    EXPECT_TRUE(by_serial.names_unread(alice.der()));
    EXPECT_FALSE(by_serial.names(bob)) << "the same issuer, another number";
    EXPECT_FALSE(by_serial.names_unread(bob.der()));
    by_serial.issuer = alice.subject_der();
    EXPECT_FALSE(by_serial.names(alice)) << "another issuer, the same number";
    EXPECT_FALSE(by_serial.names_unread(alice.der()));
}

TEST(SignerIdentifier, NamesACertificateByItsKey) {
    const IdentityPtr owner = test::signer("p256");
    const Certificate& alice = *owner->leaf;
    ASSERT_FALSE(alice.subject_key_id().empty());
    SignerIdentifier by_key;
    by_key.key_id = alice.subject_key_id();
    EXPECT_TRUE(by_key.names(alice));
    EXPECT_FALSE(by_key.names(*test::signer("rsa2048")->leaf));
    by_key.key_id = alice.subject_key_id().subspan(1);
    EXPECT_FALSE(by_key.names(alice));
}

TEST(SignerIdentifier, OfNothingNamesNobody) {
    const IdentityPtr owner = test::signer("p256");
    const Certificate& alice = *owner->leaf;
    EXPECT_FALSE(SignerIdentifier{}.names(alice));
    EXPECT_FALSE(SignerIdentifier{}.names_unread(alice.der()));
    EXPECT_FALSE(SignerIdentifier{}.names_unread({}));
}

TEST(SignerIdentifier, IsShortForPeople) {
    const Bytes serial = test::octet_string({});
    SignerIdentifier odd;
    odd.serial = serial;
    EXPECT_EQ(odd.to_text(), "serial ?");
    const Bytes issuer = name_of("a\nb, c");
    const Bytes number = integer(0x0a12);
    odd.serial = number;
    odd.issuer = issuer;
    EXPECT_EQ(odd.to_text(), "serial 0A12 of CN=a\\0Ab\\, c");
    const Bytes long_id(1000, 0xab);
    SignerIdentifier by_key;
    by_key.key_id = long_id;
    EXPECT_EQ(by_key.to_text().size(), 4u + 64u);
}

// --- signed attributes
// ------------------------------------------------------------------------------

TEST(SignedAttributes, SayWhatWasSigned) {
    const Bytes signed_for = attribute(
        oid::signing_certificate_v2, {sequence(sequence(sequence(octet_string(as_bytes("v2")))))});
    const Bytes signed_for_old = attribute(
        oid::signing_certificate, {sequence(sequence(sequence(octet_string(as_bytes("v1")))))});
    const Bytes capabilities =
        attribute(oid::smime_capabilities, {sequence(sequence(ByteSpan(oid::aes256_gcm)))});
    const Bytes der = attribute_set(
        0, {message_digest, capabilities, signed_for_old, signed_for, content_type,
            attribute(oid::signing_time, {from_hexadecimal("170d3236313132323030303030305a")})});
    const auto attributes = parse_signed_attributes(der);
    ASSERT_TRUE(attributes) << attributes.error().what;
    EXPECT_EQ(bytes_of(attributes->content_type), bytes_of(oid::data));
    EXPECT_EQ(as_text(attributes->message_digest), "digest");
    EXPECT_EQ(attributes->signing_time, 1795305600);
    EXPECT_TRUE(attributes->capabilities.aes_256_gcm);
    ASSERT_EQ(attributes->certificate_hashes.size(), 2u);
    EXPECT_EQ(attributes->certificate_hashes[0].digest, ReadDigest::sha1);
    EXPECT_EQ(as_text(attributes->certificate_hashes[0].hash), "v1");
    EXPECT_EQ(attributes->certificate_hashes[1].digest, ReadDigest::sha256);
    EXPECT_EQ(as_text(attributes->certificate_hashes[1].hash), "v2");
    EXPECT_FALSE(attributes->encryption_certificate);
    EXPECT_FALSE(attributes->protection);
}

TEST(SignedAttributes, MayBeTheTwoThatMustBeThere) {
    const auto attributes =
        parse_signed_attributes(attribute_set(0, {content_type, message_digest}));
    ASSERT_TRUE(attributes) << attributes.error().what;
    EXPECT_EQ(attributes->signing_time, 0);
    EXPECT_FALSE(attributes->capabilities.known);
    EXPECT_TRUE(attributes->certificate_hashes.empty());
}

TEST(SignedAttributes, PassOverWhatTheyDoNotKnow) {
    const Bytes unknown = attribute(oid::rsa_encryption, {integer(1), integer(2)});
    const Bytes empty = attribute(oid::rsa_encryption, {});
    EXPECT_TRUE(parse_signed_attributes(
        attribute_set(0, {unknown, content_type, unknown, message_digest, empty})));
}

// RFC 5652 §11, RFC 8551 §2.5.
TEST(SignedAttributes, AreRefusedWhereTheSignatureMustFail) {
    const Bytes time = from_hexadecimal("170d3236313132323030303030305a");
    const Bytes capabilities = sequence(sequence(ByteSpan(oid::aes256_gcm)));
    const Bytes hash = sequence(sequence(sequence(octet_string(as_bytes("hash")))));
    const auto also = [](const std::vector<Bytes>& more) {
        std::vector<Bytes> all = {content_type, message_digest};
        all.insert(all.end(), more.begin(), more.end());
        return attribute_set(0, all);
    };
    const auto twice = [&](ByteSpan type, const Bytes& value) {
        return also({attribute(type, {value}), attribute(type, {value})});
    };
    const auto two_values = [&](ByteSpan type, const Bytes& value) {
        return also({attribute(type, {value, value})});
    };
    const struct {
        const char* name;
        Bytes der;
    } rows[] = {
        {"nothing", {}},
        {"none at all", attribute_set(0, {})},
        {"no contentType", attribute_set(0, {message_digest})},
        {"no messageDigest", attribute_set(0, {content_type})},
        {"contentType twice", also({content_type})},
        {"messageDigest twice", also({message_digest})},
        {"contentType of no value",
         attribute_set(0, {attribute(oid::content_type, {}), message_digest})},
        {"contentType of two values",
         attribute_set(0, {attribute(oid::content_type, {bytes_of(oid::data), bytes_of(oid::data)}),
                           message_digest})},
        {"contentType that is a number",
         attribute_set(0, {attribute(oid::content_type, {integer(1)}), message_digest})},
        {"messageDigest of no value",
         attribute_set(0, {content_type, attribute(oid::message_digest, {})})},
        {"messageDigest of two values",
         attribute_set(0, {content_type,
                           attribute(oid::message_digest, {octet_string({}), octet_string({})})})},
        {"messageDigest that is a number",
         attribute_set(0, {content_type, attribute(oid::message_digest, {integer(1)})})},
        {"signingTime twice", twice(oid::signing_time, time)},
        {"signingTime of two values", two_values(oid::signing_time, time)},
        {"signingTime of none", also({attribute(oid::signing_time, {})})},
        {"capabilities twice", twice(oid::smime_capabilities, capabilities)},
        {"capabilities of two values", two_values(oid::smime_capabilities, capabilities)},
        {"encrypKeyPref twice", twice(oid::encryption_key_preference, integer(1))},
        {"encrypKeyPref of two values", two_values(oid::encryption_key_preference, integer(1))},
        {"signingCertificate twice", twice(oid::signing_certificate, hash)},
        {"signingCertificateV2 twice", twice(oid::signing_certificate_v2, hash)},
        {"signingCertificateV2 of two values", two_values(oid::signing_certificate_v2, hash)},
        {"signingCertificateV2 of no certificate",
         also({attribute(oid::signing_certificate_v2, {sequence(sequence())})})},
        {"signingCertificateV2 without a hash",
         also(
             {attribute(oid::signing_certificate_v2, {sequence(sequence(sequence(integer(1))))})})},
        {"signingCertificate with a digest's name",
         also({attribute(oid::signing_certificate,
                         {sequence(sequence(sequence(sequence(ByteSpan(oid::sha512)),
                                                     octet_string(as_bytes("hash")))))})})},
        {"algorithm protection without a signature",
         also({attribute(oid::algorithm_protection, {sequence(sequence(ByteSpan(oid::sha256)))})})},
        {"an attribute that is a SET",
         attribute_set(0, {content_type, message_digest, from_hexadecimal("3100")})},
        {"an attribute without values", also({sequence(ByteSpan(oid::signing_time))})},
        {"an attribute with more than values",
         also({sequence(ByteSpan(oid::signing_time), from_hexadecimal("3100"), integer(1))})},
        {"values cut short", also({from_hexadecimal("3011")})},
    };
    for (const auto& row : rows) EXPECT_FALSE(parse_signed_attributes(row.der)) << row.name;
}

TEST(SignedAttributes, TellTheTime) {
    const struct {
        const char* text;  // of a UTCTime, or with 15 and more characters a GeneralizedTime
        std::uint8_t tag;
        std::int64_t want;
    } rows[] = {
        {"261122000000Z", ber::utc_time, 1795305600},
        {"2611220000Z", ber::utc_time, 1795305600},
        {"261122090000+0900", ber::utc_time, 1795305600},
        {"261121190000-0500", ber::utc_time, 1795305600},
        {"500101000000Z", ber::utc_time, -631152000},
        {"491231235959Z", ber::utc_time, 2524607999},
        {"700101000000Z", ber::utc_time, 0},
        {"20261122000000Z", ber::generalized_time, 1795305600},
        {"20261122000000.5Z", ber::generalized_time, 1795305600},
        {"20261122000000.123456789Z", ber::generalized_time, 1795305600},
        {"202611220000Z", ber::generalized_time, 1795305600},
        {"20500101000000Z", ber::generalized_time, 2524608000},
        // None of these is a time.
        {"", ber::utc_time, 0},
        {"Z", ber::utc_time, 0},
        {"261122000000", ber::utc_time, 0},
        {"261122000000z", ber::utc_time, 0},
        {"261122000000Z ", ber::utc_time, 0},
        {"26112200000Z", ber::utc_time, 0},
        {"261322000000Z", ber::utc_time, 0},
        {"260022000000Z", ber::utc_time, 0},
        {"261132000000Z", ber::utc_time, 0},
        {"261122240000Z", ber::utc_time, 0},
        {"261122006000Z", ber::utc_time, 0},
        {"261122000061Z", ber::utc_time, 0},
        {"261122000000+09", ber::utc_time, 0},
        {"261122000000+2400", ber::utc_time, 0},
        {"261122000000+0060", ber::utc_time, 0},
        {"+61122000000Z", ber::utc_time, 0},
        {"20261122000000Z", ber::utc_time, 0},
        {"261122000000Z", ber::generalized_time, 0},
        {"20261122000000Z", ber::octet_string, 0},
    };
    for (const auto& row : rows) {
        BerWriter time;
        time.element(row.tag, as_bytes(row.text));
        const auto attributes = parse_signed_attributes(attribute_set(
            0, {content_type, message_digest, attribute(oid::signing_time, {time.bytes()})}));
        ASSERT_TRUE(attributes) << row.text;
        EXPECT_EQ(attributes->signing_time, row.want) << row.text << int{row.tag};
    }
}

TEST(SignedAttributes, NameTheCertificateToEncryptTo) {
    BerWriter by_serial;
    by_serial.element(ber::context(0), [&] {
        by_serial.raw(name_of("Example CA"));
        by_serial.raw(integer(0x77));
    });
    BerWriter by_key;
    by_key.element(ber::context(1), [&] { by_key.raw(octet_string(as_bytes("KEY"))); });
    const Bytes microsoft = sequence(name_of("Example CA"), integer(0x19));
    const struct {
        const char* name;
        Bytes standard, microsoft;
        const char* want;  // null: none
    } rows[] = {
        {"by issuer and serial number", by_serial.bytes(), {}, "serial 77 of CN=Example CA"},
        {"by RecipientKeyIdentifier", by_key.bytes(), {}, "key 4B4559"},
        {"by subjectKeyIdentifier", from_hexadecimal("82034b4559"), {}, "key 4B4559"},
        {"Microsoft's", {}, microsoft, "serial 19 of CN=Example CA"},
        {"both", by_serial.bytes(), microsoft, "serial 77 of CN=Example CA"},
        {"one that is none, and Microsoft's", integer(1), microsoft, "serial 19 of CN=Example CA"},
        {"a number", integer(1), {}, nullptr},
        {"an empty key identifier", from_hexadecimal("8200"), {}, nullptr},
        {"an empty RecipientKeyIdentifier", from_hexadecimal("a100"), {}, nullptr},
        {"an issuer alone", from_hexadecimal("a0023000"), {}, nullptr},
        {"Microsoft's, of a number", {}, integer(1), nullptr},
    };
    for (const auto& row : rows) {
        std::vector<Bytes> all = {content_type, message_digest};
        if (!row.standard.empty())
            all.push_back(attribute(oid::encryption_key_preference, {row.standard}));
        if (!row.microsoft.empty())
            all.push_back(attribute(oid::microsoft_encryption_key, {row.microsoft}));
        const Bytes der = attribute_set(0, all);
        const auto attributes = parse_signed_attributes(der);
        ASSERT_TRUE(attributes) << row.name;
        const auto& named = attributes->encryption_certificate;
        EXPECT_EQ(named ? named->to_text() : "none", row.want != nullptr ? row.want : "none")
            << row.name;
    }
}

TEST(SignedAttributes, NameTheSignersCertificateByAnyDigest) {
    const auto hash_of = [](const Bytes& algorithm) {
        const Bytes der = attribute_set(
            0,
            {content_type, message_digest,
             attribute(oid::signing_certificate_v2,
                       {sequence(sequence(sequence(algorithm, octet_string(as_bytes("hash")))))})});
        const auto attributes = parse_signed_attributes(der);
        EXPECT_TRUE(attributes);
        EXPECT_EQ(as_text(attributes->certificate_hashes.front().hash), "hash");
        return attributes->certificate_hashes.front().digest;
    };
    EXPECT_EQ(hash_of(sequence(ByteSpan(oid::sha512))), ReadDigest::sha512);
    EXPECT_EQ(hash_of(sequence(ByteSpan(oid::sha1))), ReadDigest::sha1);
    EXPECT_EQ(hash_of(sequence(ByteSpan(oid::rsa_encryption))), std::nullopt);
}

// --- unsigned attributes
// ----------------------------------------------------------------------------

TEST(UnsignedAttributes, MustNotHoldWhatMustBeSigned) {
    const Bytes countersignature = attribute(oid::rsa_encryption, {integer(1)});
    EXPECT_TRUE(check_unsigned_attributes({}));
    EXPECT_TRUE(check_unsigned_attributes(attribute_set(1, {})));
    EXPECT_TRUE(check_unsigned_attributes(attribute_set(1, {countersignature, countersignature})));
    for (const ByteSpan type :
         {ByteSpan(oid::content_type), ByteSpan(oid::message_digest), ByteSpan(oid::signing_time),
          ByteSpan(oid::smime_capabilities), ByteSpan(oid::encryption_key_preference),
          ByteSpan(oid::signing_certificate), ByteSpan(oid::signing_certificate_v2)})
        EXPECT_FALSE(check_unsigned_attributes(
            attribute_set(1, {countersignature, attribute(type, {integer(1)})})));
    EXPECT_FALSE(check_unsigned_attributes(attribute_set(1, {integer(1)})));
}

// --- what was signed
// --------------------------------------------------------------------------------

TEST(SignedAttributes, AreSignedAsASet) {
    const Bytes set = attribute_set(0, {content_type, message_digest});
    Bytes want = set;
    want[0] = ber::set;
    EXPECT_EQ(attributes_as_received(set), want);

    BerWriter sorted;
    sorted.set_of({content_type, message_digest});
    EXPECT_EQ(attributes_in_order(set), sorted.bytes());
    EXPECT_NE(sorted.bytes(), want);
    EXPECT_EQ(attributes_in_order(attributes_in_order(set)), sorted.bytes());
}

}  // namespace
}  // namespace sealgate

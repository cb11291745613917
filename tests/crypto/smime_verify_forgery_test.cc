// SPDX-License-Identifier: GPL-3.0-or-later
// Signatures that somebody has changed, or put together to deceive.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/oid.h"
#include "crypto/smime_verify.h"
#include "tests/crypto/signer_info_fixture.h"
#include "tests/crypto/verify_fixture.h"

namespace sealgate {
namespace {

using test::attribute;
using test::attribute_set;
using test::context_of_signers;
using test::craft_signed_data;
using test::craft_signer_info;
using test::octet_string;
using test::sequence;
using test::SignedDataCraft;
using test::SignerInfoCraft;
using test::verifier;
using test::VerifyOutcome;
using Order = SignerInfoCraft::Order;

const std::string entity = "Content-Type: text/plain\r\n\r\nPay 100 EUR to Bob.\r\n";

const IdentityPtr& alice() {
    static const IdentityPtr made = test::signer("p256");
    return made;
}

SignerInfoCraft info_of_alice() {
    SignerInfoCraft craft;
    craft.identity = alice();
    craft.content = entity;
    return craft;
}

SignedDataCraft data_of(std::vector<Bytes> signer_infos) {
    SignedDataCraft craft;
    craft.content = entity;
    craft.certificates = {alice()->leaf, alice()->chain.front()};
    craft.signer_infos = std::move(signer_infos);
    return craft;
}

VerifyOutcome verified(const SignedDataCraft& craft) {
    return verifier().opaque(craft_signed_data(craft), context_of_signers());
}

VerifyOutcome verified(const SignerInfoCraft& craft) {
    return verified(data_of({craft_signer_info(craft)}));
}

Bytes bytes_of(ByteSpan span) { return Bytes(span.begin(), span.end()); }

// --- attributes
// -------------------------------------------------------------------------------------

TEST(SmimeForgery, IsNotWhatIsWrittenByHandHere) {
    EXPECT_EQ(verified(info_of_alice()).reason(), Reason::ok);
    SignerInfoCraft plain = info_of_alice();
    plain.with_attributes = false;
    EXPECT_EQ(verified(plain).reason(), Reason::ok);
}

TEST(SmimeForgery, IsNotAnotherOrderOfTheAttributes) {
    for (const Order order : {Order::sorted, Order::signed_sorted, Order::never_sorted}) {
        for (const char* name : {"p256", "rsa2048", "ed25519"}) {
            SignerInfoCraft craft = info_of_alice();
            craft.identity = test::signer(name);
            craft.order = order;
            SignedDataCraft data = data_of({craft_signer_info(craft)});
            data.certificates.front() = craft.identity->leaf;
            EXPECT_EQ(verified(data).reason(), Reason::ok) << name << static_cast<int>(order);
        }
    }
}

TEST(SmimeForgery, OfTheContentTypeFails) {
    SignerInfoCraft other = info_of_alice();
    other.content_type = bytes_of(oid::signed_data);
    EXPECT_EQ(verified(other).reason(), Reason::malformed);

    // Consistent, but what was signed is no MIME entity.
    SignedDataCraft data = data_of({craft_signer_info(other)});
    data.content_type = bytes_of(oid::signed_data);
    EXPECT_EQ(verified(data).reason(), Reason::malformed);

    SignerInfoCraft plain = info_of_alice();
    plain.with_attributes = false;
    data = data_of({craft_signer_info(plain)});
    data.content_type = bytes_of(oid::signed_data);
    EXPECT_EQ(verified(data).reason(), Reason::malformed);
}

TEST(SmimeForgery, OfTheContentIsSeen) {
    for (const bool with_attributes : {true, false}) {
        SignerInfoCraft craft = info_of_alice();
        craft.with_attributes = with_attributes;
        SignedDataCraft data = data_of({craft_signer_info(craft)});
        data.content = "Content-Type: text/plain\r\n\r\nPay 900 EUR to Bob.\r\n";
        const VerifyOutcome outcome = verified(data);
        EXPECT_EQ(outcome.reason(), with_attributes ? Reason::bad_digest : Reason::bad_signature);
        EXPECT_EQ(outcome.signer().chain, outcome.reason()) << "a path was not asked for";
        EXPECT_EQ(outcome.signer().identity, Reason::ok) << "whose it would be is known";
    }
}

// Without attributes the signature covers the content; with them, their encoding. So the one can be
// taken for the other (RFC 5652 does not keep them apart).
TEST(SmimeForgery, ByTakingTheAttributesForAContentFails) {
    std::vector<Bytes> attributes = {
        attribute(oid::content_type, {bytes_of(oid::data)}),
        attribute(oid::message_digest,
                  {octet_string(digest_of(ReadDigest::sha256, as_bytes(entity)).bytes())})};
    for (const std::size_t more : {0u, 200u, 70'000u}) {  // lengths in one, two and four octets
        if (more > 0)
            attributes.push_back(
                attribute(oid::smime_capabilities, {octet_string(Bytes(more, 0x55))}));
        BerWriter set;
        set.set_of(attributes);
        SignerInfoCraft craft = info_of_alice();
        craft.content = as_text(set.bytes());
        craft.with_attributes = false;
        SignedDataCraft data = data_of({craft_signer_info(craft)});
        data.content = craft.content;
        EXPECT_EQ(verified(data).reason(), Reason::bad_signature) << more;
    }
    // What only begins so is a content like any.
    for (const std::string content : {"1", "10", "1x0y", "1\x81", "1\x82\x01", ""}) {
        SignerInfoCraft craft = info_of_alice();
        craft.content = content;
        craft.with_attributes = false;
        SignedDataCraft data = data_of({craft_signer_info(craft)});
        data.content = content;
        EXPECT_EQ(verified(data).reason(), Reason::ok) << content;
    }
}

TEST(SmimeForgery, ByMovingAttributesFails) {
    const Bytes time = test::from_hexadecimal("170d3236313132323030303030305a");
    SignerInfoCraft craft = info_of_alice();
    craft.unsigned_attributes = attribute_set(1, {attribute(oid::signing_time, {time})});
    EXPECT_EQ(verified(craft).reason(), Reason::malformed);
    craft.unsigned_attributes = attribute_set(1, {attribute(oid::rsa_encryption, {time})});
    EXPECT_EQ(verified(craft).reason(), Reason::ok);
}

TEST(SmimeForgery, ByAttributesGivenTwiceFails) {
    SignerInfoCraft craft = info_of_alice();
    craft.attributes = {attribute(oid::message_digest, {octet_string(Bytes(32))})};
    const VerifyOutcome outcome = verified(craft);
    EXPECT_EQ(outcome.reason(), Reason::malformed);
    EXPECT_TRUE(outcome.signer().certificate) << "whose it is can be said all the same";
}

// --- algorithms
// -------------------------------------------------------------------------------------

TEST(SmimeForgery, OfTheAlgorithmsFails) {
    const auto with = [](const Bytes& digest, const Bytes& signature) {
        SignerInfoCraft craft = info_of_alice();
        craft.digest_algorithm = digest;
        craft.signature_algorithm = signature;
        SignedDataCraft data = data_of({craft_signer_info(craft)});
        for (const ByteSpan known : {ByteSpan(oid::sha1), ByteSpan(oid::sha384),
                                     ByteSpan(oid::sha256), ByteSpan(oid::md5)})
            data.digest_algorithms.push_back(sequence(known));
        return verified(data).reason();
    };
    const Bytes sha256 = sequence(ByteSpan(oid::sha256));
    EXPECT_EQ(with(sha256, {}), Reason::ok);
    EXPECT_EQ(with(sequence(ByteSpan(oid::sha256), Bytes{5, 0}), {}), Reason::ok);
    EXPECT_EQ(with(sha256, sequence(ByteSpan(oid::ec_public_key))), Reason::ok);
    EXPECT_EQ(with(sequence(ByteSpan(oid::sha384)), {}), Reason::bad_digest);
    EXPECT_EQ(with(sequence(ByteSpan(oid::sha1)), {}), Reason::bad_digest);
    EXPECT_EQ(with(sequence(ByteSpan(oid::md5)), {}), Reason::weak_digest);
    EXPECT_EQ(with(sequence(ByteSpan(oid::sha512)), {}), Reason::unsupported_algorithm)
        << "not announced";
    EXPECT_EQ(with(sequence(ByteSpan(oid::data)), {}), Reason::unsupported_algorithm);
    EXPECT_EQ(with(sha256, sequence(ByteSpan(oid::ecdsa_with_sha384))), Reason::bad_signature);
    EXPECT_EQ(with(sha256, sequence(ByteSpan(oid::ed25519))), Reason::unsupported_algorithm);
    EXPECT_EQ(with(sha256, sequence(ByteSpan(oid::rsa_encryption))), Reason::unsupported_algorithm);
    EXPECT_EQ(with(sha256, sequence(ByteSpan(oid::data))), Reason::unsupported_algorithm);
    EXPECT_EQ(with(sha256, sequence(ByteSpan(oid::md5_with_rsa))), Reason::weak_digest);
    EXPECT_EQ(with(sha256, sequence(octet_string({}))), Reason::malformed);
    EXPECT_EQ(with(sequence(), {}), Reason::malformed);
}

// Content and attributes digested differently: RFC 8933 forbids it, and old signers do it.
TEST(SmimeForgery, IsNotAnotherDigestForTheContent) {
    const auto with = [](ReadDigest digest, bool allow_weak) {
        SignerInfoCraft craft = info_of_alice();
        craft.digest = digest;
        SignedDataCraft data = data_of({craft_signer_info(craft)});
        data.digest_algorithms = {sequence(oid_of(digest))};
        VerifyContext context = context_of_signers();
        context.allow_weak = allow_weak;
        return verifier().opaque(craft_signed_data(data), context).reason();
    };
    EXPECT_EQ(with(ReadDigest::sha512, false), Reason::ok);
    EXPECT_EQ(with(ReadDigest::sha1, false), Reason::weak_digest);
    EXPECT_EQ(with(ReadDigest::sha1, true), Reason::ok);

    // Without attributes the content itself is signed, and nobody digested it so.
    SignerInfoCraft plain = info_of_alice();
    plain.with_attributes = false;
    plain.digest = ReadDigest::sha512;
    SignedDataCraft data = data_of({craft_signer_info(plain)});
    data.digest_algorithms = {sequence(oid_of(ReadDigest::sha512))};
    EXPECT_EQ(verified(data).reason(), Reason::unsupported_algorithm);
    data.digest_algorithms.push_back(sequence(oid_of(ReadDigest::sha256)));
    EXPECT_EQ(verified(data).reason(), Reason::ok);
}

// RFC 6211.
TEST(SmimeForgery, OfProtectedAlgorithmsFails) {
    const Bytes null = {5, 0};
    const auto protected_by = [&](const Bytes& digest, const Bytes& signature) {
        BerWriter protection;
        protection.sequence([&] {
            protection.raw(digest);
            protection.element(ber::context(1), [&] { protection.raw(signature); });
        });
        SignerInfoCraft craft = info_of_alice();
        craft.attributes = {attribute(oid::algorithm_protection, {protection.bytes()})};
        return verified(craft).reason();
    };
    const Bytes sha256 = sequence(ByteSpan(oid::sha256));
    const Bytes ecdsa = bytes_of(oid::ecdsa_with_sha256);
    EXPECT_EQ(protected_by(sha256, ecdsa), Reason::ok);
    EXPECT_EQ(protected_by(sequence(ByteSpan(oid::sha256), null), ecdsa), Reason::ok);
    EXPECT_EQ(protected_by(sequence(ByteSpan(oid::sha512)), ecdsa), Reason::bad_signature);
    EXPECT_EQ(protected_by(sha256, bytes_of(oid::ecdsa_with_sha384)), Reason::bad_signature);
    EXPECT_EQ(protected_by(sha256, {}), Reason::bad_signature);
}

// --- whose certificate
// ------------------------------------------------------------------------------

TEST(SmimeForgery, ByAnotherCertificateOfTheSameNameFails) {
    const auto signed_for = [](ReadDigest digest, const Certificate& certificate) {
        const bool is_old = digest == ReadDigest::sha1;
        const Bytes hash = octet_string(digest_of(digest, certificate.der()).bytes());
        const Bytes id = is_old || digest == ReadDigest::sha256
                             ? sequence(hash)
                             : sequence(sequence(oid_of(digest)), hash);
        SignerInfoCraft craft = info_of_alice();
        craft.attributes = {attribute(
            is_old ? ByteSpan(oid::signing_certificate) : ByteSpan(oid::signing_certificate_v2),
            {sequence(sequence(id))})};
        return verified(craft).reason();
    };
    for (const ReadDigest digest :
         {ReadDigest::sha1, ReadDigest::sha256, ReadDigest::sha384, ReadDigest::sha512}) {
        EXPECT_EQ(signed_for(digest, *alice()->leaf), Reason::ok) << to_text(digest);
        EXPECT_EQ(signed_for(digest, *alice()->chain.front()), Reason::bad_signature)
            << to_text(digest);
    }
    SignerInfoCraft unknown = info_of_alice();
    unknown.attributes = {
        attribute(oid::signing_certificate_v2,
                  {sequence(sequence(sequence(sequence(ByteSpan(oid::data)), octet_string({}))))})};
    EXPECT_EQ(verified(unknown).reason(), Reason::unsupported_algorithm);
}

TEST(SmimeForgery, ByAnotherKeyFails) {
    // Eve signs, and says she is Alice.
    const IdentityPtr eve = test::signer("p384");
    auto disguised = std::make_shared<Identity>();
    disguised->leaf = alice()->leaf;
    disguised->key = make_private_key(SecureBytes::copy_of(eve->key.pkcs8.bytes())).value();
    SignerInfoCraft craft = info_of_alice();
    craft.identity = disguised;
    EXPECT_EQ(verified(craft).reason(), Reason::bad_signature);
}

TEST(SmimeForgery, OfOneSignerOfTwoFails) {
    SignerInfoCraft good = info_of_alice(), bad = info_of_alice();
    bad.identity = test::signer("rsa2048");
    bad.content = "something else";
    for (const bool bad_first : {true, false}) {
        std::vector<Bytes> infos = {craft_signer_info(bad_first ? bad : good),
                                    craft_signer_info(bad_first ? good : bad)};
        SignedDataCraft data = data_of(std::move(infos));
        data.certificates.push_back(bad.identity->leaf);
        const VerifyOutcome outcome = verified(data);
        EXPECT_EQ(outcome.reason(), Reason::bad_digest);
        ASSERT_EQ(outcome.report->signers.size(), 2u);
        EXPECT_EQ(outcome.report->signers[bad_first ? 0 : 1].reason(), Reason::bad_digest);
        EXPECT_EQ(outcome.report->signers[bad_first ? 1 : 0].reason(), Reason::ok);
        EXPECT_NE(outcome.report->why, "");
    }
    bad.content = entity;
    SignedDataCraft data = data_of({craft_signer_info(good), craft_signer_info(bad)});
    data.certificates.push_back(bad.identity->leaf);
    EXPECT_EQ(verified(data).reason(), Reason::ok);
}

TEST(SmimeForgery, ByJunkBesideAGoodSignatureFails) {
    SignedDataCraft data = data_of({craft_signer_info(info_of_alice()), sequence()});
    const VerifyOutcome outcome = verified(data);
    EXPECT_EQ(outcome.reason(), Reason::malformed);
    EXPECT_EQ(outcome.report->signers.back().identity, Reason::malformed);
}

TEST(SmimeForgery, ByJunkCertificatesIsNone) {
    SignedDataCraft data = data_of({craft_signer_info(info_of_alice())});
    data.certificates = {
        test::signer("rsa2048")->leaf, test::signer("p384")->leaf, alice()->leaf, alice()->leaf,
        alice()->chain.back(),         alice()->chain.front()};
    EXPECT_EQ(verified(data).reason(), Reason::ok);
}

// Some readers show what lies in the signature, others what lies beside it.
TEST(SmimeForgery, ByTwoContentsFails) {
    std::string changed = entity;
    changed.back() ^= 1;
    for (const std::string& inside : {changed, entity + "x", entity.substr(1), std::string("x")}) {
        for (const std::string& covered : {entity, inside}) {
            SignerInfoCraft info = info_of_alice();
            info.content = covered;
            SignedDataCraft data = data_of({craft_signer_info(info)});
            const auto outcome = [&](const std::string& within) {
                data.content = within;
                return verifier().detached(entity, craft_signed_data(data), context_of_signers());
            };
            ASSERT_TRUE(outcome(inside).error) << inside;
            EXPECT_EQ(outcome(inside).error->kind, ErrorKind::malformed);
            EXPECT_EQ(outcome(entity).reason(),
                      covered == entity ? Reason::ok : Reason::bad_digest);
        }
    }
}

TEST(SmimeForgery, ByNobodyIsNoSignature) {
    SignedDataCraft data = data_of({});
    EXPECT_EQ(verified(data).reason(), Reason::no_signer);
    data.content.reset();  // certs-only, as authorities send them
    const VerifyOutcome outcome = verified(data);
    EXPECT_EQ(outcome.reason(), Reason::no_signer);
    EXPECT_TRUE(outcome.report->signers.empty());
}

}  // namespace
}  // namespace sealgate

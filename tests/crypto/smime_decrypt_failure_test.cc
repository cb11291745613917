// SPDX-License-Identifier: GPL-3.0-or-later
// Decryption where it cannot be done: changed messages, padding oracles, messages for others and in
// ways that are not known, and stages that wait, are held back or go away.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "core/limits.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "crypto/ber_writer.h"
#include "crypto/cms_enveloped_data.h"
#include "crypto/oid.h"
#include "crypto/smime_decrypt.h"
#include "tests/crypto/decrypt_fixture.h"
#include "tests/crypto/libcrypto_cipher.h"

namespace sealgate {
namespace {

using test::all_keys;
using test::Correspondent;
using test::correspondent;
using test::encrypt_message;
using test::envelope_for;
using test::identity_of;
using test::keys_of;
using test::open_cms;
using test::Opened;

const std::string entity = "Content-Type: text/plain\r\n\r\nGood morning, this is a text.\r\n";

Bytes counting(std::size_t bytes, std::uint8_t from = 1) {
    Bytes all(bytes);
    for (std::size_t i = 0; i < bytes; ++i) all[i] = static_cast<std::uint8_t>(from + i);
    return all;
}
template <std::size_t count>
Bytes bytes_of(const std::uint8_t (&octets)[count]) {
    return Bytes(octets, octets + count);
}
// A message put together by hand; what is not said is as it must be for rsa2048.
struct Envelope {
    bool authenticated = true;
    Bytes originator_info;  // with its tag
    std::vector<Bytes> recipient_infos;
    Bytes content_type = bytes_of(oid::data);
    Bytes algorithm;  // an AlgorithmIdentifier; empty: AES-128-GCM or AES-128-CBC
    Bytes content;
    bool has_content = true;
    Bytes attributes;  // with their tag
    Bytes mac;

    Bytes key = counting(16);
    Bytes iv;

    // Of `text`, with libcrypto.
    explicit Envelope(bool gcm, const std::string& text = entity)
        : authenticated(gcm), iv(counting(gcm ? 12 : 16, 0x70)) {
        BerWriter out;
        out.sequence([&] {
            if (gcm) {
                out.raw(oid::aes128_gcm);
                out.sequence([&] {
                    out.octet_string(iv);
                    out.integer(16);
                });
            } else {
                out.raw(oid::aes128_cbc);
                out.octet_string(iv);
            }
        });
        algorithm = out.take();
        const auto made = test::encipher(gcm ? "AES-128-GCM" : "AES-128-CBC", key, iv,
                                         as_bytes(text), gcm ? 16 : 0);
        content = made.content;
        mac = made.tag;
    }

    Envelope& add(const std::string& name, RsaTransport transport = RsaTransport::pkcs1) {
        recipient_infos.push_back(
            *recipient_info(*correspondent(name).certificate, transport, key));
        return *this;
    }
    // A KeyTransRecipientInfo for `name` with any encrypted key.
    Envelope& add_raw(const std::string& name, ByteSpan encrypted_key) {
        const CertificatePtr certificate = correspondent(name).certificate;
        BerWriter out;
        out.sequence([&] {
            out.integer(0);
            out.sequence([&] {
                out.raw(certificate->issuer_der());
                out.raw(certificate->serial_der());
            });
            out.sequence([&] {
                out.raw(oid::rsa_encryption);
                out.null();
            });
            out.octet_string(encrypted_key);
        });
        recipient_infos.push_back(out.take());
        return *this;
    }

    Bytes to_cms() const {
        BerWriter out;
        out.sequence([&] {
            if (authenticated)
                out.raw(oid::auth_enveloped_data);
            else
                out.raw(oid::enveloped_data);
            out.element(ber::context(0), [&] {
                out.sequence([&] {
                    out.integer(0);
                    out.raw(originator_info);
                    out.set([&] {
                        for (const Bytes& info : recipient_infos) out.raw(info);
                    });
                    out.sequence([&] {
                        out.raw(content_type);
                        out.raw(algorithm);
                        if (has_content) out.element(0x80, ByteSpan(content));
                    });
                    out.raw(attributes);
                    if (authenticated) out.octet_string(mac);
                });
            });
        });
        return out.take();
    }
};

void expect_reason(const Opened& opened, Reason reason, const std::string& what) {
    EXPECT_EQ(opened.error, nullptr) << what << ": " << opened.error;
    EXPECT_TRUE(opened.ended) << what;
    EXPECT_STREQ(to_word(opened.report.reason), to_word(reason))
        << what << ": " << opened.report.why;
    EXPECT_FALSE(opened.finished) << what << ": what is below was told that it is good";
    EXPECT_NE(opened.report.why, "") << what;
}

TEST(Envelope, IsReadAsItIsPutTogetherHere) {
    for (const bool gcm : {true, false}) {
        const Opened opened = open_cms(Envelope(gcm).add("rsa2048").to_cms(), all_keys());
        EXPECT_EQ(opened.report.reason, Reason::ok) << opened.report.why;
        EXPECT_EQ(opened.content, entity);
    }
}

// --- changed messages
// ----------------------------------------------------------------------------

struct Field {
    const char* name;
    std::size_t begin = 0, end = 0;
};
Field find_field(const char* name, ByteSpan cms, ByteSpan field) {
    const auto at = std::search(cms.begin(), cms.end(), field.begin(), field.end());
    EXPECT_NE(at, cms.end()) << name;
    const auto begin = static_cast<std::size_t>(at - cms.begin());
    return {name, begin, begin + field.size()};
}

TEST(DecryptStage, NeverTakesAGcmMessageWithAChangedBit) {
    for (const char* name : {"rsa2048", "p256", "x25519"}) {
        for (const RsaTransport transport : {RsaTransport::pkcs1, RsaTransport::oaep}) {
            if (transport == RsaTransport::oaep && name != std::string("rsa2048")) continue;
            const Bytes cms = Envelope(true).add(name, transport).to_cms();
            const auto keys = keys_of({name});
            ASSERT_TRUE(open_cms(cms, keys).ok());
            for (std::size_t i = 0; i < cms.size(); ++i) {
                Bytes changed = cms;
                changed[i] ^= static_cast<std::uint8_t>(1 << (i % 8));
                const Opened opened = open_cms(changed, keys);
                // Versions and parameters that say nothing are not looked at: then it is the same
                // message, and no other content.
                if (opened.ok() && opened.error == nullptr) {
                    EXPECT_EQ(opened.content, entity) << name << " " << i;
                } else {
                    EXPECT_TRUE(!opened.finished || opened.error != nullptr) << name << " " << i;
                }
            }
        }
    }
}

// Where it was changed decides, and the words are the same for all of it.
TEST(DecryptStage, SaysTheSameOfChangedKeysAndContents) {
    std::set<std::string> said;
    for (const char* name : {"rsa2048", "p256", "x25519"}) {
        Envelope envelope(true);
        envelope.add(name);
        const Bytes cms = envelope.to_cms();
        const Bytes& info = envelope.recipient_infos.front();
        // The wrapped key is the last of it.
        const std::size_t key_bytes = name == std::string("rsa2048") ? 256 : 24;
        const Field fields[] = {
            find_field("key", cms, ByteSpan(info).last(key_bytes)),
            find_field("nonce", cms, envelope.iv),
            find_field("content", cms, envelope.content),
            find_field("tag", cms, envelope.mac),
        };
        for (const Field& field : fields) {
            for (std::size_t i = field.begin; i < field.end; ++i) {
                Bytes changed = cms;
                // The first octet of an RSA key may make it larger than the modulus: as good.
                changed[i] ^= 0x10;
                const Opened opened = open_cms(changed, keys_of({name}));
                expect_reason(opened, Reason::decrypt_failed, std::string(name) + " " + field.name);
                said.insert(opened.report.why + "|" + opened.report.cipher + "|" +
                            opened.report.content_type);
            }
        }
        const CertificatePtr certificate = correspondent(name).certificate;
        const Field recipient[] = {find_field("issuer", cms, certificate->issuer_der()),
                                   find_field("serial", cms, certificate->serial_der())};
        for (const Field& field : recipient) {
            Bytes changed = cms;
            changed[field.end - 1] ^= 1;
            expect_reason(open_cms(changed, keys_of({name})), Reason::no_key, field.name);
        }
    }
    EXPECT_EQ(said.size(), 1u);
}

TEST(DecryptStage, FailsWhereACbcMessageEndsInNoPadding) {
    Envelope envelope(false);
    const Bytes cms = envelope.add("rsa2048").to_cms();
    const Field content = find_field("content", cms, envelope.content);
    int failed = 0;
    for (std::size_t i = content.end - 32; i < content.end; ++i) {
        Bytes changed = cms;
        changed[i] ^= 0x55;
        const Opened opened = open_cms(changed, all_keys());
        // By chance one in 256 ends like padding; CBC proves nothing.
        if (opened.ok()) {
            EXPECT_NE(opened.content, entity);
            continue;
        }
        expect_reason(opened, Reason::decrypt_failed, std::to_string(i));
        ++failed;
    }
    EXPECT_GE(failed, 16);
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{15}}) {
        Envelope cut = envelope;
        cut.content.resize(bytes);
        expect_reason(open_cms(cut.to_cms(), all_keys()), Reason::decrypt_failed, "cut");
    }
}

// --- no oracle
// -----------------------------------------------------------------------------------

Bytes padded(ByteSpan message) {
    Bytes block(256, 0x5b);
    block[0] = 0;
    block[1] = 2;
    block[256 - message.size() - 1] = 0;
    std::copy(message.begin(), message.end(),
              block.end() - static_cast<std::ptrdiff_t>(message.size()));
    return block;
}

TEST(DecryptStage, TellsABadRsaPaddingFromNothingElse) {
    const Correspondent who = correspondent("rsa2048");
    const Bytes key = counting(16);
    const auto with = [&](std::size_t at, std::uint8_t byte) {
        Bytes block = padded(key);
        block[at] = byte;
        return block;
    };
    const struct {
        const char* name;
        Bytes block;
    } cases[] = {
        {"another key, well padded", padded(counting(16, 0x80))},
        {"another first octet", with(0, 1)},
        {"block type 1", with(1, 1)},
        {"block type 0", with(1, 0)},
        {"padding of seven", with(9, 0)},
        {"no zero", with(256 - 17, 1)},
        {"a longer key", with(100, 0)},
        {"a key one longer", padded(counting(17))},
        {"a key one shorter", padded(counting(15))},
        {"an AES-256 key", padded(counting(32))},
        {"no key", padded({})},
    };
    for (const bool gcm : {true, false}) {
        std::set<std::string> said;
        for (const auto& row : cases) {
            Envelope envelope(gcm);
            envelope.add_raw("rsa2048", test::rsa_raw_encrypt(who, row.block));
            const std::uint64_t before = Metrics::instance().value(Counter::content_decryptions);
            const Opened opened = open_cms(envelope.to_cms(), all_keys());
            EXPECT_EQ(Metrics::instance().value(Counter::content_decryptions), before + 1)
                << row.name << ": it is deciphered as any other";
            // One in 256 ends like padding, after a bad one as after a wrong key. Keys and
            // ciphertexts are fixed here, so each run is the same.
            if (!gcm && opened.ok()) {
                EXPECT_NE(opened.content, entity) << row.name;
                continue;
            }
            expect_reason(opened, Reason::decrypt_failed, row.name);
            said.insert(opened.report.why + "|" + opened.report.key_transport + "|" +
                        opened.report.recipient_serial + "|" + opened.report.cipher);
            if (gcm) {
                // As many octets go below as when it is right: nothing ends early.
                EXPECT_EQ(opened.content.size(), entity.size()) << row.name;
            }
        }
        EXPECT_EQ(said.size(), 1u) << "they can be told apart";
    }
    // And the right one is right.
    Envelope right(true);
    right.add_raw("rsa2048", test::rsa_raw_encrypt(who, padded(key)));
    EXPECT_TRUE(open_cms(right.to_cms(), all_keys()).ok());
}

// --- for others, and in ways that are not known
// --------------------------------------------------

Bytes other_recipient(std::uint8_t tag) {
    BerWriter out;
    out.element(tag, [&] {
        out.integer(4);
        out.sequence([&] { out.octet_string(counting(8)); });
    });
    return out.take();
}

TEST(DecryptStage, SaysWhyItIsNotForUs) {
    Envelope nobody(true);
    Envelope others(true);
    others.add("p256").add("rsa4096");
    Envelope odd(true);
    for (const unsigned number : {2u, 3u, 4u})
        odd.recipient_infos.push_back(other_recipient(ber::context(number)));
    Envelope broken(true);
    broken.recipient_infos.push_back({0x30, 0x00});
    broken.recipient_infos.push_back({0x30, 0x03, 0x02, 0x01, 0x00});
    const struct {
        const char* name;
        Envelope envelope;
        Reason want;
    } cases[] = {
        {"to nobody", nobody, Reason::no_recipient_info},
        {"to others", others, Reason::no_key},
        {"to passwords and shared keys", odd, Reason::no_key},
        {"to what cannot be read", broken, Reason::no_key},
    };
    for (const auto& row : cases) {
        for (const std::size_t piece_bytes : {std::size_t{65'536}, std::size_t{1}}) {
            const Opened opened =
                open_cms(row.envelope.to_cms(), keys_of({"rsa2048"}), piece_bytes);
            expect_reason(opened, row.want, row.name);
            EXPECT_TRUE(opened.failed_early) << row.name;
            EXPECT_EQ(opened.content, "") << row.name;
            EXPECT_EQ(opened.report.recipient_serial, "") << row.name;
        }
    }
    expect_reason(open_cms(others.to_cms(), DecryptionKeys::of({})), Reason::no_key, "no keys");
}

Bytes identifier(ByteSpan oid_der, ByteSpan parameters) {
    BerWriter out;
    out.sequence([&] {
        out.raw(oid_der);
        out.raw(parameters);
    });
    return out.take();
}

TEST(DecryptStage, SaysWhatIsNotKnown) {
    Envelope good(true);
    good.add("rsa2048");

    Envelope cipher = good;  // AES-CCM
    cipher.algorithm[cipher.algorithm[3] + 3] = 0x07;
    Envelope cbc_authenticated = good;
    cbc_authenticated.algorithm = Envelope(false).algorithm;
    Envelope gcm_enveloped = good;
    gcm_enveloped.authenticated = false;
    Envelope signed_inside = good;
    signed_inside.content_type = bytes_of(oid::signed_data);
    Envelope attributes = good;
    attributes.attributes = {0xa1, 0x02, 0x30, 0x00};

    Envelope transport(true);  // RSASSA-PSS transports nothing
    transport.recipient_infos = good.recipient_infos;
    Bytes& info = transport.recipient_infos.front();
    const Bytes rsa = bytes_of(oid::rsa_encryption);
    *(std::search(info.begin(), info.end(), rsa.begin(), rsa.end()) + 10) = 0x0a;

    Envelope agreement(true);
    agreement.add("p256");
    Bytes& agreed = agreement.recipient_infos.front();
    const Bytes scheme = bytes_of(oid::std_dh_sha256_kdf);
    *(std::search(agreed.begin(), agreed.end(), scheme.begin(), scheme.end()) + 7) = 9;
    Envelope curve(true);  // an ephemeral key of another kind
    curve.add("p256");
    Bytes& other_kind = curve.recipient_infos.front();
    const Bytes ec = bytes_of(oid::ec_public_key);
    *(std::search(other_kind.begin(), other_kind.end(), ec.begin(), ec.end()) + 8) = 2;

    const struct {
        const char* name;
        Envelope envelope;
        bool early;
        const char* cipher;
    } cases[] = {
        {"another cipher", cipher, true, "2.16.840.1.101.3.4.1.7"},
        {"CBC, authenticated", cbc_authenticated, true, "aes-128-cbc"},
        {"GCM, not authenticated", gcm_enveloped, true, "aes-128-gcm"},
        {"SignedData without MIME", signed_inside, true, "aes-128-gcm"},
        {"authenticated attributes", attributes, false, "aes-128-gcm"},
        {"another transport", transport, true, "aes-128-gcm"},
        {"another agreement", agreement, true, "aes-128-gcm"},
        {"another kind of curve", curve, true, "aes-128-gcm"},
    };
    for (const auto& row : cases) {
        for (const std::size_t piece_bytes : {std::size_t{65'536}, std::size_t{1}}) {
            const Opened opened = open_cms(row.envelope.to_cms(), all_keys(), piece_bytes);
            expect_reason(opened, Reason::unsupported_algorithm, row.name);
            EXPECT_EQ(opened.report.cipher, row.cipher) << row.name;
            if (row.early) {
                EXPECT_EQ(opened.content, "") << row.name;
            }
        }
    }
}

TEST(DecryptStage, FailsWhereParametersAreNotRight) {
    Envelope vector(false);
    vector.add("rsa2048");
    BerWriter short_iv;
    short_iv.octet_string(counting(15));
    vector.algorithm = identifier(oid::aes128_cbc, short_iv.bytes());
    expect_reason(open_cms(vector.to_cms(), all_keys()), Reason::decrypt_failed, "vector");

    Envelope absent(false);
    absent.add("rsa2048").has_content = false;
    expect_reason(open_cms(absent.to_cms(), all_keys()), Reason::decrypt_failed, "no content");
    Envelope absent_gcm(true, "");
    absent_gcm.add("rsa2048").has_content = false;
    expect_reason(open_cms(absent_gcm.to_cms(), all_keys()), Reason::decrypt_failed,
                  "no content, and a tag that would fit it");
    absent_gcm.has_content = true;
    EXPECT_TRUE(open_cms(absent_gcm.to_cms(), all_keys()).ok()) << "empty is not absent";

    for (const std::size_t bytes : {0u, 12u, 15u, 17u, 100u}) {
        Envelope tag(true);
        tag.add("rsa2048").mac.resize(bytes);
        expect_reason(open_cms(tag.to_cms(), all_keys()), Reason::decrypt_failed, "tag");
    }
}

// --- several for us
// ------------------------------------------------------------------------------

TEST(DecryptStage, TriesAllThatAreForUsWhereTheySayThatTheyFail) {
    Bytes broken_oaep, broken_agreed;
    {
        Envelope one(true);
        one.add("rsa2048", RsaTransport::oaep).add("p256");
        broken_oaep = one.recipient_infos[0];
        broken_oaep.back() ^= 1;
        broken_agreed = one.recipient_infos[1];
        broken_agreed.back() ^= 1;
    }
    const auto pkcs1_broken = [] {
        Envelope one(true);
        one.add("rsa2048");
        Bytes info = one.recipient_infos[0];
        info.back() ^= 1;
        return info;
    }();
    const Bytes good = Envelope(true).add("p384").recipient_infos[0];
    const struct {
        const char* name;
        std::vector<Bytes> infos;
        bool ok;
    } cases[] = {
        {"the last is good", {broken_oaep, broken_agreed, good}, true},
        {"PKCS#1 is tried last", {pkcs1_broken, good}, true},
        {"three broken ones", {broken_oaep, broken_agreed, broken_oaep, good}, true},
        {"as many broken ones as are kept",
         {broken_oaep, broken_agreed, broken_oaep, broken_agreed, good},
         false},
        {"none is good", {broken_oaep, broken_agreed}, false},
    };
    static_assert(limits::cms_matches_max == 4);
    for (const auto& row : cases) {
        Envelope envelope(true);
        envelope.recipient_infos = row.infos;
        const Opened opened = open_cms(envelope.to_cms(), all_keys());
        if (!row.ok) {
            expect_reason(opened, Reason::decrypt_failed, row.name);
            EXPECT_TRUE(opened.failed_early) << row.name;
            EXPECT_EQ(opened.content, "") << row.name;
            continue;
        }
        EXPECT_TRUE(opened.ok()) << row.name;
        EXPECT_EQ(opened.content, entity) << row.name;
        EXPECT_EQ(opened.report.recipient_serial, correspondent("p384").certificate->serial());
        EXPECT_EQ(opened.report.key_transport, "ecdh");
    }
}

TEST(DecryptStage, LooksAtSoManyRecipientsAndNotAtMore) {
    for (const std::size_t before : {limits::cms_recipients_max - 1, limits::cms_recipients_max}) {
        Envelope envelope(true);
        // Small ones, or the message would be larger than what the reader takes at once.
        envelope.recipient_infos.assign(before, other_recipient(ber::context(2)));
        envelope.add("rsa2048");
        const Opened opened = open_cms(envelope.to_cms(), all_keys());
        EXPECT_EQ(opened.ok(), before < limits::cms_recipients_max);
        EXPECT_EQ(opened.error == nullptr, opened.ok()) << "the reader refuses it";
    }
}

TEST(DecryptStage, ReadsTheLastOfManyInOneKeyAgreement) {
    // RecipientEncryptedKeys of one ephemeral key: others first.
    const Bytes ours = Envelope(true).add("p256").recipient_infos[0];
    const CertificatePtr certificate = correspondent("p256").certificate;
    BerWriter own;
    own.sequence([&] {
        own.sequence([&] {
            own.raw(certificate->issuer_der());
            own.raw(certificate->serial_der());
        });
        own.octet_string(ByteSpan(ours).last(24));
    });
    BerWriter others;
    for (int i = 0; i < 100; ++i) {
        others.sequence([&] {
            if (i % 2 == 0) {
                others.sequence([&] {
                    others.raw(certificate->issuer_der());
                    others.integer(static_cast<std::uint64_t>(i));
                });
            } else {
                others.element(ber::context(0), [&] { others.octet_string(counting(20)); });
            }
            others.octet_string(counting(24));
        });
    }
    // Everything before recipientEncryptedKeys stays.
    const auto begin =
        std::search(ours.begin(), ours.end(), own.bytes().begin(), own.bytes().end());
    ASSERT_NE(begin, ours.end());
    const std::size_t header_bytes = 3 + 2;  // of the info, of recipientEncryptedKeys
    const Bytes head(ours.begin() + 3, begin - 2);
    ASSERT_EQ(ours.size(), head.size() + own.bytes().size() + header_bytes);
    BerWriter info;
    info.element(ber::context(1), [&] {
        info.raw(head);
        info.sequence([&] {
            info.raw(others.bytes());
            info.raw(own.bytes());
        });
    });
    Envelope envelope(true);
    envelope.recipient_infos.push_back(info.take());
    const Opened opened = open_cms(envelope.to_cms(), keys_of({"p256"}));
    EXPECT_TRUE(opened.ok()) << opened.report.why;
    EXPECT_EQ(opened.content, entity);
}

TEST(DecryptStage, PassesOverWhatAnOriginatorBrings) {
    Envelope envelope(true);
    envelope.add("rsa2048");
    BerWriter info;
    info.element(ber::context(0), [&] {
        info.element(ber::context(0),
                     [&] { info.raw(correspondent("rsa4096").certificate->der()); });
    });
    envelope.originator_info = info.take();
    EXPECT_TRUE(open_cms(envelope.to_cms(), all_keys()).ok());
}

}  // namespace
}  // namespace sealgate

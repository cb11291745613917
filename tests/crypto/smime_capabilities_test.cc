// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/smime_capabilities.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/limits.h"
#include "crypto/ber_writer.h"
#include "crypto/der_reader.h"
#include "tests/crypto/encrypt_fixture.h"

namespace sealgate {
namespace {

using Cipher = SendingProfileOptions::Cipher;

Bytes from_hex(std::string_view text) {
    Bytes bytes;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
    return bytes;
}

// --- elements
// ----------------------------------------------------------------------------------------

TEST(DerReader, TakesOneElementAfterTheOther) {
    const Bytes der = from_hex(
        "020105"
        "04820003616263"
        "3000"
        "0481020a0b");
    DerReader reader(der);
    const struct {
        std::uint8_t tag;
        std::size_t whole, contents;
    } want[] = {{0x02, 3, 1}, {0x04, 7, 3}, {0x30, 2, 0}, {0x04, 5, 2}};
    for (const auto& row : want) {
        ASSERT_FALSE(reader.at_end());
        const auto element = reader.next();
        ASSERT_TRUE(element) << element.error().what;
        EXPECT_EQ(element->tag, row.tag);
        EXPECT_EQ(element->whole.size(), row.whole);
        EXPECT_EQ(element->contents.size(), row.contents);
    }
    EXPECT_TRUE(reader.at_end());
    EXPECT_FALSE(reader.next());
}

TEST(DerReader, RefusesWhatIsNotOneElement) {
    const struct {
        const char* name;
        const char* hex;
    } cases[] = {
        {"nothing", ""},
        {"no length", "30"},
        {"contents cut short", "300201"},
        {"length cut short", "308201"},
        {"longer than its input", "3084ffffffff00"},
        {"a length of five octets", "30850000000001ff"},
        {"a length of 127 octets", "30ff00"},
        {"indefinite length", "30800000"},
        {"a tag of several octets", "1f8101020304"},
    };
    for (const auto& row : cases) {
        const Bytes der = from_hex(row.hex);
        DerReader reader(der);
        EXPECT_FALSE(reader.next()) << row.name;
        EXPECT_EQ(reader.at_end(), der.empty()) << row.name << ": nothing is taken";
    }
    const Bytes integer = from_hex("020105");
    DerReader reader(integer);
    EXPECT_FALSE(reader.next(ber::sequence)) << "another tag";
    EXPECT_TRUE(reader.next(ber::integer)) << "is still there";
}

// --- what is said
// ------------------------------------------------------------------------------------

constexpr const char* aes128_cbc = "300b0609608648016503040102";
constexpr const char* aes256_cbc = "300b060960864801650304012a";
constexpr const char* aes128_gcm = "300b0609608648016503040106";
constexpr const char* aes256_gcm = "300b060960864801650304012e";
constexpr const char* triple_des = "300a06082a864886f70d0307";
constexpr const char* rc2_128 = "300e06082a864886f70d030202020080";
// RFC 3560 §5 for the defaults, SHA-1; and for SHA-256 as it prints them, without the tags.
constexpr const char* oaep_sha1 = "300d06092a864886f70d0101073000";
constexpr const char* oaep_sha256_untagged =
    "303806092a864886f70d010107302b300d06096086480165030402010500301a06092a864886f70d010108300d0609"
    "6086480165030402010500";
constexpr const char* oaep_sha256 =
    "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108"
    "300d06096086480165030402010500";

Bytes list_of(const std::vector<const char*>& capabilities) {
    BerWriter out;
    out.sequence([&] {
        for (const char* one : capabilities) out.raw(from_hex(one));
    });
    return out.take();
}

SmimeCapabilities known(std::vector<ContentCipher> ciphers, bool rsa_oaep = false) {
    SmimeCapabilities all;
    all.known = true;
    all.rsa_oaep = rsa_oaep;
    for (const ContentCipher cipher : ciphers) {
        switch (cipher) {
        case ContentCipher::aes_128_cbc: all.aes_128_cbc = true; break;
        case ContentCipher::aes_256_cbc: all.aes_256_cbc = true; break;
        case ContentCipher::aes_128_gcm: all.aes_128_gcm = true; break;
        case ContentCipher::aes_256_gcm: all.aes_256_gcm = true; break;
        }
    }
    return all;
}

constexpr ContentCipher cbc_128 = ContentCipher::aes_128_cbc;
constexpr ContentCipher cbc_256 = ContentCipher::aes_256_cbc;
constexpr ContentCipher gcm_128 = ContentCipher::aes_128_gcm;
constexpr ContentCipher gcm_256 = ContentCipher::aes_256_gcm;

TEST(SmimeCapabilities, AreReadFromTheirList) {
    const struct {
        const char* name;
        std::vector<const char*> list;
        SmimeCapabilities want;
    } cases[] = {
        {"nothing", {}, known({})},
        {"old ciphers only", {triple_des, rc2_128}, known({})},
        {"one", {aes128_cbc}, known({cbc_128})},
        {"what this gateway says",
         {aes256_gcm, aes128_gcm, aes256_cbc, aes128_cbc},
         known({cbc_128, cbc_256, gcm_128, gcm_256})},
        {"unknown ones between",
         {rc2_128, aes256_cbc, triple_des, aes128_gcm},
         known({cbc_256, gcm_128})},
        {"twice", {aes256_cbc, aes256_cbc}, known({cbc_256})},
        {"OAEP with SHA-1 only", {oaep_sha1, aes256_cbc}, known({cbc_256})},
        {"OAEP with SHA-256", {oaep_sha256}, known({}, true)},
        {"OAEP as RFC 3560 prints it", {oaep_sha256_untagged}, known({}, true)},
        {"OAEP with both", {oaep_sha1, oaep_sha256}, known({}, true)},
        {"OAEP that says nothing", {"300b06092a864886f70d010107"}, known({})},
        {"OAEP with another mask only",
         {"302b06092a864886f70d010107301ea11c301a06092a864886f70d010108300d060960864801650304020105"
          "00"},
         known({})},
    };
    for (const auto& row : cases) {
        const auto parsed = parse_smime_capabilities(list_of(row.list));
        ASSERT_TRUE(parsed) << row.name << ": " << parsed.error().what;
        EXPECT_EQ(parsed->to_bits(), row.want.to_bits()) << row.name;
    }
}

TEST(SmimeCapabilities, AreRefusedWhereTheyAreNoList) {
    const std::string good = std::string("300d") + aes128_cbc;
    const struct {
        const char* name;
        std::string hex;
    } cases[] = {
        {"nothing", ""},
        {"not a sequence", std::string("310d") + aes128_cbc},
        {"a bare capability", aes128_cbc},
        {"an empty capability", "30023000"},
        {"an integer for an identifier", "30053003020105"},
        {"cut short", good.substr(0, good.size() - 2)},
        {"with something behind", good + "00"},
        {"OAEP with parameters cut short", "300f300d06092a864886f70d0101073001"},
        {"OAEP with an empty hash", "3011300f06092a864886f70d0101073002a000"},
        {"indefinite length", std::string("3080") + aes128_cbc + "0000"},
    };
    ASSERT_TRUE(parse_smime_capabilities(from_hex(good)));
    for (const auto& row : cases)
        EXPECT_FALSE(parse_smime_capabilities(from_hex(row.hex))) << row.name;
}

TEST(SmimeCapabilities, HaveALimit) {
    const auto of_bytes = [](std::size_t bytes) {
        // One capability with an octet string for a parameter.
        BerWriter out;
        const Bytes id = from_hex("06032a0304");
        out.sequence([&] {
            out.sequence([&] {
                out.raw(id);
                out.octet_string(Bytes(bytes - 4 - 4 - id.size() - 4));
            });
        });
        return out.take();
    };
    const Bytes most = of_bytes(limits::smime_capabilities_bytes_max);
    ASSERT_EQ(most.size(), limits::smime_capabilities_bytes_max);
    EXPECT_TRUE(parse_smime_capabilities(most));
    const auto past = parse_smime_capabilities(of_bytes(limits::smime_capabilities_bytes_max + 1));
    ASSERT_FALSE(past);
    EXPECT_EQ(past.error().kind, ErrorKind::limit);
}

TEST(SmimeCapabilities, AreReadFromTheCertificate) {
    EXPECT_EQ(capabilities_of(*test::correspondent("capable").certificate).to_bits(),
              known({cbc_256, gcm_256}, true).to_bits());
    for (const char* name : {"rsa2048", "p256", "x25519"})
        EXPECT_FALSE(capabilities_of(*test::correspondent(name).certificate).known) << name;
}

TEST(SmimeCapabilities, OfABrokenExtensionAreNotKnown) {
    const CertificatePtr good = test::correspondent("capable").certificate;
    Bytes der(good->der().begin(), good->der().end());
    const Bytes id = from_hex("06092a864886f70d01090f");
    const auto at = std::search(der.begin(), der.end(), id.begin(), id.end());
    ASSERT_NE(at, der.end());
    at[static_cast<std::ptrdiff_t>(id.size()) + 2] = 0x31;  // its SEQUENCE becomes a SET
    const auto broken = Certificate::parse(der);
    ASSERT_TRUE(broken);
    EXPECT_FALSE(capabilities_of(**broken).known);
}

TEST(SmimeCapabilities, AreKeptAsOneByte) {
    for (unsigned bits = 0; bits < 256; ++bits) {
        const auto byte = static_cast<std::uint8_t>(bits);
        const SmimeCapabilities all = SmimeCapabilities::of_bits(byte);
        EXPECT_EQ(all.known, (bits & 1) != 0);
        // What is not known says nothing, and there are six of them.
        EXPECT_EQ(all.to_bits(), (bits & 1) != 0 ? bits & 0x3f : 0u) << bits;
    }
    SmimeCapabilities all = known({gcm_256}, true);
    EXPECT_EQ(all.to_bits(), 0b110001);
}

TEST(SmimeCapabilities, AssumeNothingButTheOneEverybodyReads) {
    const SmimeCapabilities unknown;
    EXPECT_TRUE(unknown.reads(cbc_256));
    for (const ContentCipher cipher : {cbc_128, gcm_128, gcm_256})
        EXPECT_FALSE(unknown.reads(cipher)) << to_text(cipher);
    EXPECT_FALSE(known({cbc_128}).reads(cbc_256)) << "who says something says all";
}

// --- what is chosen
// ----------------------------------------------------------------------------------

TEST(ChooseCipher, TakesTheBestThatAllRead) {
    const SmimeCapabilities unknown;
    const SmimeCapabilities all = known({cbc_128, cbc_256, gcm_128, gcm_256});
    const SmimeCapabilities cbc = known({cbc_128, cbc_256});
    const struct {
        const char* name;
        std::vector<SmimeCapabilities> recipients;
        ContentCipher want;
    } cases[] = {
        {"all of them", {all}, gcm_256},
        {"two of them", {all, all}, gcm_256},
        {"GCM before CBC", {known({cbc_256, gcm_128})}, gcm_128},
        {"256 before 128", {known({gcm_128, gcm_256})}, gcm_256},
        {"what both read", {all, cbc}, cbc_256},
        {"128 bits, where one reads no other", {all, known({cbc_128})}, cbc_128},
        {"one of each", {known({gcm_128, cbc_128}), known({gcm_256, cbc_128})}, cbc_128},
        {"one is unknown", {all, unknown}, cbc_256},
        {"one is unknown, and the other reads less", {known({cbc_128}), unknown}, cbc_256},
        {"nobody is known", {unknown, unknown}, cbc_256},
        {"nobody at all", {}, cbc_256},
        {"weak ciphers only", {known({})}, cbc_256},
        {"nothing in common", {known({gcm_256}), known({cbc_128})}, cbc_256},
    };
    for (const auto& row : cases) {
        EXPECT_EQ(choose_cipher(Cipher::automatic, row.recipients), row.want)
            << row.name << ": " << to_text(choose_cipher(Cipher::automatic, row.recipients));
    }
}

TEST(ChooseCipher, DoesAsTheProfileSays) {
    const SmimeCapabilities cbc = known({cbc_128});
    const struct {
        Cipher wanted;
        ContentCipher want;
        const char* text;
    } cases[] = {
        {Cipher::aes_128_cbc, cbc_128, "aes-128-cbc"},
        {Cipher::aes_256_cbc, cbc_256, "aes-256-cbc"},
        {Cipher::aes_128_gcm, gcm_128, "aes-128-gcm"},
        {Cipher::aes_256_gcm, gcm_256, "aes-256-gcm"},
    };
    for (const auto& row : cases) {
        EXPECT_EQ(choose_cipher(row.wanted, {{cbc}}), row.want);
        EXPECT_STREQ(to_text(row.want), row.text);
    }
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What CmsReader tells of well-formed CMS in any form, and what it refuses. Limits and large
// contents: cms_reader_limits_test.cc; what others wrote: cms_reader_corpus_test.cc.
#include "crypto/cms_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crypto/oid.h"
#include "tests/crypto/ber_forms.h"
#include "tests/crypto/cms_samples.h"

namespace sealgate {
namespace {

using namespace test;

std::string outcome(ByteSpan cms, std::size_t piece_bytes) {
    CmsTape tape;
    tape.feed(cms, piece_bytes);
    return tape.outcome();
}

std::string outcome(ByteSpan cms) { return outcome(cms, cms.size() + 1); }

TEST(CmsReader, TellsTheSameOfAnyFormAtAnyCut) {
    for (const CmsSample& sample : cms_samples()) {
        for (const BerForm& form : ber_forms()) {
            SCOPED_TRACE(sample.name + ", " + form.name);
            const Bytes cms = in_ber_form(sample.der, form);
            ASSERT_EQ(outcome(cms), sample.want);
            ASSERT_EQ(outcome(cms, 1), sample.want);
            const std::size_t step = 1 + cms.size() / 1000;  // every cut, of all but the longest
            for (std::size_t cut = 1; cut < cms.size(); cut += step) {
                CmsTape tape;
                ASSERT_TRUE(tape.write(Chunk::copy_of(ByteSpan(cms).first(cut))));
                ASSERT_FALSE(tape.reader.at_end());
                ASSERT_TRUE(tape.write(Chunk::copy_of(ByteSpan(cms).subspan(cut))));
                ASSERT_TRUE(tape.reader.at_end());
                ASSERT_TRUE(tape.finish());
                ASSERT_EQ(tape.outcome(), sample.want) << "cut at " << cut;
            }
        }
    }
}

TEST(CmsReader, RefusesWhatIsCutShort) {
    for (const CmsSample& sample : cms_samples()) {
        for (const BerForm& form : {ber_forms().front(), ber_forms().back()}) {
            SCOPED_TRACE(sample.name + ", " + form.name);
            const Bytes cms = in_ber_form(sample.der, form);
            for (std::size_t bytes = 0; bytes < cms.size(); ++bytes) {
                CmsTape tape;
                ASSERT_FALSE(tape.feed(ByteSpan(cms).first(bytes)));
                ASSERT_EQ(tape.error->kind, ErrorKind::malformed);
                ASSERT_EQ(tape.count("end"), 0u);
            }
        }
    }
}

// Any octet changed to anything near: read or refused, and the same at any cut.
TEST(CmsReader, SaysTheSameOfBrokenOnesAtAnyCut) {
    for (const CmsSample& sample : cms_samples()) {
        for (std::size_t at = 0; at < sample.der.size(); ++at) {
            for (const std::uint8_t change : from_hex("012080ff")) {
                Bytes cms = sample.der;
                cms[at] ^= change;
                const std::string whole = outcome(cms);
                ASSERT_EQ(outcome(cms, 1), whole) << sample.name << " " << to_hex(cms);
                ASSERT_EQ(outcome(cms, 7), whole) << sample.name << " " << to_hex(cms);
            }
        }
    }
}

// --- rows of wrong ones --------------------------------------------------------------------------

constexpr const char* signed_type = "06092a864886f70d010702";
constexpr const char* enveloped_type = "06092a864886f70d010703";
constexpr const char* auth_type = "060b2a864886f70d0109100117";

Bytes wrapped(const std::string& type, const std::string& contents) {
    return content_info(from_hex(type), from_hex(contents));
}

struct Case {
    const char* name;
    const char* type;
    const char* contents;  // "DATA" is the object identifier of data
    const char* want;      // the last line
};

std::string last_line(const CmsTape& tape) {
    if (!tape.error) return tape.lines.back();
    return std::string(to_text(tape.error->kind)) + ": " + tape.error->what;
}

void expect(const Case& row) {
    SCOPED_TRACE(row.name);
    std::string contents = row.contents;
    for (std::size_t at = 0; (at = contents.find("DATA")) != std::string::npos;)
        contents.replace(at, 4, "06092a864886f70d010701");
    const Bytes cms = wrapped(row.type, contents);
    for (const std::size_t piece_bytes : {cms.size(), std::size_t{1}}) {
        CmsTape tape;
        tape.feed(cms, piece_bytes);
        EXPECT_EQ(last_line(tape), row.want);
    }
}

TEST(CmsReader, RefusesSignedDataOfAnotherShape) {
    const Case cases[] = {
        {"right", signed_type, "020101 3100 300b DATA 3100", "end"},
        {"right, with content", signed_type, "020101 3100 3011 DATA a0040402aabb 3100", "end"},
        {"nothing", signed_type, "", "malformed: CMS SignedData of another shape"},
        {"no version", signed_type, "3100 300b DATA 3100",
         "malformed: CMS SignedData of another shape"},
        {"a constructed version", signed_type, "2203020101 3100 300b DATA 3100",
         "malformed: CMS SignedData of another shape"},
        {"no digest algorithms", signed_type, "020101 300b DATA 3100",
         "malformed: CMS SignedData of another shape"},
        {"no content info", signed_type, "020101 3100 3100",
         "malformed: CMS SignedData of another shape"},
        {"no signer infos", signed_type, "020101 3100 300b DATA",
         "malformed: CMS SignedData of another shape"},
        {"certificates behind lists", signed_type, "020101 3100 300b DATA a100 a000 3100",
         "malformed: CMS SignedData of another shape"},
        {"certificates twice", signed_type, "020101 3100 300b DATA a000 a000 3100",
         "malformed: CMS SignedData of another shape"},
        {"certificates behind signer infos", signed_type, "020101 3100 300b DATA 3100 a000",
         "malformed: CMS SignedData of another shape"},
        {"signer infos twice", signed_type, "020101 3100 300b DATA 3100 3100",
         "malformed: CMS SignedData of another shape"},
        {"certificates that are primitive", signed_type, "020101 3100 300b DATA 8000 3100",
         "malformed: CMS SignedData of another shape"},
        {"something more", signed_type, "020101 3100 300b DATA 3100 0500",
         "malformed: CMS SignedData of another shape"},
        {"a digest algorithm that is none", signed_type, "020101 3102 0500 300b DATA 3100",
         "malformed: CMS DigestAlgorithmIdentifiers of another shape"},
        {"a signer info that is none", signed_type, "020101 3100 300b DATA 3103 020101",
         "malformed: CMS SignerInfos of another shape"},
        {"a kind of certificate that is none", signed_type, "020101 3100 300b DATA a002 a400 3100",
         "malformed: CMS CertificateSet of another shape"},
        {"a set of certificates", signed_type, "020101 3100 300b DATA a004 3102 3000 3100",
         "malformed: CMS CertificateSet of another shape"},
        {"a kind of list that is none", signed_type, "020101 3100 300b DATA a102 a000 3100",
         "malformed: CMS RevocationInfoChoices of another shape"},
    };
    for (const Case& row : cases) expect(row);
}

TEST(CmsReader, RefusesContentOfAnotherShape) {
    const Case cases[] = {
        {"no type", signed_type, "020101 3100 3000 3100",
         "malformed: CMS EncapsulatedContentInfo of another shape"},
        {"a type that is none", signed_type, "020101 3100 3003 020101 3100",
         "malformed: CMS EncapsulatedContentInfo of another shape"},
        {"a constructed type", signed_type, "020101 3100 3004 26020500 3100",
         "malformed: CMS EncapsulatedContentInfo of another shape"},
        {"content behind its type, not under [0]", signed_type,
         "020101 3100 300f DATA 0402aabb 3100",
         "malformed: CMS EncapsulatedContentInfo of another shape"},
        {"content under [1]", signed_type, "020101 3100 3011 DATA a1040402aabb 3100",
         "malformed: CMS EncapsulatedContentInfo of another shape"},
        {"content twice", signed_type, "020101 3100 3013 DATA a0020400 a0020400 3100",
         "malformed: CMS EncapsulatedContentInfo of another shape"},
        {"a sequence, as in PKCS#7", signed_type, "020101 3100 300f DATA a0023000 3100",
         "unsupported: CMS content that is not an OCTET STRING"},
        {"an integer, as in PKCS#7", signed_type, "020101 3100 3010 DATA a003020101 3100",
         "unsupported: CMS content that is not an OCTET STRING"},
        {"an octet string under IMPLICIT", signed_type, "020101 3100 300f DATA 8002aabb 3100",
         "malformed: CMS EncapsulatedContentInfo of another shape"},
        {"an empty [0]", signed_type, "020101 3100 300d DATA a000 3100",
         "unsupported: CMS content that is not an OCTET STRING"},
        {"two octet strings", signed_type, "020101 3100 3011 DATA a00404000400 3100",
         "unsupported: CMS content that is not an OCTET STRING"},
        {"an object identifier", signed_type, "020101 3100 3018 DATA a00b DATA 3100",
         "unsupported: CMS content that is not an OCTET STRING"},
        {"segments of another type", signed_type,
         "020101 3100 3080 DATA a080 2480 0401aa 020101 0000 0000 0000 3100",
         "malformed: CMS content with a segment that is no OCTET STRING"},
        {"segments under a context tag", signed_type,
         "020101 3100 3080 DATA a080 2480 8001aa 0000 0000 0000 3100",
         "malformed: CMS content with a segment that is no OCTET STRING"},
        {"a sequence among inner segments", signed_type,
         "020101 3100 3080 DATA a080 2480 2480 3000 0000 0000 0000 0000 3100",
         "malformed: CMS content with a segment that is no OCTET STRING"},
        {"bit segments", enveloped_type, "020100 3100 3080 DATA 3000 a080 030200aa 0000 0000",
         "malformed: CMS content with a segment that is no OCTET STRING"},
        {"encrypted content under EXPLICIT, of an octet string", enveloped_type,
         "020100 3100 3080 DATA 3000 a080 0401aa 0000 0000", "end"},
    };
    for (const Case& row : cases) expect(row);
}

TEST(CmsReader, RefusesEnvelopedDataOfAnotherShape) {
    const Case cases[] = {
        {"right", enveloped_type, "020100 3100 300d DATA 3000", "end"},
        {"nothing", enveloped_type, "", "malformed: CMS EnvelopedData of another shape"},
        {"no version", enveloped_type, "3100 300d DATA 3000",
         "malformed: CMS EnvelopedData of another shape"},
        {"no recipients", enveloped_type, "020100 300d DATA 3000",
         "malformed: CMS EnvelopedData of another shape"},
        {"no content info", enveloped_type, "020100 3100",
         "malformed: CMS EnvelopedData of another shape"},
        {"originator behind recipients", enveloped_type, "020100 3100 a000 300d DATA 3000",
         "malformed: CMS EnvelopedData of another shape"},
        {"an originator's lists before its certificates", enveloped_type,
         "020100 a004 a100 a000 3100 300d DATA 3000",
         "malformed: CMS OriginatorInfo of another shape"},
        {"attributes with another tag", enveloped_type, "020100 3100 300d DATA 3000 a200",
         "malformed: CMS EnvelopedData of another shape"},
        {"a recipient that is a set", enveloped_type, "020100 3102 3100 300d DATA 3000",
         "malformed: CMS RecipientInfos of another shape"},
        {"a recipient of kind [0]", enveloped_type, "020100 3102 a000 300d DATA 3000",
         "malformed: CMS RecipientInfos of another shape"},
        {"a recipient of kind [5]", enveloped_type, "020100 3102 a500 300d DATA 3000",
         "malformed: CMS RecipientInfos of another shape"},
        {"a recipient with a segment of another type", enveloped_type,
         "020100 3109 3007 24050401aa0500 300d DATA 3000",
         "malformed: BER string with a segment of another type"},
        {"no type of content", enveloped_type, "020100 3100 3002 3000",
         "malformed: CMS EncryptedContentInfo of another shape"},
        {"no algorithm", enveloped_type, "020100 3100 300b DATA",
         "malformed: CMS EncryptedContentInfo of another shape"},
        {"no algorithm, and content", enveloped_type, "020100 3100 300f DATA 8002aabb",
         "malformed: CMS EncryptedContentInfo of another shape"},
        {"content as an octet string", enveloped_type, "020100 3100 3010 DATA 3000 0401aa",
         "malformed: CMS EncryptedContentInfo of another shape"},
        {"a signature's parts", enveloped_type, "020100 3100 300d DATA 3000 3100",
         "malformed: CMS EnvelopedData of another shape"},
    };
    for (const Case& row : cases) expect(row);
}

TEST(CmsReader, RefusesAuthEnvelopedDataOfAnotherShape) {
    const Case cases[] = {
        {"right", auth_type, "020100 3100 300d DATA 3000 0401aa", "end"},
        {"no code", auth_type, "020100 3100 300d DATA 3000",
         "malformed: CMS AuthEnvelopedData of another shape"},
        {"no code, and attributes", auth_type, "020100 3100 300d DATA 3000 a100 a200",
         "malformed: CMS AuthEnvelopedData of another shape"},
        {"attributes behind the code", auth_type, "020100 3100 300d DATA 3000 0401aa a100",
         "malformed: CMS AuthEnvelopedData of another shape"},
        {"two codes", auth_type, "020100 3100 300d DATA 3000 0401aa 0401aa",
         "malformed: CMS AuthEnvelopedData of another shape"},
        {"a code that is a bit string", auth_type, "020100 3100 300d DATA 3000 030200aa",
         "malformed: CMS AuthEnvelopedData of another shape"},
    };
    for (const Case& row : cases) expect(row);
}

TEST(CmsReader, RefusesWhatIsNoContentInfo) {
    const struct {
        const char* name;
        const char* hex;
        const char* want;
    } cases[] = {
        {"text", "48656c6c6f", "malformed: CMS ContentInfo of another shape\n"},
        {"a set", "3100", "malformed: CMS ContentInfo of another shape\n"},
        {"an empty sequence", "3000", "malformed: CMS ContentInfo of another shape\n"},
        {"a SignedData alone", "3015 020101 3100 300b 06092a864886f70d010701 3100",
         "malformed: CMS ContentInfo of another shape\n"},
        {"a certificate", "3008 3003020101 30003000",
         "malformed: CMS ContentInfo of another shape\n"},
        {"a type alone", "300b 06092a864886f70d010702",
         "signedData\nmalformed: CMS ContentInfo of another shape\n"},
        {"without [0]", "300d 06092a864886f70d010702 3000",
         "signedData\nmalformed: CMS ContentInfo of another shape\n"},
        {"an empty [0]", "300d 06092a864886f70d010702 a000",
         "signedData\nmalformed: CMS SignedData of another shape\n"},
        {"a set in the [0]", "300f 06092a864886f70d010703 a0023100",
         "envelopedData\nmalformed: CMS EnvelopedData of another shape\n"},
        {"two in the [0]",
         "302b 060b2a864886f70d0109100117 a01c 301a 0201003100300d06092a864886f70d01070130000401aa "
         "3000",
         "authEnvelopedData\ncontent_type 06092a864886f70d010701 3000\nno_content_end\nmac aa\n"
         "malformed: CMS AuthEnvelopedData of another shape\n"},
        {"data", "300d 06092a864886f70d010701 a000",
         "data\nunsupported: CMS of a type that is not read\n"},
        {"digestedData", "300d 06092a864886f70d010705 a000",
         "other\nunsupported: CMS of a type that is not read\n"},
        {"compressedData", "300f 060b2a864886f70d0109100109 a000",
         "other\nunsupported: CMS of a type that is not read\n"},
        {"an empty type", "3002 0600", "other\nunsupported: CMS of a type that is not read\n"},
        {"PEM", "2d2d2d2d2d424547494e", "malformed: CMS ContentInfo of another shape\n"},
    };
    for (const auto& row : cases) {
        const Bytes cms = from_hex(row.hex);
        EXPECT_EQ(outcome(cms), row.want) << row.name;
        EXPECT_EQ(outcome(cms, 1), row.want) << row.name;
    }
}

TEST(CmsReader, LetsLinesAndZerosFollowAndNothingElse) {
    const CmsSample& sample = cms_samples().front();
    const std::string refused = sample.want + "malformed: octets behind the CMS ContentInfo\n";
    const struct {
        const char* hex;
        bool fits;
    } cases[] = {
        {"0d0a", true},       {"0a0a0a", true}, {"00", true},      {"0000", true},
        {"00000d0a00", true}, {"20", false},    {"0500", false},   {"0d0a2e", false},
        {"1a", false},        {"30", false},    {"0000ff", false},
    };
    for (const auto& row : cases) {
        for (const BerForm& form : {ber_forms()[0], ber_forms()[1]}) {
            Bytes cms = in_ber_form(sample.der, form);
            for (const std::uint8_t octet : from_hex(row.hex)) cms.push_back(octet);
            const std::string want = row.fits ? sample.want : refused;
            EXPECT_EQ(outcome(cms), want) << row.hex;
            EXPECT_EQ(outcome(cms, 1), want) << row.hex;
        }
    }
    const Bytes twice = row_of({sample.der, sample.der});
    EXPECT_EQ(outcome(twice), refused);
}

// --- between the reader and who hears ------------------------------------------------------------

TEST(CmsReader, IsUnsupportedWhereNobodyHears) {
    CmsTape tape;
    tape.nobody = true;
    EXPECT_FALSE(tape.feed(cms_samples().front().der));
    EXPECT_EQ(tape.outcome(), "signedData\nunsupported: CMS of a type that is not read\n");
}

TEST(CmsReader, PassesErrorsUpAndIsDeadThen) {
    const char* const places[] = {"digest_algorithm",
                                  "recipient_info",
                                  "content_type",
                                  "content",
                                  "content_end",
                                  "certificate",
                                  "crl",
                                  "signer_info",
                                  "authenticated_attributes",
                                  "mac",
                                  "end",
                                  "no_content_end"};
    for (const char* place : places) {
        int failed = 0;
        for (const CmsSample& sample : cms_samples()) {
            CmsTape tape;
            tape.fails_at = place;
            if (tape.feed(sample.der)) continue;
            ++failed;
            ASSERT_STREQ(tape.error->what, "said no") << place;
            const std::string told = tape.outcome();
            EXPECT_FALSE(tape.write(Chunk::literal("\n")));
            EXPECT_FALSE(tape.finish());
            EXPECT_STREQ(tape.error->what, "said no");
            EXPECT_EQ(tape.outcome(), told) << "nothing more is told";
        }
        EXPECT_GT(failed, 0) << place;
    }
}

TEST(CmsReader, PassesUpThatNoMoreIsWanted) {
    for (const CmsSample& sample : cms_samples()) {
        for (const Flow answer : {Flow::full, Flow::open}) {
            CmsTape tape;
            tape.answer = answer;
            ASSERT_TRUE(tape.write(Chunk::copy_of(ByteSpan(sample.der))));
            EXPECT_EQ(tape.flow, tape.pieces > 0 ? answer : Flow::open) << sample.name;
            ASSERT_TRUE(tape.write(Chunk::literal("\n")));
            EXPECT_EQ(tape.flow, Flow::open) << "there was no content in it";
            EXPECT_EQ(tape.outcome(), sample.want) << "and is given what is left of its chunk";
        }
    }
}

TEST(CmsReader, NamesTypes) {
    const std::pair<CmsType, const char*> names[] = {
        {CmsType::data, "data"},
        {CmsType::signed_data, "signedData"},
        {CmsType::enveloped_data, "envelopedData"},
        {CmsType::auth_enveloped_data, "authEnvelopedData"},
        {CmsType::other, "other"},
    };
    for (const auto& [type, name] : names) EXPECT_STREQ(to_text(type), name);
}

}  // namespace
}  // namespace sealgate

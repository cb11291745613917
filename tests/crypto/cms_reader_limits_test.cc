// SPDX-License-Identifier: GPL-3.0-or-later
// CmsReader at its limits and past them, and with content of any size: windows on what came, a
// bounded number of pieces, bounded memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/limits.h"
#include "crypto/cms_reader.h"
#include "crypto/oid.h"
#include "tests/crypto/ber_forms.h"
#include "tests/crypto/cms_samples.h"

namespace sealgate {
namespace {

using namespace test;

const Bytes version = {0x02, 0x01, 0x01};

Bytes set_of(std::uint8_t tag, const std::vector<Bytes>& elements) {
    Bytes contents;
    for (const Bytes& element : elements)
        contents.insert(contents.end(), element.begin(), element.end());
    return element_of(tag, contents);
}

Bytes signed_data(const std::vector<Bytes>& certificates, const std::vector<Bytes>& crls,
                  const std::vector<Bytes>& signers) {
    return content_info(
        oid::signed_data,
        row_of({version, set_of(ber::set, {}), element_of(ber::sequence, oid_element(oid::data)),
                set_of(ber::context(0), certificates), set_of(ber::context(1), crls),
                set_of(ber::set, signers)}));
}

Bytes enveloped_data(const std::vector<Bytes>& recipients, const Bytes& encrypted_content) {
    return content_info(
        oid::enveloped_data,
        row_of({version, set_of(ber::set, recipients),
                element_of(ber::sequence, row_of({oid_element(oid::data), sequence_of_size(16),
                                                  encrypted_content}))}));
}

// A SEQUENCE of this size around one that is indefinite: 2 + 2 octets of it are that.
Bytes indefinite_of_size(std::size_t bytes) {
    Bytes made = from_hex("3080");
    const Bytes inside = sequence_of_size(bytes - 4);
    made.insert(made.end(), inside.begin(), inside.end());
    made.insert(made.end(), 2, 0);
    return made;
}

// --- limits --------------------------------------------------------------------------------------

void expect(const char* name, const Bytes& cms, const char* error) {
    for (const std::size_t piece_bytes : {cms.size(), std::size_t{1460}, std::size_t{41}}) {
        CmsTape tape;
        tape.feed(cms, piece_bytes);
        const std::string got =
            tape.error ? std::string(to_text(tape.error->kind)) + ": " + tape.error->what : "";
        EXPECT_EQ(got, error) << name << ", in pieces of " << piece_bytes;
    }
}

TEST(CmsReaderLimits, GathersElementsToTheirLimit) {
    constexpr std::size_t max = limits::cms_element_bytes_max;
    constexpr const char* past = "limit: CMS element past cms_element_bytes_max";
    const Bytes algorithm = sequence_of_size(20);
    expect("a recipient", enveloped_data({sequence_of_size(max)}, {}), "");
    expect("a recipient past it", enveloped_data({sequence_of_size(max + 1)}, {}), past);
    expect("recipients", enveloped_data({sequence_of_size(max), sequence_of_size(max)}, {}), "");
    expect("of indefinite length", enveloped_data({indefinite_of_size(max)}, {}), "");
    expect("of indefinite length, past it", enveloped_data({indefinite_of_size(max + 1)}, {}),
           past);
    expect("by its end of contents alone", enveloped_data({indefinite_of_size(max + 2)}, {}), past);
    expect("a signer", signed_data({}, {}, {sequence_of_size(max)}), "");
    expect("a signer past it", signed_data({}, {}, {sequence_of_size(max + 1)}), past);
    expect("a certificate past it", signed_data({sequence_of_size(max + 1)}, {}, {}), past);
}

// What is longer is refused when its length is known, before it comes.
TEST(CmsReaderLimits, RefusesAnElementByItsLength) {
    const Bytes head =
        from_hex("3080 06092a864886f70d010703 a080 3080 020100 3180 3080 30 830fffff");
    CmsTape tape;
    EXPECT_TRUE(tape.write(Chunk::copy_of(ByteSpan(head).first(head.size() - 1))));
    EXPECT_FALSE(tape.write(Chunk::copy_of(ByteSpan(head).last(1))));
    EXPECT_EQ(tape.error->kind, ErrorKind::limit);
}

TEST(CmsReaderLimits, CountsRecipients) {
    const std::vector<Bytes> recipients(limits::cms_recipients_max, sequence_of_size(16));
    CmsTape tape;
    EXPECT_TRUE(tape.feed(enveloped_data(recipients, {})));
    EXPECT_EQ(tape.count("recipient_info"), limits::cms_recipients_max);
    std::vector<Bytes> more = recipients;
    more.push_back(sequence_of_size(16));
    expect("one more", enveloped_data(more, {}), "limit: CMS past cms_recipients_max");
}

TEST(CmsReaderLimits, CountsSignersAndTheirBytes) {
    const std::vector<Bytes> signers(limits::cms_signers_max, sequence_of_size(16));
    CmsTape tape;
    EXPECT_TRUE(tape.feed(signed_data({}, {}, signers)));
    EXPECT_EQ(tape.count("signer_info"), limits::cms_signers_max);
    std::vector<Bytes> more = signers;
    more.push_back(sequence_of_size(16));
    expect("one more", signed_data({}, {}, more), "limit: CMS past cms_signers_max");

    constexpr std::size_t max = limits::cms_signers_bytes_max;
    expect("bytes", signed_data({}, {}, {sequence_of_size(max - 1000), sequence_of_size(1000)}),
           "");
    expect("a byte more",
           signed_data({}, {}, {sequence_of_size(max - 1000), sequence_of_size(1001)}),
           "limit: CMS past cms_signers_bytes_max");
}

TEST(CmsReaderLimits, CountsTheBytesOfCertificates) {
    constexpr std::size_t max = limits::cms_certificates_bytes_max;
    constexpr const char* past = "limit: CMS past cms_certificates_bytes_max";
    const Bytes other = element_of(ber::context(2), sequence_of_size(60'000));
    expect("one", signed_data({sequence_of_size(max)}, {}, {}), "");
    expect("two", signed_data({sequence_of_size(max - 1000), sequence_of_size(1000)}, {}, {}), "");
    expect("a byte more",
           signed_data({sequence_of_size(max - 1000), sequence_of_size(1001)}, {}, {}), past);
    expect("many small ones",
           signed_data(std::vector<Bytes>(max / 32, sequence_of_size(32)), {}, {}), "");
    expect("one more", signed_data(std::vector<Bytes>(max / 32 + 1, sequence_of_size(32)), {}, {}),
           past);
    expect("other kinds are not counted",
           signed_data({other, other, sequence_of_size(max), other}, {}, {}), "");
}

TEST(CmsReaderLimits, PassesOverListsThatAreTooMany) {
    constexpr std::size_t max = limits::cms_crls_bytes_max;
    const struct {
        const char* name;
        std::vector<Bytes> crls;
        std::vector<std::size_t> want;  // sizes of those that are given
    } cases[] = {
        {"one", {sequence_of_size(max)}, {max}},
        {"one past it", {sequence_of_size(max + 1)}, {}},
        {"two", {sequence_of_size(max - 100), sequence_of_size(100)}, {max - 100, 100}},
        {"the second past it", {sequence_of_size(max - 100), sequence_of_size(101)}, {max - 100}},
        {"a small one behind a large one",
         {sequence_of_size(max + 1), sequence_of_size(2'000'000), sequence_of_size(50)},
         {50}},
        {"of indefinite length", {indefinite_of_size(max)}, {max}},
        {"of indefinite length past it, a small one behind",
         {indefinite_of_size(max + 100), sequence_of_size(50)},
         {50}},
        {"past it by half of its end", {indefinite_of_size(max + 1), sequence_of_size(50)}, {50}},
        {"past it by its end", {indefinite_of_size(max + 2), sequence_of_size(50)}, {50}},
    };
    for (const auto& row : cases) {
        for (const std::size_t piece_bytes : {std::size_t{100'000'000}, std::size_t{999}}) {
            CmsTape tape;
            EXPECT_TRUE(tape.feed(signed_data({}, row.crls, {sequence_of_size(16)}), piece_bytes))
                << row.name;
            EXPECT_EQ(tape.count("crl"), row.want.size()) << row.name;
            EXPECT_EQ(tape.count("signer_info"), 1u) << row.name << ": what follows is read";
        }
    }
}

TEST(CmsReaderLimits, TakesObjectIdentifiersOf256Octets) {
    for (const std::size_t bytes : {std::size_t{256}, std::size_t{257}}) {
        const Bytes type = element_of(ber::object_identifier, Bytes(bytes - 3, 0x2a));
        ASSERT_EQ(type.size(), bytes);
        const bool fits = bytes == 256;
        expect(
            "of the content",
            content_info(oid::enveloped_data,
                         row_of({version, set_of(ber::set, {}),
                                 element_of(ber::sequence, row_of({type, sequence_of_size(16)}))})),
            fits ? "" : "limit: CMS object identifier longer than is read");
        expect("of the ContentInfo", content_info(type, {}),
               fits ? "unsupported: CMS of a type that is not read"
                    : "limit: CMS object identifier longer than is read");
    }
}

TEST(CmsReaderLimits, NestsToTheLimitOfBer) {
    // ContentInfo, [0], EnvelopedData, RecipientInfos: four are around.
    const auto nested = [](int depth) {
        Bytes made;
        for (int i = 0; i < depth; ++i) made = element_of(ber::sequence, made);
        return made;
    };
    expect("at it", enveloped_data({nested(limits::ber_depth_max - 4)}, {}), "");
    expect("past it", enveloped_data({nested(limits::ber_depth_max - 3)}, {}),
           "limit: BER elements nested too deep");
    const BerForm deep{.segment_bytes = 1, .segment_depth = 32};
    expect("segments in segments", in_ber_form(cms_samples().front().der, deep),
           "limit: BER elements nested too deep");
}

// --- content -------------------------------------------------------------------------------------

// Goes through it chunk by chunk, as a large message comes.
class Feeder {
public:
    explicit Feeder(CmsTape& the_tape) : tape(the_tape) { tape.keeps_content = false; }
    ~Feeder() { EXPECT_FALSE(tape.error) << tape.error->what; }
    void text(std::string_view hex) {
        ASSERT_TRUE(tape.write(Chunk::copy_of(ByteSpan(from_hex(hex)))));
    }
    void chunk(const Chunk& chunk) { ASSERT_TRUE(tape.write(chunk)); }

    CmsTape& tape;
};

constexpr const char* enveloped_head =
    "3080 06092a864886f70d010703 a080 3080 020100 3100 3080 06092a864886f70d010701 3000";

TEST(CmsReaderContent, IsAWindowOnWhatCame) {
    // Notes where each piece lies.
    struct Windows final : CmsReader::Router {
        struct Handler final : CmsHandler {
            Result<void> on_digest_algorithm(ByteSpan) override { return {}; }
            Result<void> on_recipient_info(ByteSpan) override { return {}; }
            Result<void> on_content_type(ByteSpan, ByteSpan) override { return {}; }
            Result<Flow> on_content(Chunk piece) override {
                pieces.push_back(std::move(piece));
                return Flow::open;
            }
            Result<void> on_content_end(bool) override { return {}; }
            Result<void> on_certificate(ByteSpan) override { return {}; }
            Result<void> on_crl(ByteSpan) override { return {}; }
            Result<void> on_signer_info(ByteSpan) override { return {}; }
            Result<void> on_authenticated_attributes(ByteSpan) override { return {}; }
            Result<void> on_mac(ByteSpan) override { return {}; }
            Result<void> on_end() override { return {}; }
            std::vector<Chunk> pieces;
        };
        CmsHandler* on_cms_type(CmsType) override { return &handler; }
        Handler handler;
    };
    // In one, and in segments as our own stage and OpenSSL's cut them.
    for (const std::size_t segment_bytes : {std::size_t{0}, std::size_t{8192}, std::size_t{4096}}) {
        Windows windows;
        CmsReader reader(windows);
        const Bytes cms = in_ber_form(enveloped_data({}, element_of(0x80, Bytes(40'000, 0x61))),
                                      {.indefinite = true, .segment_bytes = segment_bytes});
        const Chunk chunk = Chunk::copy_of(ByteSpan(cms));
        ASSERT_TRUE(reader.write(chunk));
        ASSERT_TRUE(reader.finish());
        std::size_t inside = 0;
        for (const Chunk& piece : windows.handler.pieces)
            if (piece.data() >= chunk.data() && piece.data() < chunk.data() + chunk.size())
                inside += piece.size();
        EXPECT_EQ(inside, 40'000u) << segment_bytes;
    }
}

TEST(CmsReaderContent, OfAHundredMegabytesInOneTakesNoMemory) {
    CmsTape tape;
    Feeder feeder(tape);
    feeder.text(enveloped_head);
    constexpr std::size_t chunk_bytes = 64 * 1024, chunks = 1600;
    feeder.text("80 84 06400000");
    const Chunk chunk = Chunk::copy_of(ByteSpan(Bytes(chunk_bytes, 0x61)));
    const std::size_t before = BlockPool::instance().in_use_bytes();
    for (std::size_t i = 0; i < chunks; ++i) {
        feeder.chunk(chunk);
        ASSERT_EQ(BlockPool::instance().in_use_bytes(), before);
    }
    feeder.text("0000 0000 0000 0000");
    EXPECT_TRUE(tape.finish());
    EXPECT_EQ(tape.content_bytes, chunk_bytes * chunks);
    EXPECT_EQ(tape.pieces, chunks);
}

// A block that is waiting to be full, and one that is full and on its way.
constexpr std::size_t gathered_bytes_max = 2 * (4096 + 64);

Bytes segments_of(std::size_t content_bytes, std::size_t segment_bytes) {
    Bytes segments;
    for (std::size_t left = content_bytes; left > 0;) {
        const std::size_t bytes = std::min(segment_bytes, left);
        const Bytes segment = element_of(ber::octet_string, Bytes(bytes, 0x61));
        segments.insert(segments.end(), segment.begin(), segment.end());
        left -= bytes;
    }
    return segments;
}

TEST(CmsReaderContent, InSmallSegmentsComesTogether) {
    const struct {
        std::size_t content_bytes, segment_bytes, chunk_bytes;
    } cases[] = {
        {1'000'000, 1, 65536}, {200'000, 1, 1460},    {50'000, 1, 1},
        {200'000, 3, 1460},    {200'000, 100, 65536}, {50'000, 100, 1},
        {200'000, 255, 65536}, {200'000, 255, 1460},  {200'000, 200'000, 100},
    };
    for (const auto& row : cases) {
        SCOPED_TRACE(row.segment_bytes);
        const Chunk segments =
            Chunk::copy_of(ByteSpan(segments_of(row.content_bytes, row.segment_bytes)));
        CmsTape tape;
        Feeder feeder(tape);
        feeder.text(enveloped_head);
        feeder.text("a080");
        const std::size_t before = BlockPool::instance().in_use_bytes();
        for (std::size_t at = 0; at < segments.size(); at += row.chunk_bytes) {
            ASSERT_TRUE(
                tape.write(segments.slice(at, std::min(at + row.chunk_bytes, segments.size()))));
            ASSERT_LE(BlockPool::instance().in_use_bytes(), before + gathered_bytes_max);
        }
        feeder.text("0000 0000 0000 0000 0000");
        EXPECT_TRUE(tape.finish());
        EXPECT_EQ(tape.content_bytes, row.content_bytes);
        EXPECT_LE(tape.pieces, row.content_bytes / (4096 - 256) + 2);
    }
}

TEST(CmsReaderContent, OfEmptySegmentsIsEmpty) {
    CmsTape tape;
    Feeder feeder(tape);
    feeder.text(enveloped_head);
    feeder.text("a080");
    Bytes empty;
    for (int i = 0; i < 30'000; ++i) {
        empty.push_back(0x04);
        empty.push_back(0x00);
    }
    feeder.chunk(Chunk::copy_of(ByteSpan(empty)));
    feeder.text("0000 0000 0000 0000 0000");
    EXPECT_TRUE(tape.finish());
    EXPECT_EQ(tape.pieces, 0u);
    EXPECT_EQ(tape.count("content_end"), 1u);
}

// One octet that keeps 64 KB alive would make a small buffer below a large one.
TEST(CmsReaderContent, HoldsNoLargeBlockForASmallPiece) {
    Bytes segments;
    for (int i = 0; i < 100; ++i) {
        const Bytes segment = element_of(ber::octet_string, Bytes(300, 0x61));
        segments.insert(segments.end(), segment.begin(), segment.end());
        for (int empty = 0; empty < 180; ++empty) {
            segments.push_back(0x04);
            segments.push_back(0x00);
        }
    }
    CmsTape tape;
    Feeder feeder(tape);
    feeder.text(enveloped_head);
    feeder.text("a080");
    feeder.chunk(Chunk::copy_of(ByteSpan(segments)));
    feeder.text("0000 0000 0000 0000 0000");
    EXPECT_TRUE(tape.finish());
    EXPECT_EQ(tape.content_bytes, 30'000u);
    EXPECT_LE(tape.pieces, 16u);
}

}  // namespace
}  // namespace sealgate

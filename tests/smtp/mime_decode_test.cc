// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_decode.h"

#include <gtest/gtest.h>

#include "smtp/mime_encode.h"
#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

using namespace mime_test;
using Encoding = TransferEncoding;
using Body = TransferDecoder::Body;

struct Decoded {
    std::string text;
    bool refused = false;
    std::uint64_t at = 0;  // of the error
    bool operator==(const Decoded&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Decoded& decoded) {
    return out << testing::PrintToString(decoded.text)
               << (decoded.refused ? " refused at " + std::to_string(decoded.at) : "");
}

Decoded decode_cut(std::string_view in, const std::vector<std::size_t>& cuts, Encoding encoding,
                   Body body = Body::any) {
    TextSink sink;
    TransferDecoder decoder(sink, encoding, body);
    std::size_t from = 0;
    const auto feed = [&](std::size_t to) {
        const auto result = decoder.write(Chunk::copy_of(in.substr(from, to - from)));
        from = to;
        return result;
    };
    for (const std::size_t cut : cuts) {
        if (cut <= from || cut >= in.size()) continue;
        if (const auto result = feed(cut); !result) return {"", true, result.error().at};
    }
    if (const auto result = feed(in.size()); !result) return {"", true, result.error().at};
    if (const auto result = decoder.finish(); !result) return {"", true, result.error().at};
    EXPECT_TRUE(sink.finished);
    return {sink.text};
}

Decoded decode(std::string_view in, Encoding encoding, Body body = Body::any) {
    return decode_cut(in, {}, encoding, body);
}

struct Case {
    const char* name;
    Encoding encoding;
    std::string in;
    std::string want;
    bool refused = false;
    std::uint64_t at = 0;
};

const Case cases[] = {
    // clang-format off
    {"Nothing", Encoding::base64, "", ""},
    {"ThreeBytes", Encoding::base64, "YWJj", "abc"},
    {"TwoBytes", Encoding::base64, "YWI=", "ab"},
    {"OneByte", Encoding::base64, "YQ==", "a"},
    {"AllBits", Encoding::base64, "+/+/", "\xFB\xFF\xBF"},
    {"Lines", Encoding::base64, "YWJj\r\nZGVm\r\n", "abcdef"},
    {"BareLineFeeds", Encoding::base64, "YWJj\nZGVm\n", "abcdef"},
    {"LineEndInsideAGroup", Encoding::base64, "YWJjZG\r\nVm\r\n", "abcdef"},
    {"LineEndAnywhere", Encoding::base64, "Y\r\nW\r\nJ\r\nj", "abc"},
    {"WhiteSpace", Encoding::base64, " Y W\tJ j ", "abc"},
    {"LineEndBeforePadding", Encoding::base64, "YQ\r\n=\r\n=\r\n", "a"},
    {"WhiteSpaceBehindPadding", Encoding::base64, "YQ==\r\n \r\n", "a"},
    {"MorePaddingThanNeeded", Encoding::base64, "YWI====", "ab"},
    {"PaddingBehindAWholeGroup", Encoding::base64, "YWJj====", "abc"},
    {"OnlyPadding", Encoding::base64, "====", ""},
    {"OnePaddingForTwo", Encoding::base64, "YQ=", "a"},
    {"NoPaddingOfTwo", Encoding::base64, "YQ", "a"},
    {"NoPaddingOfOne", Encoding::base64, "YWI\r\n", "ab"},
    {"BitsBehindTheLastByte", Encoding::base64, "YR==", "a"},
    {"OneDigitLeft", Encoding::base64, "YWJjZ", "", true, 5},
    {"PaddingBehindOneDigit", Encoding::base64, "YWJjZ===", "", true, 5},
    {"DataBehindPadding", Encoding::base64, "YQ==YWJj", "", true, 4},
    {"LineBehindPadding", Encoding::base64, "YQ==\r\nYWJj", "", true, 6},
    {"DataInsidePadding", Encoding::base64, "YQ=Y=", "", true, 3},
    {"TextBehind", Encoding::base64, "YWJj\r\n-- \r\nlist", "", true, 6},
    {"BoundaryBehind", Encoding::base64, "YWJj\r\n--b--\r\n", "", true, 6},
    {"Star", Encoding::base64, "YW*j", "", true, 2},
    {"Minus", Encoding::base64, "-WJj", "", true, 0},
    {"UrlAlphabet", Encoding::base64, "YWJjYW_j", "", true, 6},
    {"Nul", Encoding::base64, std::string("YW\0j", 4), "", true, 2},
    {"EightBit", Encoding::base64, "YWJj\xE4WJj", "", true, 4},
    {"FormFeed", Encoding::base64, "YWJj\f", "", true, 4},

    {"QpNothing", Encoding::quoted_printable, "", ""},
    {"QpPlain", Encoding::quoted_printable, "a b\r\nc", "a b\r\nc"},
    {"QpHex", Encoding::quoted_printable, "=E4=3D=0D=0a", "\xE4=\r\n"},
    {"QpNul", Encoding::quoted_printable, "=00", std::string("\0", 1)},
    {"QpLowerHex", Encoding::quoted_printable, "=e4=Fc", "\xE4\xFC"},
    {"QpSoftBreak", Encoding::quoted_printable, "a=\r\nb", "ab"},
    {"QpSoftBreakLineFeed", Encoding::quoted_printable, "a=\nb", "ab"},
    {"QpSoftBreakPadded", Encoding::quoted_printable, "a= \t\r\nb", "ab"},
    {"QpSoftBreakAtEnd", Encoding::quoted_printable, "a=", "a"},
    {"QpSoftBreakCrAtEnd", Encoding::quoted_printable, "a=\r", "a"},
    {"QpWhiteBeforeLineEnd", Encoding::quoted_printable, "a \t \r\n b \n", "a\r\n b\n"},
    {"QpWhiteKept", Encoding::quoted_printable, "a \t b =20\r\n", "a \t b  \r\n"},
    {"QpWhiteBeforeSoftBreak", Encoding::quoted_printable, "a =\r\nb", "a b"},
    {"QpWhiteAtEnd", Encoding::quoted_printable, "a  ", "a"},
    {"QpEightBitLiteral", Encoding::quoted_printable, "\xE4", "\xE4"},
    {"QpWhiteAtItsLimit", Encoding::quoted_printable, std::string(998, ' ') + "a", std::string(998, ' ') + "a"},
    {"QpWhitePastItsLimit", Encoding::quoted_printable, std::string(999, ' ') + "a", "", true, 998},
    {"QpNoHex", Encoding::quoted_printable, "=GA", "", true, 1},
    {"QpNoSecondHex", Encoding::quoted_printable, "=AG", "", true, 2},
    {"QpTwoEquals", Encoding::quoted_printable, "a==3D", "", true, 2},
    {"QpTextBehindSoftBreakSpace", Encoding::quoted_printable, "a= b", "", true, 3},
    {"QpHexBehindSoftBreakSpace", Encoding::quoted_printable, "a= 3D", "", true, 3},
    {"QpCrAlone", Encoding::quoted_printable, "a=\rb", "", true, 3},
    {"QpEndsInHex", Encoding::quoted_printable, "a=3", "", true, 3},

    {"SevenBit", Encoding::seven_bit, "YW*j =3D\r\n", "YW*j =3D\r\n"},
    {"EightBitBody", Encoding::eight_bit, "\xE4=", "\xE4="},
    {"Binary", Encoding::binary, std::string("\0\r", 2), std::string("\0\r", 2)},
    {"NoLabel", Encoding::absent, "x", "x"},
    {"UnknownLabel", Encoding::unknown, "YWJj", "", true, 0},
    {"UnknownLabelOfNothing", Encoding::unknown, "", ""},
    // clang-format on
};

class TransferDecoderTest : public testing::TestWithParam<Case> {
protected:
    static Decoded wanted() {
        const Case& row = GetParam();
        return row.refused ? Decoded{"", true, row.at} : Decoded{row.want};
    }
};

TEST_P(TransferDecoderTest, DecodesOrRefuses) {
    EXPECT_EQ(decode(GetParam().in, GetParam().encoding), wanted());
}

TEST_P(TransferDecoderTest, GivesTheSameAtEveryCut) {
    const auto& [name, encoding, in, want, refused, at] = GetParam();
    std::vector<std::size_t> every;
    for (std::size_t cut = 1; cut < in.size(); ++cut) {
        ASSERT_EQ(decode_cut(in, {cut}, encoding), wanted()) << "cut after byte " << cut;
        every.push_back(cut);
    }
    EXPECT_EQ(decode_cut(in, every, encoding), wanted()) << "byte by byte";
}

INSTANTIATE_TEST_SUITE_P(Rows, TransferDecoderTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

// The fast path takes whole groups, and must neither miss nor invent anything at any place of them.
TEST(TransferDecoder, RefusesEveryByteThatIsNoDigitAtEveryPlace) {
    const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const bool digit = digits.find(c) != std::string::npos;
        const bool white = std::string_view(" \t\r\n").find(c) != std::string_view::npos;
        for (std::size_t place = 0; place < 8; ++place) {
            std::string in = "QUJDREVG";
            in[place] = c;
            if (white) in.push_back('R');
            if (c == '=') continue;
            const Decoded got = decode(in, Encoding::base64);
            EXPECT_EQ(got.refused, !digit && !white) << byte << " at " << place;
            if (got.refused) {
                EXPECT_EQ(got.at, place);
            }
        }
    }
}

std::string some_bytes(std::size_t count, std::mt19937& random) {
    std::string bytes(count, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
}

TEST(TransferDecoder, UndoesWhatTheEncodersDid) {
    std::mt19937 random(5);
    for (const std::size_t count : {0u, 1u, 2u, 3u, 56u, 57u, 58u, 1000u, 70'000u}) {
        const std::string bytes = some_bytes(count, random);
        Base64Encoder base64;
        QuotedPrintableEncoder quoted_printable;
        for (auto& [encoder, encoding] :
             {std::pair<BodyEncoder*, Encoding>{&base64, Encoding::base64},
              {&quoted_printable, Encoding::quoted_printable}}) {
            encoder->feed(as_bytes(bytes));
            encoder->finish();
            const std::string text = encoder->take().to_string();
            EXPECT_EQ(decode(text, encoding), Decoded{bytes});
            for (int i = 0; i < 10; ++i)
                ASSERT_EQ(decode_cut(text, random_cuts(text.size(), random), encoding),
                          Decoded{bytes});
        }
    }
}

TEST(TransferDecoder, PassesWhatIsNotEncodedWithoutACopy) {
    for (const Encoding encoding :
         {Encoding::absent, Encoding::seven_bit, Encoding::eight_bit, Encoding::binary}) {
        TextSink sink;
        TransferDecoder decoder(sink, encoding);
        const Chunk chunk = Chunk::copy_of("text");
        ASSERT_TRUE(decoder.write(chunk));
        ASSERT_EQ(sink.chunks.size(), 1u);
        EXPECT_EQ(sink.chunks[0].data(), chunk.data());
    }
}

TEST(TransferDecoder, PutsAPieceIntoOnePieceOfItsSize) {
    std::mt19937 random(6);
    Base64Encoder encoder;
    encoder.feed(as_bytes(some_bytes(48'000, random)));
    encoder.finish();
    const std::string text = encoder.take().to_string();
    const std::size_t before = BlockPool::instance().in_use_bytes();
    TextSink sink;
    TransferDecoder decoder(sink, Encoding::base64);
    ASSERT_TRUE(decoder.write(Chunk::copy_of(text)));
    ASSERT_TRUE(decoder.finish());
    EXPECT_EQ(sink.chunks.size(), 1u);
    EXPECT_LE(BlockPool::instance().in_use_bytes() - before, text.size());
}

TEST(TransferDecoder, PutsSmallPiecesTogether) {
    const std::size_t before = BlockPool::instance().in_use_bytes();
    TextSink sink;
    TransferDecoder decoder(sink, Encoding::base64);
    for (int i = 0; i < 4000; ++i) ASSERT_TRUE(decoder.write(Chunk::literal("Q")));
    ASSERT_TRUE(decoder.finish());
    EXPECT_EQ(sink.text.size(), 3000u);
    EXPECT_LE(BlockPool::instance().in_use_bytes() - before, 2 * 4200u);
}

TEST(TransferDecoder, PassesUpThatItIsFullBelow) {
    class FullSink final : public Sink {
    public:
        Result<Flow> write(Chunk) override { return Flow::full; }
        Result<Flow> finish() override { return Flow::open; }
    };
    FullSink sink;
    TransferDecoder decoder(sink, Encoding::base64);
    EXPECT_EQ(*decoder.write(Chunk::literal("YWJj")), Flow::full);
    EXPECT_EQ(*decoder.write(Chunk::literal("\r\n")), Flow::open) << "nothing went down";
}

TEST(CmsBody, IsReadByItsFirstByteWhereTheLabelSaysNothing) {
    const struct {
        const char* name;
        Encoding encoding;
        std::string in;
        std::string want;
        bool refused = false;
    } rows[] = {
        {"DER", Encoding::binary, "0\x82\x01", "0\x82\x01"},
        {"DER without label", Encoding::absent, "0\x80", "0\x80"},
        {"DER, label unknown", Encoding::unknown, "0\x80", "0\x80"},
        {"base64 without label", Encoding::absent, "MIIB\r\n", "0\x82\x01"},
        {"base64 said to be 7bit", Encoding::seven_bit, "MIIB\r\n", "0\x82\x01"},
        {"base64 said to be binary", Encoding::binary, "MIIB\r\n", "0\x82\x01"},
        {"base64, label unknown", Encoding::unknown, "MIIB\r\n", "0\x82\x01"},
        {"blank lines first", Encoding::seven_bit, "\r\n \r\nMIIB\r\n", "0\x82\x01"},
        {"nothing", Encoding::absent, "", ""},
        {"only blank lines", Encoding::absent, "\r\n\r\n", ""},
        {"base64 by its label", Encoding::base64, "0123", "\xD3\x5D\xB7"},
        {"quoted-printable by its label", Encoding::quoted_printable, "0=82", "0\x82"},
        {"text", Encoding::seven_bit, "Hello world!", "", true},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        for (std::size_t cut = 0; cut <= row.in.size(); ++cut) {
            const Decoded got = decode_cut(row.in, {cut}, row.encoding, Body::cms);
            EXPECT_EQ(got.refused, row.refused);
            EXPECT_EQ(got.text, row.want);
        }
    }
}

TEST(TransferDecoder, IsTheSameAtAnyCutOfForeignMail) {
    const std::filesystem::path corpora = SEALGATE_CORPUS_DIR;
    std::mt19937 random(20261122);
    int count = 0;
    for (const char* folder : {"mime-mime4j", "mime-stalwart", "mime-mailparser"}) {
        for (const auto& path : mails_under(corpora / folder)) {
            SCOPED_TRACE(path);
            ++count;
            const std::string mail = read_file(path);
            for (const Encoding encoding : {Encoding::base64, Encoding::quoted_printable}) {
                const std::size_t blank = mail.find("\n\n");
                const std::string body = mail.substr(blank == std::string::npos ? 0 : blank + 2);
                ASSERT_EQ(decode_cut(body, random_cuts(body.size(), random), encoding),
                          decode(body, encoding));
            }
        }
    }
    if (count == 0) GTEST_SKIP() << "no corpora";
}

}  // namespace
}  // namespace sealgate

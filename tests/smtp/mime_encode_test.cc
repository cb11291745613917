// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_encode.h"

#include <gtest/gtest.h>

#include <random>

#include "crypto/base64.h"
#include "smtp/encoded_word.h"

namespace sealgate {
namespace {

template <typename Encoder>
std::string encode(std::string_view in, std::size_t cut) {
    Encoder encoder;
    encoder.feed(as_bytes(in.substr(0, cut)));
    encoder.feed(as_bytes(in.substr(cut)));
    encoder.finish();
    return encoder.take().to_string();
}

std::string decode_quoted_printable(std::string_view text) {  // strict: nothing else was written
    const auto hex = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            decoded.push_back(text[i]);
        } else if (text.substr(i, 3) == "=\r\n") {
            i += 2;
        } else {
            decoded.push_back(static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2])));
            i += 2;
        }
    }
    return decoded;
}

struct Case {
    const char* name;
    std::string in;
    std::string want;
};

std::string xs(std::size_t count) { return std::string(count, 'x'); }

const Case quoted_printable[] = {
    // clang-format off
    {"Plain", "abc\r\n", "abc\r\n"},
    {"NoEnd", "abc", "abc"},
    {"EightBit", "\xC3\xA4 = x", "=C3=A4 =3D x"},
    {"WhiteAtLineEnd", "a \r\nb\t\r\n \r\n", "a=20\r\nb=09\r\n=20\r\n"},
    {"WhiteAtEnd", "a  ", "a =20"},
    {"BareCrAndLf", "a\rb\nc\r\r\nd\r", "a=0Db=0Ac=0D\r\nd=0D"},
    {"WhiteBeforeBareCr", "a \rb \r", "a =0Db=20=0D"},
    {"From", "From x\r\nxFrom \r\n", "=46rom x\r\nxFrom=20\r\n"},
    {"Dot", ".\r\n..a\r\na.\r\n", "=2E\r\n=2E.a\r\na.\r\n"},
    {"Dash", "--b\r\n", "=2D-b\r\n"},
    {"Nul", std::string("a\0b", 3), "a=00b"},
    {"At75", xs(75) + "\r\n", xs(75) + "\r\n"},
    {"At76", xs(76) + "\r\n", xs(75) + "=\r\nx\r\n"},
    {"EscapeAt73", xs(73) + "\xFF", xs(73) + "=\r\n=FF"},
    {"EscapeAt72", xs(72) + "\xFF", xs(72) + "=FF"},
    {"SoftBreakMakesNoBoundary", xs(75) + "--b\r\n", xs(75) + "=\r\n=2D-b\r\n"},
    {"SoftBreakMakesNoDot", xs(75) + ".\r\n", xs(75) + "=\r\n=2E\r\n"},
    {"WhiteAtSoftBreak", xs(74) + "  y", xs(74) + " =\r\n y"},
    // clang-format on
};

class QuotedPrintableTest : public testing::TestWithParam<Case> {};

TEST_P(QuotedPrintableTest, EncodesTheSameAtEveryCut) {
    const auto& [name, in, want] = GetParam();
    for (std::size_t cut = 0; cut <= in.size(); ++cut)
        EXPECT_EQ(encode<QuotedPrintableEncoder>(in, cut), want) << "cut after byte " << cut;
    EXPECT_EQ(decode_quoted_printable(want), in);
}

INSTANTIATE_TEST_SUITE_P(Rows, QuotedPrintableTest, testing::ValuesIn(quoted_printable),
                         [](const auto& row) { return std::string(row.param.name); });

const Case base64[] = {
    // clang-format off
    {"Empty", "", ""},
    {"One", "f", "Zg=="},
    {"Two", "fo", "Zm8="},
    {"Three", "foo", "Zm9v"},
    {"Six", "foobar", "Zm9vYmFy"},
    {"OneLine", std::string(57, '\0'), std::string(76, 'A')},
    {"OneMore", std::string(58, '\0'), std::string(76, 'A') + "\r\nAA=="},
    {"TwoLines", std::string(114, '\xff'), std::string(76, '/') + "\r\n" + std::string(76, '/')},
    // clang-format on
};

class Base64Test : public testing::TestWithParam<Case> {};

TEST_P(Base64Test, EncodesTheSameAtEveryCut) {
    const auto& [name, in, want] = GetParam();
    for (std::size_t cut = 0; cut <= in.size(); ++cut)
        EXPECT_EQ(encode<Base64Encoder>(in, cut), want) << "cut after byte " << cut;
    EXPECT_EQ(decode_base64_text(want), in);
}

INSTANTIATE_TEST_SUITE_P(Rows, Base64Test, testing::ValuesIn(base64),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(BodyEncoders, DecodeToWhatTheyWereGiven) {
    std::mt19937 random(5);
    for (int i = 0; i < 300; ++i) {
        std::string in(random() % 6000, '\0');
        const std::size_t range = i % 2 ? 256 : 8;  // the second: mostly line ends and spaces
        for (char& c : in) {
            const std::size_t pick = random() % range;
            c = range == 256 ? static_cast<char>(pick) : "\r\n \t.F-="[pick];
        }
        const std::size_t cut = in.empty() ? 0 : random() % in.size();
        const std::string quoted = encode<QuotedPrintableEncoder>(in, cut);
        EXPECT_EQ(decode_quoted_printable(quoted), in);
        EXPECT_EQ(decode_base64_text(encode<Base64Encoder>(in, cut)), in);
        for (std::size_t at = 0; at < quoted.size();) {
            const std::size_t end = std::min(quoted.find("\r\n", at), quoted.size());
            EXPECT_LE(end - at, 76u);
            if (end > at) {
                EXPECT_TRUE(quoted[end - 1] != ' ' && quoted[end - 1] != '\t');
            }
            at = end + 2;
        }
    }
}

}  // namespace
}  // namespace sealgate

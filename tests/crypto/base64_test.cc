// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/base64.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

namespace sealgate {
namespace {

std::string lines_of(ByteSpan bytes, std::size_t cut) {
    ChunkBuilder out(256);
    Base64Lines lines;
    lines.encode(bytes.first(cut), out);
    lines.encode(bytes.subspan(cut), out);
    lines.finish(out);
    return out.take().to_string();
}

// RFC 4648 §10.
TEST(Base64, EncodesTheVectorsOfTheRfc) {
    const struct {
        const char* in;
        const char* want;
    } cases[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"}};
    for (const auto& row : cases) EXPECT_EQ(base64_of(as_bytes(row.in)), row.want);
}

TEST(Base64, EncodesEveryByteValue) {
    Bytes all(256);
    std::iota(all.begin(), all.end(), std::uint8_t{0});
    EXPECT_EQ(base64_of(all).substr(0, 16), "AAECAwQFBgcICQoL");
    EXPECT_EQ(base64_of(all).substr(328), "9vf4+fr7/P3+/w==");
}

TEST(Base64, BreaksLinesAfter76Characters) {
    const struct {
        std::size_t bytes;
        std::size_t lines;
    } cases[] = {{0, 0}, {1, 1}, {56, 1}, {57, 1}, {58, 2}, {114, 2}, {115, 3}, {10'000, 176}};
    for (const auto& row : cases) {
        const Bytes in(row.bytes, 'x');
        const std::string text = lines_of(in, 0);
        EXPECT_EQ(text.size(), base64_lines_bytes(row.bytes)) << row.bytes;
        std::size_t lines = 0;
        std::string joined;
        for (std::size_t at = 0; at < text.size(); ++lines) {
            const std::size_t end = text.find("\r\n", at);
            ASSERT_NE(end, std::string::npos);
            ASSERT_TRUE(end - at == 76 || end + 2 == text.size());
            joined += text.substr(at, end - at);
            at = end + 2;
        }
        EXPECT_EQ(lines, row.lines) << row.bytes;
        EXPECT_EQ(joined, base64_of(in));
    }
}

TEST(Base64, GivesTheSameLinesHoweverTheInputIsCut) {
    Bytes in(400);
    std::iota(in.begin(), in.end(), std::uint8_t{0});
    const std::string want = lines_of(in, 0);
    for (std::size_t cut = 0; cut <= in.size(); ++cut) EXPECT_EQ(lines_of(in, cut), want) << cut;

    ChunkBuilder out(64);
    Base64Lines lines;
    for (const std::uint8_t byte : in) lines.encode({&byte, 1}, out);
    lines.finish(out);
    EXPECT_EQ(out.take().to_string(), want);
}

}  // namespace
}  // namespace sealgate

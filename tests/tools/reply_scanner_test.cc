// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/reply_scanner.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace sealgate {
namespace {

// "code[+ or .]text|" for each line, + where more lines follow; "!" after an error.
std::string scan(std::string_view input, std::size_t cut) {
    ReplyScanner scanner;
    std::string seen;
    for (const std::string_view part : {input.substr(0, cut), input.substr(cut)}) {
        ByteSpan bytes = as_bytes(part);
        for (;;) {
            const auto line = scanner.next(bytes);
            if (!line) return seen + "!";
            if (!*line) break;
            seen += std::to_string((*line)->code) + ((*line)->last ? "." : "+");
            seen.append((*line)->text()).append("|");
        }
        EXPECT_TRUE(bytes.empty());
    }
    return seen;
}

TEST(ReplyScanner, ReadsLinesHoweverTheyAreCut) {
    const struct {
        const char *input, *seen;
    } rows[] = {
        {"250 2.0.0 Ok\r\n", "250.2.0.0 Ok|"},
        {"250 a\n354 b\r\n", "250.a|354.b|"},
        {"250-one\r\n250-two\r\n250 three\r\n", "250+one|250+two|250.three|"},
        {"250\r\n", "250.|"},
        {"250 \r\n", "250.|"},
        {"250-\r\n", "250+|"},
        {"599 x\r\n200 y\r\n", "599.x|200.y|"},
        {"250 half", ""},
        {"", ""},
        {"150 x\r\n", "!"},
        {"650 x\r\n", "!"},
        {"25 x\r\n", "!"},
        {"2500 x\r\n", "!"},
        {"250_x\r\n", "!"},
        {"2a0 x\r\n", "!"},
        {"25\xff x\r\n", "!"},
        {"\r\n", "!"},
        {"220 a\r\n\r\n", "220.a|!"},
        {"HTTP/1.1 400 Bad Request\r\n", "!"},
    };
    for (const auto& [input, seen] : rows)
        for (std::size_t cut = 0; cut <= std::string_view(input).size(); ++cut)
            EXPECT_EQ(scan(input, cut), seen) << input << " cut at " << cut;
}

TEST(ReplyScanner, BoundsALine) {
    const std::string longest = "250 " + std::string(limits::reply_line_bytes_max - 5, 'x') + "\r";
    ASSERT_EQ(longest.size(), limits::reply_line_bytes_max);
    EXPECT_NE(scan(longest + "\n", 0).back(), '!');
    EXPECT_NE(scan(longest + "\n", 1000).back(), '!');
    EXPECT_EQ(scan(longest + "x\n", 0).back(), '!');
    EXPECT_EQ(scan(longest + "x\n", 1000).back(), '!');
    EXPECT_EQ(scan(longest + "xx", 1000).back(), '!');  // and without an end in sight
}

}  // namespace
}  // namespace sealgate

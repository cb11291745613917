// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/reply_reader.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace sealgate {
namespace {

// What was read, as "code|enhanced|line/line;" for each reply, "!" for an error, "?" for an end
// inside a reply.
std::string read_all(std::string_view in, std::size_t cut) {
    ReplyReader reader;
    std::string got;
    for (const std::string_view part : {in.substr(0, cut), in.substr(cut)}) {
        reader.receive(as_bytes(part));
        for (;;) {
            const auto reply = reader.next();
            if (!reply) return got + "!";
            if (!*reply) break;
            got += std::to_string((*reply)->code) + "|" + (*reply)->enhanced + "|";
            for (const std::string& line : (*reply)->lines) got += line + "/";
            got.back() = ';';
        }
    }
    return got;
}

std::string many_lines(std::size_t count) {
    std::string text;
    for (std::size_t i = 1; i < count; ++i) text += "250-a\r\n";
    return text + "250 a\r\n";
}

struct Case {
    const char* name;
    std::string in;
    std::string want;
};

class ReplyReaderTest : public testing::TestWithParam<Case> {};

TEST_P(ReplyReaderTest, ReadsTheSameRepliesHoweverTheyAreCut) {
    const Case& row = GetParam();
    const std::size_t step = row.in.size() > 1000 ? 97 : 1;
    for (std::size_t cut = 0; cut <= row.in.size(); cut += step) {
        EXPECT_EQ(read_all(row.in, cut), row.want) << "cut after byte " << cut;
    }
}

const std::string room(limits::reply_line_bytes_max - 5, 'x');

const Case cases[] = {
    {"Plain", "220 mx.example.net ESMTP\r\n", "220||mx.example.net ESMTP;"},
    {"Enhanced", "250 2.1.0 Ok\r\n", "250|2.1.0|Ok;"},
    {"EnhancedAlone", "250 2.1.0\r\n", "250|2.1.0|;"},
    {"Several", "250-mx\r\n250-SIZE 1000\r\n250 DSN\r\n", "250||mx/SIZE 1000/DSN;"},
    {"EnhancedOnEveryLine", "550-5.7.1 No\r\n550 5.7.1 thanks\r\n", "550|5.7.1|No/thanks;"},
    {"EnhancedOnTheFirstLineOnly", "550-5.7.1 No\r\n550 thanks\r\n", "550|5.7.1|No/thanks;"},
    {"EnhancedOfAnotherClass", "550 4.7.1 odd\r\n", "550||4.7.1 odd;"},
    {"NotEnhanced", "250 2.1 odd\r\n", "250||2.1 odd;"},
    {"AddressIsNotEnhanced", "250 2.1.0.7 odd\r\n", "250||2.1.0.7 odd;"},
    {"BareLf", "250 ok\n250 ok\n", "250||ok;250||ok;"},
    {"OnlyACode", "250\r\n", "250||;"},
    {"CodeAndSpace", "250 \r\n", "250||;"},
    {"TwoAtOnce", "250 a\r\n354 b\r\n", "250||a;354||b;"},
    {"CodeThatChanges", "250-a\r\n550 b\r\n", "550||a/b;"},
    {"Unfinished", "250-a\r\n250 b", ""},
    {"EmptyLine", "\r\n", "!"},
    {"Garbage", "SSH-2.0-OpenSSH_9.2\r\n", "!"},
    {"TooShort", "25\r\n", "!"},
    {"FirstDigitOne", "150 a\r\n", "!"},
    {"FirstDigitSix", "650 a\r\n", "!"},
    {"NoSeparator", "250a\r\n", "!"},
    {"FourDigits", "2500 a\r\n", "!"},
    {"GarbageAfterAReply", "250 a\r\nhuh\r\n", "250||a;!"},
    {"LineAtTheLimit", "250 " + room + "\r\n", "250||" + room + ";"},
    {"LineOverTheLimit", "250 " + room + "xx\r\n", "!"},
    {"EndlessLine", "250 " + room + room + room, "!"},
    {"LinesAtTheLimit", many_lines(limits::reply_lines_max),
     [] {
         std::string want = "250||";
         for (std::size_t i = 0; i < limits::reply_lines_max; ++i) want += "a/";
         want.back() = ';';
         return want;
     }()},
    {"LinesOverTheLimit", many_lines(limits::reply_lines_max + 1), "!"},
};
INSTANTIATE_TEST_SUITE_P(Rows, ReplyReaderTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace sealgate

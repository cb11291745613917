// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/encoded_word.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

struct Case {
    const char* name;
    std::string in;
    std::string want;
};

const Case cases[] = {
    // clang-format off
    {"Plain", "Hello world", "Hello world"},
    {"Q", "=?utf-8?q?caf=C3=A9_au_lait?=", "caf\xC3\xA9 au lait"},
    {"B", "=?UTF-8?B?Y2Fmw6k=?=", "caf\xC3\xA9"},
    {"BWithoutPadding", "=?utf-8?b?Y2Fmw6k?=", "caf\xC3\xA9"},
    {"Latin1", "=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?=", "Patrik F\xC3\xA4ltstr\xC3\xB6m"},
    {"Latin9Euro", "=?iso-8859-15?q?=A4?=", "\xE2\x82\xAC"},
    {"Windows", "=?windows-1252?q?=93x=94_=80?=", "\xE2\x80\x9Cx\xE2\x80\x9D \xE2\x82\xAC"},
    {"Iso2022Jp", "=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=", "\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88"},
    {"ShiftJis", "=?Shift_JIS?B?g2WDWINn?=", "\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88"},
    {"Koi8", "=?koi8-r?B?8NLJ18XU?=", "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82"},
    {"NeighboursJoin", "=?utf-8?q?a?= \t =?utf-8?q?b?=", "ab"},
    {"CharacterCutInTwo", "=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "\xC3\xA9"},
    {"TextBetweenKeepsSpaces", "=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"},
    {"InsideAWord", "x=?utf-8?q?a?=y", "xay"},
    {"Language", "=?utf-8*en?q?a?=", "a"},
    {"SpaceInQ", "=?utf-8?q?a b?=", "a b"},
    {"UnknownCharsetIsUtf8", "=?x-nobody?q?=C3=A9?=", "\xC3\xA9"},
    {"UnknownEncodingStays", "=?utf-8?x?a?=", "=?utf-8?x?a?="},
    {"NoEndStays", "=?utf-8?q?abc", "=?utf-8?q?abc"},
    {"OnlyTheBegin", "=?", "=?"},
    {"EmptyPayload", "=?utf-8?q?" "?=x", "x"},
    {"BadHexStays", "=?utf-8?q?=ZZ=?=", "=ZZ="},
    {"InvalidUtf8", "=?utf-8?q?=C3x=FF?=", "\xEF\xBF\xBDx\xEF\xBF\xBD"},
    {"RawLatin1", "caf\xE9", "caf\xEF\xBF\xBD"},
    {"RawUtf8", "caf\xC3\xA9", "caf\xC3\xA9"},
    {"BrokenIso2022Jp", "=?ISO-2022-JP?Q?=1B$B=FF?=x", "\xEF\xBF\xBDx"},
    {"CharsetWithSlashes", "=?../../etc?q?a?=", "a"},
    // clang-format on
};

class EncodedWordTest : public testing::TestWithParam<Case> {};

TEST_P(EncodedWordTest, Decodes) {
    EXPECT_EQ(decode_encoded_words(GetParam().in), GetParam().want);
}

TEST_P(EncodedWordTest, NeverFailsOnAPrefix) {
    for (std::size_t n = 0; n < GetParam().in.size(); ++n)
        (void)decode_encoded_words(GetParam().in.substr(0, n));
}

INSTANTIATE_TEST_SUITE_P(Rows, EncodedWordTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(EncodedWord, StaysLinearOnHostileText) {
    std::string hostile;
    while (hostile.size() < 128 * 1024) hostile += "=?a?q?";
    EXPECT_LE(decode_encoded_words(hostile).size(), hostile.size());
    std::string words;
    for (int i = 0; i < 10000; ++i) words += i % 2 ? "=?koi8-r?q?=C1?=" : "=?shift_jis?q?=83e?=";
    EXPECT_FALSE(decode_encoded_words(words).empty());
}

TEST(RepairUtf8, ReplacesWhatNoReaderShouldSee) {
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(repair_utf8("\xC0\x80"), bad + bad);            // overlong
    EXPECT_EQ(repair_utf8("\xED\xA0\x80"), bad + bad + bad);  // surrogate
    EXPECT_EQ(repair_utf8("\xF4\x90\x80\x80"), bad + bad + bad + bad);
    EXPECT_EQ(repair_utf8("\xF0\x9F\x98\x80"), "\xF0\x9F\x98\x80");
    EXPECT_EQ(repair_utf8("\xE2\x82"), bad + bad);
}

}  // namespace
}  // namespace sealgate

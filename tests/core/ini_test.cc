// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/ini.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/limits.h"

namespace sealgate {
namespace {

// The document as text, complaints behind it: `[kind:name]`, `key=value@line`, `!line: what`.
std::string read_as_text(std::string_view text) {
    Complaints complaints;
    IniReader reader(complaints);
    reader.read(text, "f");
    std::string out;
    for (const IniSection& section : reader.take_document().sections) {
        out += section.label() + "\n";
        for (const IniEntry& entry : section.entries)
            out += entry.key + "=" + entry.value + "@" + std::to_string(entry.place.line) + "\n";
    }
    for (const Complaint& complaint : complaints)
        out += "!" + std::to_string(complaint.line) + ": " + complaint.what + "\n";
    return out;
}

struct Case {
    const char* name;
    std::string_view in;
    std::string want;
};

class IniReaderTest : public testing::TestWithParam<Case> {};

using namespace std::string_view_literals;

// clang-format off
const Case cases[] = {
    {"Empty", "", ""},
    {"SectionAndKey", "[a]\nk = v\n", "[a]\nk=v@2\n"},
    {"NoLineEndAtTheEnd", "[a]\nk=v", "[a]\nk=v@2\n"},
    {"CarriageReturns", "[a]\r\nk = v\r\n", "[a]\nk=v@2\n"},
    {"ByteOrderMark", "\xef\xbb\xbf[a]\nk=v\n", "[a]\nk=v@2\n"},
    {"NamedSection", "[kind:Na.me_1-x]\n", "[kind:Na.me_1-x]\n"},
    {"BlanksAroundAll", "[a] \t\nk \t= \t v w \t\n", "[a]\nk=v w@2\n"},
    {"Comments", "# x\n[a]\n; y\nk = v # not a comment\n  # z\n", "[a]\nk=v # not a comment@4\n"},
    {"SemicolonInValue", "[a]\nk = a(); b()\n", "[a]\nk=a(); b()@2\n"},
    {"EqualsInValue", "[a]\nk = b = c\n", "[a]\nk=b = c@2\n"},
    {"EmptyValue", "[a]\nk =\n", "[a]\nk=@2\n"},
    {"Continuation", "[a]\nk = b,\n  c,\n\td\nl = e\n", "[a]\nk=b, c, d@2\nl=e@5\n"},
    {"ContinuationBehindComment", "[a]\nk = b\n# x\n\n   ; y\n c\n", "[a]\nk=b c@2\n"},
    {"ContinuationOfNothingYet", "[a]\nk =\n b\n", "[a]\nk=b@2\n"},
    {"SectionContinued", "[a]\nk=1\n[b]\n[a]\nl=2\n", "[a]\nk=1@2\nl=2@5\n[b]\n"},
    {"Utf8Value", "[a]\nk = \xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7\n",
     "[a]\nk=\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7@2\n"},

    {"KeyBeforeSection", "k = v\n", "!1: key \"k\" before the first [section]\n"},
    {"ContinuationOfSection", "[a]\n  k = v\n",
     "[a]\n!2: the line begins with white space and there is no value to continue\n"},
    {"NeitherNor", "[a]\nword\n more\nk=v\n",
     "[a]\nk=v@4\n!2: \"word\" is neither a comment, nor a [section], nor key = value\n"},
    {"NoKey", "[a]\n= v\n", "[a]\n!2: no key before the =\n"},
    {"KeyTwice", "[a]\nk=1\n[b]\nk=2\n[a]\nk=3\n more\n",
     "[a]\nk=1@2\n[b]\nk=2@4\n!6: key \"k\" is given twice in [a] (first in line 2)\n"},
    {"KeyTwiceInOtherCase", "[a]\nk.D=1\nK.d=2\n",
     "[a]\nk.D=1@2\n!3: key \"K.d\" is given twice in [a] (first in line 2)\n"},
    {"HeaderNotClosed", "[a\nk=v\n m\n[b]\nk=v\n",
     "[b]\nk=v@5\n!1: \"[a\" begins like a [section] and does not end like one\n"},
    {"HeaderWithTail", "[a] x\n",
     "!1: \"[a] x\" begins like a [section] and does not end like one\n"},
    {"HeaderEmpty", "[]\n", "!1: \"[]\" is neither [section] nor [kind:name]\n"},
    {"HeaderWithoutName", "[a:]\n",
     "!1: \"\" in \"[a:]\" is no name: letters, digits, '.', '_' and '-' make one\n"},
    {"HeaderWithBadName", "[a:b c]\nk=v\n",
     "!1: \"b c\" in \"[a:b c]\" is no name: letters, digits, '.', '_' and '-' make one\n"},
    {"NulByte", "[a]\nk = a\0b\nl = c\n"sv, "[a]\nl=c@3\n!2: NUL byte at byte 6 of the line\n"},
    {"ControlCharacter", "[a]\nk = \x1b[1m\n",
     "[a]\n!2: control character 27 at byte 5 of the line\n"},
    {"LoneCarriageReturn", "[a]\nk = b\rc\n",
     "[a]\n!2: control character 13 at byte 6 of the line\n"},
    {"Latin1", "[a]\nk = \xe4\n more\nl=1\n", "[a]\nl=1@4\n!2: not UTF-8 at byte 5 of the line\n"},
    {"OverlongUtf8", "[a]\nk=\xe0\x80\xaf\n", "[a]\n!2: not UTF-8 at byte 3 of the line\n"},
    {"SurrogateUtf8", "[a]\nk=\xed\xa0\x80\n", "[a]\n!2: not UTF-8 at byte 3 of the line\n"},
    {"AboveUnicode", "[a]\nk=\xf4\x90\x80\x80\n", "[a]\n!2: not UTF-8 at byte 3 of the line\n"},
    {"CutUtf8", "[a]\nk=\xe2\x82", "[a]\n!2: not UTF-8 at byte 3 of the line\n"},
    {"NotUtf8Header", "[a\xff]\nk=v\n", "!1: not UTF-8 at byte 3 of the line\n"},
};
// clang-format on

TEST_P(IniReaderTest, ReadsSectionsEntriesAndFaults) {
    EXPECT_EQ(read_as_text(GetParam().in), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Rows, IniReaderTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(IniReader, NamesTheOtherFileOfAKeyGivenTwice) {
    Complaints complaints;
    IniReader reader(complaints);
    reader.read("[a]\nk=1\n", "one.ini");
    reader.read("[a]\nl=1\nk=2\n", "two.ini");
    ASSERT_EQ(complaints.size(), 1U);
    EXPECT_EQ(complaints[0].to_text(),
              "two.ini:3: key \"k\" is given twice in [a] (first in one.ini, line 2)");
    const IniDocument document = reader.take_document();
    ASSERT_EQ(document.sections.size(), 1U);
    EXPECT_EQ(document.sections[0].entries.at(1).place.file, "two.ini");
    EXPECT_EQ(document.files, (std::vector<std::string>{"one.ini", "two.ini"}));
}

TEST(IniReader, BeginsEachFileOutsideOfASection) {
    Complaints complaints;
    IniReader reader(complaints);
    reader.read("[a]\nk=1\n", "one.ini");
    reader.read("  continued\nl=1\n", "two.ini");
    ASSERT_EQ(complaints.size(), 2U);
    EXPECT_EQ(complaints[0].to_text(),
              "two.ini:1: the line begins with white space and there is no value to continue");
    EXPECT_EQ(complaints[1].to_text(), "two.ini:2: key \"l\" before the first [section]");
}

TEST(IniReader, RefusesAFilePastItsLimitWhole) {
    std::string text = "[a]\n#";
    text.resize(limits::config_file_bytes_max, 'x');
    EXPECT_EQ(read_as_text(text), "[a]\n");
    EXPECT_EQ(read_as_text(text + "x"), "!0: the file is larger than 16M\n");
}

TEST(IniReader, LocatesEachPartOfAContinuedValue) {
    Complaints complaints;
    IniReader reader(complaints);
    reader.read("[a]\nk =  one\n# comment\n    two\n\tthree\n", "f");
    const IniDocument document = reader.take_document();
    const IniEntry& entry = document.sections.at(0).entries.at(0);
    ASSERT_EQ(entry.value, "one two three");
    struct Row {
        std::size_t offset;
        int line;
        int column;
    };
    for (const Row& row :
         {Row{0, 2, 6}, Row{2, 2, 8}, Row{4, 4, 5}, Row{6, 4, 7}, Row{8, 5, 2}, Row{13, 5, 7}}) {
        const ConfigLine place = locate(entry.lines, row.offset);
        EXPECT_EQ(place.line, row.line) << row.offset;
        EXPECT_EQ(place.column, row.column) << row.offset;
    }
}

TEST(NearestName, FindsWhatWasMeant) {
    const std::vector<std::string> names{"address", "type", "certificate", "command-timeout"};
    struct Row {
        const char* name;
        const char* want;
    };
    for (const Row& row :
         {Row{"adress", "address"}, Row{"Address", "address"}, Row{"tpye", "type"},
          Row{"certifcate", "certificate"}, Row{"command_timeout", "command-timeout"}, Row{"", ""},
          Row{"colour", ""}, Row{"x", ""}, Row{"timeout", ""}}) {
        EXPECT_EQ(nearest_name(row.name, names), row.want) << row.name;
    }
    EXPECT_EQ(nearest_name(std::string(100'000, 'a'), names), "");
}

TEST(CutShort, CutsBetweenCharacters) {
    EXPECT_EQ(cut_short(std::string(60, 'a')), std::string(60, 'a'));
    EXPECT_EQ(cut_short(std::string(61, 'a')), std::string(60, 'a') + "...");
    EXPECT_EQ(cut_short(std::string(59, 'a') + "\xc3\xa4"), std::string(59, 'a') + "...");
}

}  // namespace
}  // namespace sealgate

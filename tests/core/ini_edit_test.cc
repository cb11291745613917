// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/ini_edit.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

TEST(IniEdit, TakesSectionsOutAndLeavesEveryOtherByte) {
    const struct {
        const char* name;
        const char* text;
        const char* removed;
        const char* blanked;
        const char* kept;
    } cases[] = {
        {"empty", "", "", "", ""},
        {"only it", "[p:a]\nx = 1\n", "", "\n\n", "[p:a]\nx = 1\n"},
        {"another name", "[p:ab]\nx = 1\n", "[p:ab]\nx = 1\n", "[p:ab]\nx = 1\n", ""},
        {"between", "[g]\ny = 2\n\n[p:a]\nx = 1\n  more\n\n# of b\n[p:b]\nx = 3\n",
         "[g]\ny = 2\n\n\n# of b\n[p:b]\nx = 3\n", "[g]\ny = 2\n\n\n\n\n\n# of b\n[p:b]\nx = 3\n",
         "[p:a]\nx = 1\n  more\n"},
        {"continued", "[p:a]\nx = 1\n[g]\n[p:a]\nz = 2\n", "[g]\n", "\n\n[g]\n\n\n",
         "[p:a]\nx = 1\n[p:a]\nz = 2\n"},
        {"comment inside", "[p:a]\n; why\nx = 1\n", "", "\n\n\n", "[p:a]\n; why\nx = 1\n"},
        {"CRLF", "[p:a] \r\nx = 1\r\n[g]\r\n", "[g]\r\n", "\n\n[g]\r\n", "[p:a] \r\nx = 1\r\n"},
        {"no line end", "[g]\n[p:a]\nx = 1", "[g]\n", "[g]\n\n\n", "[p:a]\nx = 1"},
        {"a continuation that looks like a header", "[g]\nx = 1\n [p:a]\n", "[g]\nx = 1\n [p:a]\n",
         "[g]\nx = 1\n [p:a]\n", ""},
        {"byte order mark", "\xEF\xBB\xBF[p:a]\n[g]\n", "\xEF\xBB\xBF[g]\n", "\xEF\xBB\xBF\n[g]\n",
         "[p:a]\n"},
    };
    for (const auto& [name, text, removed, blanked, kept] : cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(edit_sections(text, {"[p:a]"}, SectionEdit::remove), removed);
        EXPECT_EQ(edit_sections(text, {"[p:a]"}, SectionEdit::blank), blanked);
        EXPECT_EQ(edit_sections(text, {"[p:a]"}, SectionEdit::keep), kept);
        EXPECT_EQ(edit_sections(text, {}, SectionEdit::remove), text);
    }
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Takes whole sections out of INI text; every other byte stays as it is.
//
// For commands that change an operator's file. Comments and blank lines behind a section's last
// entry belong to what follows. Labels are as IniSection::label() says them. Any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace sealgate {

enum class SectionEdit : std::uint8_t {
    remove,  // those of the labels go
    blank,   // the same, but empty lines take their place, so that others keep their numbers
    keep,    // only those of the labels stay
};

std::string edit_sections(std::string_view text, const std::set<std::string>& labels,
                          SectionEdit edit);

}  // namespace sealgate

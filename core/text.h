// SPDX-License-Identifier: GPL-3.0-or-later
// ASCII letters without their case: what protocols and files compare so is ASCII, whatever the
// locale says.
#pragma once

#include <string>
#include <string_view>

namespace sealgate {

constexpr char lower_case(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string lower_case(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace sealgate

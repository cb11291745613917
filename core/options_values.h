// SPDX-License-Identifier: GPL-3.0-or-later
// One option's value: from the text of a file, and back to it.
//
// Both ways stand side by side: what format_value() writes, parse_value() reads as the same value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/options_table.h"

namespace sealgate {

struct ValueFault {
    std::size_t offset = 0;  // in the text
    std::string what;
};

// None when there are faults; there may be several in a list.
std::optional<OptionValue> parse_value(const OptionRow& row, const std::string& text,
                                       std::vector<ValueFault>& faults);
std::string format_value(const OptionRow& row, const OptionValue& value);
// The same with a URL's password masked, and of a webhook all that is behind the host.
std::string show_value(const OptionRow& row, const OptionValue& value);

struct ListItem {
    std::size_t offset = 0;
    std::string_view text;  // a window on the list
};
// Comma-separated and trimmed; an empty item stays in, for the caller to complain of.
std::vector<ListItem> split_list(std::string_view text);
std::vector<std::string> split_words(std::string_view text);

std::string format_duration(std::uint64_t milliseconds);  // "90s", "5m", "3d"
std::string format_size(std::uint64_t bytes);             // "64K", "2G"

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What is wrong in an operator's file, one line each: `FILE:LINE: what is wrong (nearest name)`.
// All of them are collected and reported in one go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sealgate {

struct Complaint {
    std::string file;
    int line = 0;    // 0: the file as a whole
    int column = 0;  // 0: not given; the filter language gives it
    std::string what;

    std::string to_text() const {
        std::string text = file + ":" + std::to_string(line) + ":";
        if (column > 0) text += std::to_string(column) + ":";
        return text + " " + what;
    }
};

using Complaints = std::vector<Complaint>;

// The candidate with the smallest edit distance to `name`, if it is near enough to be meant;
// otherwise empty.
std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates);

// Text of the file in a complaint is there to be recognised, not to be read: cut where it is long.
std::string cut_short(std::string_view text);
std::string in_quotes(std::string_view text);  // the same as "text"

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What is wrong in an operator's file, one line each: `FILE:LINE: what is wrong (nearest name)`.
// All of them are collected and reported in one go.
#pragma once

#include <string>
#include <vector>

namespace sealgate {

struct Complaint {
    std::string file;
    int line = 0;
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

}  // namespace sealgate

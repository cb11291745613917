// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the filter language into its tree; says what is wrong, where.
//
//     NAME: if (EXPR) { ACTION; … } else { ACTION; … }
//     EXPR: rules with and, or, not and parentheses; `not` binds tightest, `or` loosest
//
// The text comes from a file, or from a key of the INI file that may span lines: `place` turns an
// offset into file, line and column. Regular expressions are kept as text here and compiled by
// core/filter_evaluate.h. Recursion is bounded (limits::filter_depth_max).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/complaint.h"
#include "core/filter_ast.h"

namespace sealgate {

struct FilterSource {
    std::string text;
    // Fills in file, line and column of a complaint about text[offset].
    std::function<void(std::size_t offset, Complaint& complaint)> place;

    // A complaint about text[offset]: what, then the line and a caret under the column.
    Complaint complain(std::size_t offset, std::string what) const;
    // For a whole file: lines are counted.
    static FilterSource of_file(std::string text, std::string file);
};

// Each gives nullopt when it added complaints. Reading stops at the first fault of a condition or
// action list; a file goes on with its next filter.
std::optional<FilterExpression> parse_condition(const FilterSource& source, Complaints& complaints);
std::optional<std::vector<FilterAction>> parse_actions(const FilterSource& source,
                                                       Complaints& complaints);
std::optional<std::vector<MessageFilter>> parse_filters(const FilterSource& source,
                                                        Complaints& complaints);

}  // namespace sealgate

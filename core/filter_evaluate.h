// SPDX-License-Identifier: GPL-3.0-or-later
// What a parsed condition says about a message.
#pragma once

#include <string>

#include "core/complaint.h"
#include "core/filter_ast.h"
#include "core/filter_parser.h"
#include "core/policy.h"

namespace sealgate {

// Compiles the expression's regular expressions; each bad one is a complaint. False when any was.
bool compile_regexes(FilterExpression& expression, const FilterSource& source,
                     Complaints& complaints);

// After compile_regexes(). Rules that ask about several values (rcpt-to, header) hold when any
// value matches; `!=` holds when none does.
bool evaluate(const FilterExpression& expression, const MessageFacts& facts);

// One rule (Kind::rule) as it would be written: `header("X-Secret") == "yes"`.
std::string to_text(const FilterExpression& rule);

}  // namespace sealgate

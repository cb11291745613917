// SPDX-License-Identifier: GPL-3.0-or-later
// The mail log's lines as JSON objects: a table of line forms gives each its event and its values.
//
// A line no form fits is the event "other"; its ids (MID, ICID, DCID, RID) are members all the
// same. What is in the line is in "text" in any case, so a new line form loses nothing here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sealgate {

// One object, without a line end.
std::string mail_log_json(std::int64_t wall_seconds, std::string_view level, std::string_view line);

}  // namespace sealgate

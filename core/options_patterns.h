// SPDX-License-Identifier: GPL-3.0-or-later
// The two sections whose keys are patterns, [recipient-access] and [smtp-routes]: one row from its
// text, and back to it.
#pragma once

#include <string>
#include <vector>

#include "core/options_table.h"

namespace sealgate {

// Each adds one row to `config`, or gives back what is wrong with it.
std::string take_recipient_access(Config& config, const IniEntry& entry);
std::string take_smtp_route(Config& config, const IniEntry& entry);

std::vector<SectionKind::FreeRow> recipient_access_rows(const Config& config);
std::vector<SectionKind::FreeRow> smtp_route_rows(const Config& config);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What no row can see by itself: references between sections, two values that do not go together.
// For core/options.cc.
#pragma once

#include <string>
#include <vector>

#include "core/complaint.h"
#include "core/config.h"
#include "core/options_table.h"

namespace sealgate {

// A key whose value names a section of another kind.
struct Reference {
    const SectionKind* from = nullptr;
    std::string from_name;
    const OptionRow* row = nullptr;
    std::string to_name;
    ConfigPlace place;
};

// Names whose own section was wrong count as existing: one fault is one complaint.
void check_references(const Config& config, const std::vector<Reference>& references,
                      Complaints& complaints);
void check_sections(const Config& config, Complaints& complaints, Complaints& warnings);

}  // namespace sealgate

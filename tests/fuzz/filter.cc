// SPDX-License-Identifier: GPL-3.0-or-later
// The filter language's parser: any text is a tree or complaints with a place inside it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/filter_parser.h"
#include "core/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sealgate;
    if (size > 4096) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const FilterSource source = FilterSource::of_file(text, "fuzz");
    Complaints complaints;
    CHECK(parse_condition(source, complaints).has_value() == complaints.empty());
    complaints.clear();
    CHECK(parse_actions(source, complaints).has_value() == complaints.empty());
    complaints.clear();
    CHECK(parse_filters(source, complaints).has_value() == complaints.empty());
    for (const Complaint& complaint : complaints)
        CHECK(complaint.line >= 1 && complaint.column >= 1);
    return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Any text as a configuration: it gives complaints or a configuration, never both, and what is
// shown of a configuration reads back as the same one.

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/options.h"
#include "core/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sealgate;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const LoadedConfig loaded = parse_config(text, "fuzz.ini");
    CHECK(loaded.complaints.empty() == (loaded.config != nullptr));
    for (const Complaint& complaint : loaded.complaints)
        CHECK(complaint.to_text().find('\n') == std::string::npos);
    if (!loaded.config) return 0;
    const std::string shown = show_config(*loaded.config);
    const LoadedConfig again = parse_config(shown, "shown.ini");
    CHECK(again.config != nullptr);
    CHECK(show_config(*again.config) == shown);
    CHECK(show_config_json(*again.config) == show_config_json(*loaded.config));
    return 0;
}

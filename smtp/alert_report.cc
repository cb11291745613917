// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/alert_report.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "smtp/encoded_word.h"

namespace sealgate {
namespace {

std::string time_text(std::int64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm utc{};
    char text[32] = "";
    if (gmtime_r(&time, &utc) != nullptr)
        std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

}  // namespace

nlohmann::json to_json(const Alert& alert) {
    // What is no UTF-8 would be refused when the object is written.
    return {{"alert", to_text(alert.name)},
            {"severity", to_text(alert.severity)},
            {"host", alert.host},
            {"subject", repair_utf8(alert.subject)},
            {"message", repair_utf8(alert.text)},
            {"text", repair_utf8(alert.line())},
            {"time", time_text(alert.time)},
            {"number", alert.number},
            {"missed", alert.missed},
            {"repeated", alert.repeated}};
}

}  // namespace sealgate

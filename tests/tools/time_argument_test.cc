// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/time_argument.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

TEST(TimeArgument, ReadsRfc3339) {
    const struct {
        const char* text;
        std::int64_t seconds;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-21T00:00:00Z", 1795219200},
        {"2026-11-21t00:00:00z", 1795219200},
        {"2026-11-21 00:00:00Z", 1795219200},
        {"2026-11-21T00:00:00.999Z", 1795219200},
        {"2026-11-21T09:00:00+09:00", 1795219200},
        {"2026-11-20T19:30:00-04:30", 1795219200},
        {"2024-02-29T12:34:56Z", 1709210096},
        {"2016-12-31T23:59:60Z", 1483228800},
        {"1969-12-31T23:59:59Z", -1},
        {"2199-12-31T23:59:59Z", 7258118399},
    };
    for (const auto& row : cases) EXPECT_EQ(parse_time(row.text), row.seconds) << row.text;
}

TEST(TimeArgument, RefusesWhatIsNoTime) {
    const char* const cases[] = {
        "",
        "now",
        "2026-11-21",
        "2026-11-21T00:00:00",
        "2026-11-21T00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T00:60:00Z",
        "2026-11-21T00:00:61Z",
        "2026-13-21T00:00:00Z",
        "2026-00-21T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-21T00:00:00.Z",
        "2026-11-21T00:00:00+0900",
        "2026-11-21T00:00:00+24:00",
        "2026-11-21T00:00:00Z ",
        " 2026-11-21T00:00:00Z",
        "26-11-21T00:00:00Z",
        "2026-1-21T00:00:00Z",
        "1795219200",
    };
    for (const char* text : cases) EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/complaint.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/text.h"

namespace sealgate {

namespace {

// Longer than any name of ours; what is longer was not meant to be one, and would cost time.
constexpr std::size_t name_bytes_max = 64;

// Optimal string alignment: insertions, deletions, replacements and swapped neighbours.
std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower_case(a[i - 1]) == lower_case(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
            const bool swapped = i > 1 && j > 1 && lower_case(a[i - 1]) == lower_case(b[j - 2]) &&
                                 lower_case(a[i - 2]) == lower_case(b[j - 1]);
            if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        std::swap(before_last, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

}  // namespace

std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates) {
    if (name.empty() || name.size() > name_bytes_max) return {};
    std::string nearest;
    std::size_t distance_min = name_bytes_max;
    for (const std::string& candidate : candidates) {
        const std::size_t difference = candidate.size() > name.size()
                                           ? candidate.size() - name.size()
                                           : name.size() - candidate.size();
        // A third of the letters may be wrong, never all: beyond that it is another word.
        const std::size_t longer = std::max(name.size(), candidate.size());
        const std::size_t allowed = std::min(std::max<std::size_t>(1, longer / 3), longer - 1);
        if (difference > allowed || difference >= distance_min) continue;
        const std::size_t distance = edit_distance(name, candidate);
        if (distance > allowed || distance >= distance_min) continue;
        distance_min = distance;
        nearest = candidate;
    }
    return nearest;
}

std::string cut_short(std::string_view text) {
    constexpr std::size_t bytes_max = 60;
    if (text.size() <= bytes_max) return std::string(text);
    std::size_t end = bytes_max;  // not inside a UTF-8 sequence
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    return std::string(text.substr(0, end)) + "...";
}

std::string in_quotes(std::string_view text) { return "\"" + cut_short(text) + "\""; }

}  // namespace sealgate

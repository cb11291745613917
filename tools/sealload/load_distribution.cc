// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/load_distribution.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/text.h"

namespace sealgate {
namespace {

// Above it neither doubles nor sums of ranges are exact; nobody sends a mail of a petabyte.
constexpr std::uint64_t amount_max = std::uint64_t{1} << 50;

// Cuts `text` at the first `at`; what is behind it, when there was one.
std::optional<std::string_view> cut(std::string_view& text, std::string_view at) {
    const std::size_t place = text.find(at);
    if (place == text.npos) return std::nullopt;
    const std::string_view behind = text.substr(place + at.size());
    text = text.substr(0, place);
    return behind;
}

// "WHAT:WEIGHT": takes the weight off.
Result<double> take_weight(std::string_view& item) {
    const auto weight = cut(item, ":");
    if (!weight) return 1.0;
    return parse_decimal(*weight);
}

Result<LoadDistribution::Range> parse_range(std::string_view item) {
    LoadDistribution::Range range;
    range.weight = TRY(take_weight(item));
    const auto to = cut(item, "..");
    range.from = TRY(parse_amount(item));
    range.to = to ? TRY(parse_amount(*to)) : range.from;
    if (range.to < range.from) return malformed("a range must not end before it begins");
    return range;
}

}  // namespace

Result<std::uint64_t> parse_amount(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (wrong != std::errc()) return malformed("not a number");
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    unsigned shift = 0;
    if (equal_ignoring_case(unit, "K"))
        shift = 10;
    else if (equal_ignoring_case(unit, "M"))
        shift = 20;
    else if (equal_ignoring_case(unit, "G"))
        shift = 30;
    else if (!unit.empty())
        return malformed("a unit is K, M or G");
    if (value > amount_max >> shift) return past_limit("a number is too large");
    return value << shift;
}

// By hand: from_chars of floating point is missing in older libraries, strtod knows locales.
Result<double> parse_decimal(std::string_view text) {
    constexpr std::size_t digits_max = 15;  // what a double holds exactly
    double value = 0;
    double unit = 1;
    std::size_t digits = 0;
    bool fraction = false;
    for (const char c : text) {
        if (c == '.' && !fraction) {
            fraction = true;
        } else if (c >= '0' && c <= '9' && ++digits <= digits_max) {
            value = value * 10 + (c - '0');
            if (fraction) unit *= 10;
        } else {
            return malformed("not a number");
        }
    }
    if (digits == 0) return malformed("not a number");
    return value / unit;
}

Result<LoadDistribution> LoadDistribution::parse(std::string_view text) {
    LoadDistribution distribution;
    for (std::optional<std::string_view> rest = text; rest;) {
        std::string_view item = *rest;
        rest = cut(item, ",");
        distribution.ranges_.push_back(TRY(parse_range(item)));
        distribution.weights_ += distribution.ranges_.back().weight;
    }
    if (distribution.weights_ <= 0) return malformed("no weight is above 0");
    return distribution;
}

std::uint64_t LoadDistribution::pick(LoadRandom& random) const {
    const Range* chosen = ranges_.data();
    if (ranges_.size() > 1) {
        double left = random.fraction() * weights_;
        for (const Range& range : ranges_) {
            if (range.weight > 0) chosen = &range;
            left -= range.weight;
            if (left < 0) break;
        }
    }
    if (chosen->from == chosen->to) return chosen->from;
    return chosen->from + random.below(chosen->to - chosen->from + 1);
}

std::uint64_t LoadDistribution::min() const {
    std::uint64_t least = ranges_.front().from;
    for (const Range& range : ranges_) least = std::min(least, range.from);
    return least;
}

std::uint64_t LoadDistribution::max() const {
    std::uint64_t most = 0;
    for (const Range& range : ranges_) most = std::max(most, range.to);
    return most;
}

Result<std::vector<WeightedName>> parse_weighted_names(std::string_view text) {
    std::vector<WeightedName> names;
    for (std::optional<std::string_view> rest = text; rest;) {
        std::string_view item = *rest;
        rest = cut(item, ",");
        const double weight = TRY(take_weight(item));
        if (item.empty()) return malformed("a name is missing");
        names.push_back({std::string(item), weight});
    }
    return names;
}

}  // namespace sealgate

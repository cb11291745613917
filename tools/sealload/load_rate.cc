// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/load_rate.h"

#include <algorithm>
#include <cmath>

#include "tools/sealload/load_distribution.h"

namespace sealgate {
namespace {

// Faster than any loop begins messages; above it moments would no longer be apart.
constexpr double rate_max = 1e7;
constexpr double ns_max = 9e18;  // 285 years
constexpr double duration_max_seconds = 365 * 86400.0;

}  // namespace

Result<LoadRate> LoadRate::parse(std::string_view text, double ramp_seconds) {
    LoadRate rate;
    rate.ramp_seconds = ramp_seconds;
    const std::size_t dots = text.find("..");
    if (dots == text.npos) {
        rate.to = TRY(parse_decimal(text));
        rate.from = ramp_seconds > 0 ? 0 : rate.to;
    } else {
        rate.from = TRY(parse_decimal(text.substr(0, dots)));
        rate.to = TRY(parse_decimal(text.substr(dots + 2)));
        if (ramp_seconds <= 0) return malformed("a rate that changes wants a ramp");
    }
    if (rate.to <= 0) return malformed("a rate must end above 0");
    if (std::max(rate.from, rate.to) > rate_max) return past_limit("the rate is too high");
    return rate;
}

double LoadRate::due_at(double seconds) const {
    const double climbing = std::min(seconds, ramp_seconds);
    double due = to * (seconds - climbing);
    if (climbing > 0) due += climbing * (from + (to - from) * climbing / ramp_seconds / 2);
    return due;
}

// Within the ramp, due = from·t + slope·t²/2 is solved for t, in the form that neither a slope of 0
// nor a beginning of 0 divides by nothing.
double LoadRate::moment_of(double messages) const {
    const double by_ramp = due_at(ramp_seconds);
    if (messages >= by_ramp) return ramp_seconds + (messages - by_ramp) / to;
    const double slope = (to - from) / ramp_seconds;
    const double root = std::sqrt(std::max(0.0, from * from + 2 * slope * messages));
    return messages <= 0 ? 0 : 2 * messages / (from + root);
}

ArrivalClock::ArrivalClock(LoadRate rate, Arrivals arrivals, std::uint64_t seed)
    : rate_(rate), arrivals_(arrivals), random_(seed) {
    take();
}

void ArrivalClock::take() {
    messages_ += arrivals_ == Arrivals::poisson ? random_.exponential() : 1;
    // A rate of nearly nothing has its first moment beyond what a clock can say.
    const double ns = std::min(rate_.moment_of(messages_) * 1e9, ns_max);
    next_ns_ = static_cast<std::uint64_t>(std::llround(ns));
}

Result<double> parse_duration(std::string_view text) {
    double unit = 1;
    if (text.ends_with("ms")) {
        unit = 0.001;
        text.remove_suffix(2);
    } else if (text.ends_with('s')) {
        text.remove_suffix(1);
    } else if (text.ends_with('m')) {
        unit = 60;
        text.remove_suffix(1);
    } else if (text.ends_with('h')) {
        unit = 3600;
        text.remove_suffix(1);
    }
    const double seconds = TRY(parse_decimal(text))
    *unit;
    if (seconds > duration_max_seconds) return past_limit("the time is too long");
    return seconds;
}

}  // namespace sealgate

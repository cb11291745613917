// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers by distribution, as options write them: "10K", "1K..100K" (each as likely), or several of
// either with weights: "4K:70,40K:25,1M..2M:5". K, M and G are powers of 1024. A value, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "tools/sealload/load_random.h"

namespace sealgate {

class LoadDistribution {
public:
    struct Range {
        std::uint64_t from = 0, to = 0;  // both inclusive
        double weight = 1;
    };

    // One number, always.
    explicit LoadDistribution(std::uint64_t always) : ranges_{{always, always, 1}}, weights_(1) {}
    static Result<LoadDistribution> parse(std::string_view text);

    std::uint64_t pick(LoadRandom& random) const;
    std::uint64_t min() const;
    std::uint64_t max() const;
    const std::vector<Range>& ranges() const { return ranges_; }

private:
    LoadDistribution() = default;

    std::vector<Range> ranges_;
    double weights_ = 0;
};

// "10", "10K", "1M": a count or a size.
Result<std::uint64_t> parse_amount(std::string_view text);
// A number that is not negative, with or without a fraction: "0.5".
Result<double> parse_decimal(std::string_view text);

// Names with weights, "sign:30,plain:70"; a name alone weighs 1.
struct WeightedName {
    std::string name;
    double weight = 1;
};
Result<std::vector<WeightedName>> parse_weighted_names(std::string_view text);

}  // namespace sealgate

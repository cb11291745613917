// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_mails.h"

#include "tools/sealload/load_command.h"

namespace sealgate {
namespace {

std::vector<MailFile> files_of(const SourceMailsPlan& plan) {
    std::string why;
    auto loaded = load_mails(plan.paths, &why);
    if (!loaded) throw LoadFailed{exit_usage, why + ": " + loaded.error().what};
    if (loaded->empty()) throw LoadFailed{exit_usage, "there is no mail in the folders given"};
    return *std::move(loaded);
}

using Variants = std::vector<std::vector<MailTemplate>>;

Variants one_each(std::vector<MailTemplate> templates) {
    Variants variants;
    for (MailTemplate& mail : templates) {
        variants.emplace_back();
        variants.back().push_back(std::move(mail));
    }
    return variants;
}

}  // namespace

// A size costs a digest of its body at start, so a range is not made byte by byte: in 256 equal
// steps, fewer where they are large, with both its ends.
std::vector<WeightedSize> steps_of(const LoadDistribution& sizes) {
    constexpr std::uint64_t steps_max = 256, steps_min = 16;
    constexpr std::uint64_t bytes_max = std::uint64_t{512} << 20;  // to be digested, in all
    std::vector<WeightedSize> steps;
    for (const LoadDistribution::Range& range : sizes.ranges()) {
        const std::uint64_t affordable = std::max(steps_min, bytes_max / (range.to + 1));
        const std::uint64_t last = std::min({range.to - range.from, steps_max - 1, affordable - 1});
        for (std::uint64_t i = 0; i <= last; ++i) {
            const std::uint64_t over = last == 0 ? 0 : (range.to - range.from) * i / last;
            steps.push_back({range.from + over, range.weight / static_cast<double>(last + 1)});
        }
    }
    return steps;
}

MailPool make_mails(const SourceMailsPlan& plan) {
    if (!plan.paths.empty()) {
        std::vector<MailTemplate> templates;
        for (const MailFile& file : files_of(plan)) templates.emplace_back(file.name, file.text);
        MailPool pool;
        pool.add_kind(1, one_each(std::move(templates)));
        return pool;
    }
    std::vector<std::uint64_t> bytes;
    std::vector<double> weights;
    for (const WeightedSize& size : steps_of(plan.sizes)) {
        bytes.push_back(size.bytes);
        weights.push_back(size.weight);
    }
    MailPool pool(std::move(weights));
    pool.add_kind(1, one_each(MailTemplate::fillers(bytes)));
    return pool;
}

}  // namespace sealgate

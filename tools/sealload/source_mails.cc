// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_mails.h"

#include <algorithm>

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

// Of text the sizes alone: its templates share one body, and S/MIME makes it piece by piece.
struct Bases {
    std::vector<MailFile> files;
    std::vector<std::uint64_t> sizes;
    std::vector<double> weights;  // of sizes

    std::size_t count() const { return files.empty() ? sizes.size() : files.size(); }
    MailFile file(std::size_t i) const { return files.empty() ? filler_mail(sizes[i]) : files[i]; }
};

Bases bases_of(const SourceMailsPlan& plan) {
    Bases bases;
    if (!plan.paths.empty()) {
        bases.files = files_of(plan);
        return bases;
    }
    for (const WeightedSize& size : steps_of(plan.sizes)) {
        bases.sizes.push_back(size.bytes);
        bases.weights.push_back(size.weight);
    }
    return bases;
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

Variants plain_variants(const SourceMailsPlan& plan, const Bases& bases) {
    if (plan.paths.empty()) return one_each(MailTemplate::fillers(bases.sizes));
    std::vector<MailTemplate> templates;
    for (const MailFile& file : bases.files) templates.emplace_back(file.name, file.text);
    return one_each(std::move(templates));
}

Variants smime_variants(SmimeMaker& maker, const SourceMailsPlan& plan, const Bases& bases,
                        SmimeForm form) {
    // Base64 of 200 large mails would fill the memory: from here on each mail has one variant.
    constexpr std::uint64_t bytes_max = std::uint64_t{256} << 20;
    std::uint64_t bytes = 0;
    const std::size_t each = std::max<std::size_t>(1, plan.smime_variants / bases.count());
    Variants variants;
    for (std::size_t i = 0; i < bases.count(); ++i) {
        const MailFile file = bases.file(i);
        variants.emplace_back();
        do {
            const auto made = maker.make(form, file.text);
            if (!made) throw LoadFailed{exit_usage, file.name + ": " + made.error().what};
            bytes += made->size();
            variants.back().emplace_back(file.name, *made, BodyDigest::kept);
        } while (variants.back().size() < each && bytes < bytes_max);
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

MailPool make_mails(Loop& loop, const SourceMailsPlan& plan) {
    const Bases bases = bases_of(plan);
    MailPool pool(bases.weights);
    if (plan.forms.empty()) {
        pool.add_kind(1, plain_variants(plan, bases));
        return pool;
    }
    SmimeMaker maker(loop, plan.keys);
    for (const WeightedForm& form : plan.forms) {
        pool.add_kind(form.weight, form.form == SmimeForm::plain
                                       ? plain_variants(plan, bases)
                                       : smime_variants(maker, plan, bases, form.form));
    }
    return pool;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/mail_pool.h"

#include <algorithm>

#include "core/result.h"

namespace sealgate {

MailPool::MailPool(std::vector<double> weights) : weights_until_(std::move(weights)) {
    for (std::size_t i = 1; i < weights_until_.size(); ++i)
        weights_until_[i] += weights_until_[i - 1];
}

void MailPool::add_kind(double weight, std::vector<std::vector<MailTemplate>> variants) {
    CHECK(!variants.empty());
    const double before = kinds_.empty() ? 0 : kinds_.back().weight_until;
    kinds_.push_back({before + weight, std::move(variants)});
}

const MailTemplate& MailPool::pick(std::uint64_t number, LoadRandom& random) const {
    std::size_t kind = 0;
    if (kinds_.size() > 1) {
        const double at = random.fraction() * kinds_.back().weight_until;
        while (kind + 1 < kinds_.size() && at >= kinds_[kind].weight_until) ++kind;
    }
    const auto& bases = kinds_[kind].variants;
    std::size_t base = (number - 1) % bases.size();
    if (!weights_until_.empty() && bases.size() > 1) {
        const double at = random.fraction() * weights_until_.back();
        const auto found = std::upper_bound(weights_until_.begin(), weights_until_.end(), at);
        base = std::min(static_cast<std::size_t>(found - weights_until_.begin()), bases.size() - 1);
    }
    const auto& variants = bases[base];
    return variants[(number - 1) / bases.size() % variants.size()];
}

}  // namespace sealgate

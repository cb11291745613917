// SPDX-License-Identifier: GPL-3.0-or-later
// The mails that a source has to choose from: base mails, each in several kinds (plain, signed…),
// a kind perhaps in several variants.
//
// Base mails come in turn (files), or as often as their weights say (sizes); kinds as their weights
// say; variants in turn. Nothing is made here: whoever fills the pool has made all of it before the
// first message leaves. One owner, read-only while messages are sent.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/sealload/load_random.h"
#include "tools/sealload/mail_template.h"

namespace sealgate {

class MailPool {
public:
    // `weights`: of the base mails; empty: each in turn.
    explicit MailPool(std::vector<double> weights = {});

    // A kind with its variants of every base mail: variants[base] has at least one.
    void add_kind(double weight, std::vector<std::vector<MailTemplate>> variants);

    // For the message of this number (from 1).
    const MailTemplate& pick(std::uint64_t number, LoadRandom& random) const;

private:
    struct Kind {
        double weight_until;  // this one's and all before it
        std::vector<std::vector<MailTemplate>> variants;
    };
    std::vector<double> weights_until_;
    std::vector<Kind> kinds_;
};

}  // namespace sealgate

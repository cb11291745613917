// SPDX-License-Identifier: GPL-3.0-or-later
// What a source is to send, made before the first message leaves: files or text of given sizes, as
// they are or as S/MIME.
#pragma once

#include <string>
#include <vector>

#include "tools/sealload/load_distribution.h"
#include "tools/sealload/mail_pool.h"
#include "tools/sealload/smime_input.h"

namespace sealgate {

struct WeightedForm {
    SmimeForm form = SmimeForm::plain;
    double weight = 1;
};

struct SourceMailsPlan {
    std::vector<std::string> paths;  // none: text, of
    LoadDistribution sizes{4096};
    std::vector<WeightedForm> forms;  // none: plain
    SmimeKeys keys;
    unsigned smime_variants = 200;  // of each form, over all mails; at least one of each mail
};

// Blocks, and runs the loop, while S/MIME is made. Fails with LoadFailed (load_command.h).
MailPool make_mails(Loop& loop, const SourceMailsPlan& plan);

// The sizes to make of a distribution, and how often each is sent: ranges become steps.
struct WeightedSize {
    std::uint64_t bytes = 0;
    double weight = 0;
};
std::vector<WeightedSize> steps_of(const LoadDistribution& sizes);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What a source is to send, made before the first message leaves: files or text of given sizes, as
// they are or as S/MIME.
#pragma once

#include <string>
#include <vector>

#include "tools/sealload/load_distribution.h"
#include "tools/sealload/mail_pool.h"

namespace sealgate {

struct SourceMailsPlan {
    std::vector<std::string> paths;  // none: text, of
    LoadDistribution sizes{4096};
};

// Fails with LoadFailed (load_command.h).
MailPool make_mails(const SourceMailsPlan& plan);

// The sizes to make of a distribution, and how often each is sent: ranges become steps.
struct WeightedSize {
    std::uint64_t bytes = 0;
    double weight = 0;
};
std::vector<WeightedSize> steps_of(const LoadDistribution& sizes);

}  // namespace sealgate

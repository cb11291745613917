// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_counts.h"

namespace sealgate {

const char* to_word(Phase phase) {
    switch (phase) {
    case Phase::connect: return "connect";
    case Phase::banner: return "banner";
    case Phase::ehlo: return "ehlo";
    case Phase::starttls: return "starttls";
    case Phase::tls: return "tls";
    case Phase::mail: return "mail";
    case Phase::rcpt: return "rcpt";
    case Phase::data: return "data";
    case Phase::content: return "reply";
    case Phase::wait: return "wait";
    case Phase::message: return "message";
    }
    return "";
}

void count_kind(std::map<std::string, std::uint64_t>& kinds, std::string_view what) {
    constexpr std::size_t kinds_max = 1000;
    std::string kind(what);
    if (kinds.size() >= kinds_max && kinds.count(kind) == 0) kind = "others";
    ++kinds[kind];
}

}  // namespace sealgate

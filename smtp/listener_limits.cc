// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/listener_limits.h"

namespace sealgate {

bool RecipientRate::take(const IpAddress& host, std::uint64_t count_max, std::uint64_t now_ms) {
    if (count_max == 0) return true;
    auto row = hours_.find(host);
    if (row == hours_.end()) {
        if (!has_room(now_ms)) return true;
        row = hours_.emplace(host, Hour{now_ms, 0}).first;
    }
    Hour& hour = row->second;
    if (now_ms - hour.begin_ms >= hour_ms) hour = Hour{now_ms, 0};
    if (hour.count >= count_max) return false;
    ++hour.count;
    return true;
}

bool RecipientRate::has_room(std::uint64_t now_ms) {
    if (hours_.size() < hosts_max) return true;
    // A sweep reads the whole table: at most once a minute.
    if (now_ms - swept_ms_ < 60'000 && swept_ms_ != 0) return false;
    swept_ms_ = now_ms;
    std::erase_if(hours_,
                  [now_ms](const auto& row) { return now_ms - row.second.begin_ms >= hour_ms; });
    return hours_.size() < hosts_max;
}

}  // namespace sealgate

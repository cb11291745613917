// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/ledger_compare.h"

#include <map>
#include <set>
#include <utility>

namespace sealgate {
namespace {

using Pair = std::pair<std::string, std::string>;  // Message-ID, recipient

}  // namespace

LedgerFindings compare_ledgers(const std::vector<SentLine>& sent,
                               const std::vector<ReceivedLine>& received) {
    LedgerFindings found;
    std::map<Pair, std::uint64_t> arrivals;
    std::set<std::string> reported;
    for (const ReceivedLine& line : received) {
        if (line.dsn) {
            ++found.dsns;
            if (!line.about.empty()) reported.insert(line.about);
            continue;
        }
        ++found.received;
        for (const std::string& recipient : line.recipients)
            ++arrivals[{line.message_id, recipient}];
    }
    std::set<Pair> expected;
    for (const SentLine& line : sent) {
        if (line.state == SentState::accepted) ++found.accepted;
        if (line.state == SentState::refused) ++found.refused;
        if (line.state == SentState::unknown) ++found.unknown;
        if (line.state == SentState::refused) continue;
        for (const std::string& recipient : line.recipients) {
            const Pair pair{line.message_id, recipient};
            expected.insert(pair);
            if (arrivals.contains(pair)) {
                if (line.state == SentState::unknown) ++found.unknown_received;
            } else if (reported.contains(line.message_id)) {
                ++found.returned;
            } else if (line.state == SentState::accepted) {
                found.lost.push_back({line.message_id, recipient, 0});
            }
        }
    }
    for (const auto& [pair, times] : arrivals) {
        if (!expected.contains(pair))
            found.unexpected.push_back({pair.first, pair.second, times});
        else if (times > 1)
            found.duplicated.push_back({pair.first, pair.second, times});
    }
    return found;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/ledger_compare.h"

#include <map>
#include <set>
#include <utility>

namespace sealgate {
namespace {

using Pair = std::pair<std::string, std::string>;  // Message-ID, recipient

struct Arrivals {
    std::uint64_t times = 0;
    std::uint64_t altered = 0;
    std::uint64_t encrypted = 0;  // of the copies whose form is known
    std::uint64_t clear = 0;
};

// The layers say it in any order they may have; a form without layers is plain.
bool is_encrypted(const ReceivedLine& line) {
    return line.layers.find("encrypted") != std::string::npos;
}

struct Received {
    std::map<Pair, Arrivals> arrivals;
    std::set<std::string> reported;  // Message-IDs that a DSN is about
};

Received gather(const std::vector<ReceivedLine>& lines, LedgerFindings& found) {
    Received received;
    for (const ReceivedLine& line : lines) {
        if (line.dsn) {
            ++found.dsns;
            if (!line.about.empty()) received.reported.insert(line.about);
            continue;
        }
        ++found.received;
        if (line.form.empty()) ++found.formless;
        for (const std::string& recipient : line.recipients) {
            Arrivals& arrivals = received.arrivals[{line.message_id, recipient}];
            ++arrivals.times;
            if (line.body == "altered") ++arrivals.altered;
            if (!line.form.empty()) ++(is_encrypted(line) ? arrivals.encrypted : arrivals.clear);
        }
    }
    return received;
}

void count(const SentLine& line, LedgerFindings& found) {
    switch (line.state) {
    case SentState::accepted: ++found.accepted; break;
    case SentState::refused: ++found.refused; break;
    case SentState::unknown: ++found.unknown; break;
    }
}

}  // namespace

LedgerFindings compare_ledgers(const std::vector<SentLine>& sent,
                               const std::vector<ReceivedLine>& received_lines) {
    LedgerFindings found;
    const Received received = gather(received_lines, found);
    std::set<Pair> expected;
    for (const SentLine& line : sent) {
        count(line, found);
        if (line.state == SentState::refused) continue;
        for (const std::string& recipient : line.recipients) {
            const Pair pair{line.message_id, recipient};
            expected.insert(pair);
            if (received.arrivals.contains(pair)) {
                if (line.state == SentState::unknown) ++found.unknown_received;
                continue;
            }
            const bool reported = received.reported.contains(line.message_id);
            if (reported) ++found.returned;
            if (line.state != SentState::accepted) continue;
            found.neither.push_back({line.message_id, recipient, 0});
            if (!reported) found.lost.push_back({line.message_id, recipient, 0});
        }
    }
    for (const auto& [pair, arrivals] : received.arrivals) {
        const auto row = [&pair = pair](std::uint64_t times) {
            return LedgerFindings::Row{pair.first, pair.second, times};
        };
        if (!expected.contains(pair))
            found.unexpected.push_back(row(arrivals.times));
        else if (arrivals.times > 1)
            found.duplicated.push_back(row(arrivals.times));
        if (arrivals.altered > 0) found.altered.push_back(row(arrivals.altered));
        if (arrivals.encrypted > 0 && arrivals.clear > 0) found.both.push_back(row(arrivals.times));
    }
    return found;
}

}  // namespace sealgate

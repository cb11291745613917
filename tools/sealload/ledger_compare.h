// SPDX-License-Identifier: GPL-3.0-or-later
// What was lost, doubled, altered or never sent, between two ledgers: per message and recipient.
//
// A recipient counts as served when a message with that Message-ID came for it, and as told when a
// DSN about that Message-ID came instead: only what is neither is lost. A message whose sending
// ended in `unknown` may have arrived or not; both are right. Altered is what the sink found to
// have another body than was sent, whatever layers it had to open for that.
//
// With "once", the forms that copies had are looked at, too: nobody may get one that is encrypted
// and one that is not (`both`), and nobody whose message was accepted may get none (`neither`,
// though a DSN came).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/sealload/ledger.h"

namespace sealgate {

struct LedgerFindings {
    struct Row {
        std::string message_id;
        std::string recipient;
        std::uint64_t times = 0;  // how often it came
    };
    std::uint64_t accepted = 0;  // messages
    std::uint64_t refused = 0;
    std::uint64_t unknown = 0;
    std::uint64_t received = 0;  // messages, DSNs apart
    std::uint64_t dsns = 0;
    std::uint64_t returned = 0;          // pairs that a DSN was about and no mail came
    std::uint64_t unknown_received = 0;  // pairs of messages in doubt that did come
    std::uint64_t formless = 0;          // messages of which the sink did not say the form
    std::vector<Row> lost;
    std::vector<Row> duplicated;
    std::vector<Row> altered;
    std::vector<Row> unexpected;  // refused or never sent, and yet received
    std::vector<Row> both;
    std::vector<Row> neither;
};

LedgerFindings compare_ledgers(const std::vector<SentLine>& sent,
                               const std::vector<ReceivedLine>& received);

}  // namespace sealgate

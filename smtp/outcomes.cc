// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/outcomes.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/mail_log.h"

namespace sealgate {

std::vector<std::size_t> rids_of(const DeliveryTask& task) {
    std::vector<std::size_t> rids;
    for (const DeliveryRecipient& recipient : task.recipients) rids.push_back(recipient.rid);
    return rids;
}

std::vector<std::size_t> delivered_rids(const std::vector<RecipientOutcome>& outcomes) {
    std::vector<std::size_t> rids;
    for (const RecipientOutcome& outcome : outcomes) {
        if (outcome.kind == RecipientOutcome::Kind::delivered) rids.push_back(outcome.rid);
    }
    return rids;
}

std::string rid_list(const std::vector<std::size_t>& rids) {
    return fmt::format("[{}]", fmt::join(rids, ", "));
}

std::vector<RecipientOutcome> same_for_all(const DeliveryTask& task, RecipientOutcome::Kind kind,
                                           const Reply& reply) {
    std::vector<RecipientOutcome> outcomes;
    for (const DeliveryRecipient& recipient : task.recipients) {
        RecipientOutcome outcome;
        outcome.rid = recipient.rid;
        outcome.kind = kind;
        outcome.reply = reply;
        outcomes.push_back(std::move(outcome));
    }
    return outcomes;
}

std::vector<RecipientOutcome> not_delivered(const DeliveryTask& task, const Reply& reply) {
    return same_for_all(
        task, reply.permanent() ? RecipientOutcome::Kind::failed : RecipientOutcome::Kind::deferred,
        reply);
}

void log_delivery(MailLog& log, std::uint64_t dcid, const DeliveryTask& task,
                  const std::vector<RecipientOutcome>& outcomes) {
    const auto first = std::find_if(outcomes.begin(), outcomes.end(), [](const auto& outcome) {
        return outcome.kind == RecipientOutcome::Kind::delivered;
    });
    if (first == outcomes.end()) return;
    const std::string list = rid_list(delivered_rids(outcomes));
    // All of them have the one reply to the end of data.
    log.info("MID {} RID {} Response '{}'", task.mid, list, printable(first->reply.text()));
    log.info("Message done DCID {} MID {} to RID {}", dcid, task.mid, list);
}

}  // namespace sealgate

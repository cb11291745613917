// SPDX-License-Identifier: GPL-3.0-or-later
// What became of a message's recipients, as lists and as text for the log.
#pragma once

#include <string>
#include <vector>

#include "smtp/courier.h"

namespace sealgate {

std::vector<std::size_t> rids_of(const DeliveryTask& task);
std::vector<std::size_t> delivered_rids(const std::vector<RecipientOutcome>& outcomes);
// "[0]", "[0, 1]".
std::string rid_list(const std::vector<std::size_t>& rids);

// For a reply of our own making: `kind`, or by the reply's class.
std::vector<RecipientOutcome> same_for_all(const DeliveryTask& task, RecipientOutcome::Kind kind,
                                           const Reply& reply);
std::vector<RecipientOutcome> not_delivered(const DeliveryTask& task, const Reply& reply);

// The log's Response and Message done lines, when anybody got the message.
void log_delivery(MailLog& log, std::uint64_t dcid, const DeliveryTask& task,
                  const std::vector<RecipientOutcome>& outcomes);

}  // namespace sealgate

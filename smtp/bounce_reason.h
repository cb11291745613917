// SPDX-License-Identifier: GPL-3.0-or-later
// Why a delivery failed, in the forms that the log, the store and DSNs want: status code (RFC
// 3463), a few words for people, and what the host said.
#pragma once

#include <string>
#include <string_view>

#include "smtp/reply.h"

namespace sealgate {

enum class FailureClass : std::uint8_t { persistent_transient, permanent };

// The reply's enhanced code where it has one of this class, else one that fits its code.
std::string status_of(const Reply& reply, FailureClass failure);
// "No such user" for "5.1.1" and "4.1.1".
const char* words_for_status(std::string_view status);

// The tail of Bounced: and Delayed: lines: `('550', ['5.1.1 unknown'])`, a text per line of the
// reply, escaped and cut. A reply that no host gave has the code '000', as AsyncOS writes it.
std::string reply_tuple(const Reply& reply, bool from_host);

// What is kept in Recipient::last_reply: "550 5.1.1 unknown", or without the code when no host
// said it. ASCII, one line, cut.
std::string kept_reply(const Reply& reply, bool from_host);
bool kept_reply_is_from_host(std::string_view kept);
// The tuple of a kept reply, for lines about a message whose last attempt was some time ago.
std::string kept_reply_tuple(std::string_view kept);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// What is said of a message whose S/MIME layers were opened: in its header, the log, the metrics.
#pragma once

#include <string>
#include <string_view>

#include "core/config.h"
#include "core/spool.h"
#include "smtp/smime_reader.h"

namespace sealgate {

class MailLog;

// `MID 6 S/MIME verify: failed untrusted signer b@example.net`, a line for each layer.
void log_smime(MailLog& log, MessageId mid, const SmimeVerdict& verdict, const std::string& sender);
void count_smime(const SmimeVerdict& verdict);

// The Authentication-Results field, with its line end. `sender`: whom signatures had to cover;
// empty: there was no single one.
std::string authentication_results_of(const SmimeVerdict& verdict, const std::string& hostname,
                                      const std::string& sender);

// The signer that the verdict speaks of: of the innermost signed layer the one that covers the
// sender, else the first. Null: none signed.
const SignerReport* telling_signer(const SmimeVerdict& verdict);
// Whom a signer says to be: an address or domain of its certificate, `sender` where it covers that.
std::string signer_name(const SignerReport& signer, std::string_view sender);

// Which mail policy took a part of a message.
void log_part_matched(MailLog& log, MessageId mid, const std::string& policy, Direction direction);
void log_part_split(MailLog& log, MessageId from, MessageId mid, const std::string& policy,
                    Direction direction);

}  // namespace sealgate

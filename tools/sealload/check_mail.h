// SPDX-License-Identifier: GPL-3.0-or-later
// What the sink says about a mail: which it is, and whether its signature holds. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "tools/sealload/ledger.h"

namespace sealgate {

// Message-ID, and whether it is a delivery report and about what. Only the header is looked at.
ReceivedLine identify(const std::string& sender, std::string_view content);

// "verified", or "failed: " and why. Signatures are judged by crypto/trust_cms.h; when the source
// gave the mail a digest (X-Sealload-Digest), the signed body must have it. A delivery report
// is not signed and has no verdict.
std::string verdict_on(std::string_view content, const std::string& ca_file);

}  // namespace sealgate

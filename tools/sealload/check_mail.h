// SPDX-License-Identifier: GPL-3.0-or-later
// What the sink says about a mail: which it is, what layers it has, and whether they hold.
//
// Every layer is judged by libcrypto (crypto/trust_judge.h), which shares no code with what wrote
// them. Then the body: when the source gave the mail a digest (X-Sealload-Digest), the body must
// have it, at one of the layers, or as it stands when there is none. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/trust_judge.h"
#include "tools/sealload/ledger.h"

namespace sealgate {

// Message-ID, and whether it is a delivery report and about what. Only the header is looked at.
ReceivedLine identify(const std::string& sender, std::string_view content);

enum class MailForm : std::uint8_t { plain, signed_, encrypted, sign_encrypt, triple, other };
const char* to_word(MailForm form);
std::optional<MailForm> mail_form_of(std::string_view word);
// By its layers, from outside: triple is signed, encrypted, signed.
MailForm mail_form_of(const std::vector<CmsLayer>& layers);

struct CheckOptions {
    // Any other form fails. Empty: any but plain.
    std::vector<MailForm> expected;
    // Nobody can open it but the envelope's recipients, and those named here.
    bool only_recipients = false;
    std::vector<std::string> also_allowed;
};

class MailCheck {
public:
    MailCheck(CheckOptions options, std::shared_ptr<const CmsJudge> judge)
        : options_(std::move(options)), judge_(std::move(judge)) {}

    // Fills verdict, form, layers, body and opened_by; the line's recipients are looked at.
    void judge(ReceivedLine& line, std::string_view content) const;

private:
    std::string why_not(const ReceivedLine& line, const OpenedMail& mail, MailForm form) const;
    bool is_allowed(const CmsRecipient& recipient, const ReceivedLine& line) const;

    CheckOptions options_;
    std::shared_ptr<const CmsJudge> judge_;
};

}  // namespace sealgate

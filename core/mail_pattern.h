// SPDX-License-Identifier: GPL-3.0-or-later
// A pattern of [mail-policy:NAME] senders and recipients: which addresses it means.
//
// `u@d` one address, `u@` a local part in any domain, `@d` a domain, `@.d` every domain below it,
// `ALL` everything, the null sender too. ASCII letters match without case, in the local part as
// well: RFC 5321 §2.4 would let it differ, people and directories do not. A value, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sealgate {

class MailPattern {
public:
    static Result<MailPattern> parse(std::string_view text);

    // `address` without angle brackets; empty is the null sender.
    bool matches(std::string_view address) const;
    const std::string& text() const { return text_; }

private:
    enum class Kind : std::uint8_t { all, address, local_part, domain, below };

    std::string text_;
    Kind kind_ = Kind::all;
    std::string meant_;  // lower-case: what the kind compares
};

// The part of [recipient-access] and [smtp-routes] keys that is a domain: d or .d.
bool is_domain_pattern(std::string_view text);
// Without spaces, controls and '@'; not empty.
bool is_local_part(std::string_view text);

}  // namespace sealgate

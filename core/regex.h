// SPDX-License-Identifier: GPL-3.0-or-later
// Regular expressions in time linear in their input (Hyperscan), for values that are whole.
//
// PCRE's syntax less what needs backtracking (no back-references, no look-around); matches
// anywhere; case-sensitive unless `(?i)` or Case::fold. A pattern with other than ASCII characters
// is read as UTF-8. One thread at a time per Regex: it owns its scratch space.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sealgate {

class Regex {
public:
    enum class Case : std::uint8_t { sensitive, fold };

    // What is wrong in a pattern goes to `why`, with its column where Hyperscan tells.
    static Result<Regex> compile(const std::string& pattern, Case letter_case, std::string* why);
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;
    ~Regex();

    bool matches(std::string_view text) const;

private:
    Regex();
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sealgate

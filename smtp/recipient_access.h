// SPDX-License-Identifier: GPL-3.0-or-later
// [recipient-access]: which recipients a public listener takes mail for.
//
// The most specific row wins: user@domain, domain, .parent (the longest one), ALL; without a row
// for ALL, what no row names is refused. Letter case counts nowhere. Immutable, built with the
// configuration; any thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/config.h"
#include "smtp/reply.h"

namespace sealgate {

class RecipientAccess {
public:
    explicit RecipientAccess(const std::vector<RecipientAccessRow>& rows);

    // The reply that refuses this address; null: it is taken.
    const Reply* refuses(std::string_view address) const;

private:
    struct Verdict {
        bool accept = false;
        Reply reply;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    const Verdict& find(std::string_view lower_case_address) const;

    std::unordered_map<std::string, Verdict, Hash, std::equal_to<>> rows_;
    Verdict all_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/recipient_access.h"

#include <algorithm>

#include "smtp/path.h"

namespace sealgate {
namespace {

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string to_lower(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return to_lower(c); });
    return lower;
}

}  // namespace

RecipientAccess::RecipientAccess(const std::vector<RecipientAccessRow>& rows) {
    all_.reply = make_reply(550, "5.7.1", "Relaying denied");
    for (const RecipientAccessRow& row : rows) {
        Verdict verdict{row.accept, parse_reply_text(row.reply)};
        if (to_lower(row.pattern) == "all") {
            all_ = std::move(verdict);
        } else {
            rows_.insert_or_assign(to_lower(row.pattern), std::move(verdict));
        }
    }
}

const Reply* RecipientAccess::refuses(std::string_view address) const {
    const Verdict& verdict = find(to_lower(address));
    return verdict.accept ? nullptr : &verdict.reply;
}

const RecipientAccess::Verdict& RecipientAccess::find(std::string_view address) const {
    if (const auto row = rows_.find(address); row != rows_.end()) return row->second;
    const std::string_view domain = address_domain(address);
    if (const auto row = rows_.find(domain); row != rows_.end()) return row->second;
    for (std::size_t dot = domain.find('.'); dot != std::string_view::npos;
         dot = domain.find('.', dot + 1)) {
        if (const auto row = rows_.find(domain.substr(dot)); row != rows_.end()) return row->second;
    }
    return all_;
}

}  // namespace sealgate

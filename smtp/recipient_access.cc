// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/recipient_access.h"

#include "core/text.h"
#include "smtp/path.h"

namespace sealgate {

RecipientAccess::RecipientAccess(const std::vector<RecipientAccessRow>& rows) {
    all_.reply = make_reply(550, "5.7.1", "Relaying denied");
    for (const RecipientAccessRow& row : rows) {
        Verdict verdict{row.accept, parse_reply_text(row.reply)};
        if (lower_case(row.pattern) == "all") {
            all_ = std::move(verdict);
        } else {
            rows_.insert_or_assign(lower_case(row.pattern), std::move(verdict));
        }
    }
}

const Reply* RecipientAccess::refuses(std::string_view address) const {
    const Verdict& verdict = find(lower_case(address));
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

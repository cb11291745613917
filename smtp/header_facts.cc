// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/header_facts.h"

#include "smtp/addresses.h"
#include "smtp/encoded_word.h"

namespace sealgate {

HeaderFacts::HeaderFacts(const Header& header, const Envelope& envelope, MessageOrigin origin)
    : header_(header),
      envelope_(envelope),
      origin_(std::move(origin)),
      from_(addresses_of(header, "From").list.addresses) {
    for (const Recipient& recipient : envelope.recipients) recipients_.push_back(recipient.address);
}

std::vector<std::string> HeaderFacts::header(std::string_view name) const {
    std::vector<std::string> values;
    for (const HeaderField* field : header_.all(name))
        values.push_back(decode_encoded_words(header_.value(*field)));
    return values;
}

}  // namespace sealgate

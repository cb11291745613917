// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/header_facts.h"

#include "smtp/addresses.h"
#include "smtp/encoded_word.h"
#include "smtp/outgoing.h"
#include "smtp/smime_kind.h"

namespace sealgate {
namespace {

SmimeFacts facts_of_root(const Header& header) {
    const SmimeRoot root = smime_root(header.content_type());
    SmimeFacts facts;
    facts.is_message = smime_kind(header) != SmimeKind::none;
    facts.is_signed = root == SmimeRoot::is_signed;
    facts.is_encrypted = root == SmimeRoot::encrypted;
    return facts;
}

}  // namespace

HeaderFacts::HeaderFacts(const Header& header, const Envelope& envelope, MessageOrigin origin,
                         std::optional<SmimeFacts> smime)
    : header_(header),
      envelope_(envelope),
      origin_(std::move(origin)),
      smime_(smime),
      from_(addresses_of(header, "From").list.addresses) {
    for (const Recipient& recipient : envelope.recipients) recipients_.push_back(recipient.address);
}

SmimeFacts HeaderFacts::smime() const { return smime_ ? *smime_ : facts_of_root(header_); }

std::vector<std::string> HeaderFacts::header(std::string_view name) const {
    std::vector<std::string> values;
    for (const HeaderField* field : header_.all(name))
        values.push_back(decode_encoded_words(header_.value(*field)));
    return values;
}

}  // namespace sealgate

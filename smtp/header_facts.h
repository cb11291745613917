// SPDX-License-Identifier: GPL-3.0-or-later
// A message as the rules of policies and filters see it, at the end of its header.
//
// Of an intake, or made up by `sealgate explain`. Refers to what it was made of. Loop thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy.h"
#include "smtp/envelope.h"
#include "smtp/header.h"

namespace sealgate {

// Where a message comes from, beside what itself says.
struct MessageOrigin {
    Direction direction = Direction::outgoing;
    IpAddress remote_ip;
    std::string listener;
    std::string sender_group;
};

class HeaderFacts final : public MessageFacts {
public:
    // `smime`: what opening it showed; without it, what its root says.
    HeaderFacts(const Header& header, const Envelope& envelope, MessageOrigin origin,
                std::optional<SmimeFacts> smime = {});

    Direction direction() const override { return origin_.direction; }
    std::string_view envelope_sender() const override { return envelope_.sender; }
    const std::vector<std::string>& from_addresses() const override { return from_; }
    const std::vector<std::string>& recipients() const override { return recipients_; }
    std::string subject() const override { return header_.subject(); }
    std::vector<std::string> header(std::string_view name) const override;
    const IpAddress& remote_ip() const override { return origin_.remote_ip; }
    std::string_view listener() const override { return origin_.listener; }
    std::string_view sender_group() const override { return origin_.sender_group; }
    SmimeFacts smime() const override;

private:
    const Header& header_;
    const Envelope& envelope_;
    MessageOrigin origin_;
    std::optional<SmimeFacts> smime_;
    std::vector<std::string> from_;
    std::vector<std::string> recipients_;
};

}  // namespace sealgate

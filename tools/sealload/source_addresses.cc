// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_addresses.h"

namespace sealgate {
namespace {

// Each of a message's choices has a stream of its own, apart from the one that picks the mail.
constexpr std::uint64_t recipients_stream = std::uint64_t{1} << 62;
constexpr std::uint64_t domains_stream = std::uint64_t{1} << 63;

}  // namespace

SourceAddresses::SourceAddresses(const Plan& plan)
    : from_(plan.from),
      senders_(plan.senders),
      senders_from_(plan.senders_from),
      to_(plan.to.begin(), plan.to.end()),
      recipients_(plan.recipients),
      domains_(plan.domains),
      seed_(plan.seed) {}

std::uint64_t SourceAddresses::sender_of(std::uint64_t message) const {
    return senders_ == 0 ? message : senders_from_ + (message - 1) % senders_;
}

std::size_t SourceAddresses::recipients_of(std::uint64_t message) const {
    if (!recipients_) return to_.size();
    LoadRandom random(seed_, recipients_stream + message);
    return static_cast<std::size_t>(recipients_->pick(random));
}

void SourceAddresses::append_sender(std::string& out, std::uint64_t message) const {
    from_.append_to(out, {sender_of(message), 0, 0});
}

void SourceAddresses::append_recipient(std::string& out, std::uint64_t message,
                                       std::size_t index) const {
    AddressNumbers numbers{message, index + 1, 0};
    if (domains_) {
        LoadRandom random(seed_ + index, domains_stream + message);
        numbers.domain = domains_->pick(random);
    }
    to_[index % to_.size()].append_to(out, numbers);
}

}  // namespace sealgate

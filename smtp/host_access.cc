// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/host_access.h"

#include <algorithm>

#include "core/result.h"

namespace sealgate {
namespace {

// Addresses, ranges and networks of IPv4 have no letter, those of IPv6 a colon.
bool names_a_host(std::string_view pattern) {
    const bool has_letter = std::any_of(pattern.begin(), pattern.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
    return has_letter && pattern.find(':') == std::string_view::npos && pattern != "ALL";
}

}  // namespace

HostAccess::HostAccess(const Config& config, const ListenerOptions& listener)
    : default_policy_(&config.mail_flow_policies.at(listener.default_policy)) {
    for (const std::string& name : listener.sender_groups) {
        const auto group =
            std::find_if(config.sender_groups.begin(), config.sender_groups.end(),
                         [&](const SenderGroupOptions& known) { return known.name == name; });
        CHECK(group != config.sender_groups.end());
        const MailFlowPolicyOptions& policy = config.mail_flow_policies.at(group->policy);
        if (policy.action == MailFlowPolicyOptions::Action::continue_) continue;
        for (const std::string& host : group->hosts) {
            auto pattern = HostPattern::parse(host);
            CHECK(pattern.has_value());
            rows_.push_back({*std::move(pattern), names_a_host(host), &*group, &policy});
        }
    }
}

HostAccess::Match HostAccess::find(const IpAddress& client, std::string_view confirmed_host) const {
    for (const Row& row : rows_) {
        if (row.pattern.matches(client, confirmed_host)) {
            return {row.policy, row.group->name, row.pattern.text()};
        }
    }
    return {default_policy_, "ALL", "ALL"};
}

bool HostAccess::depends_on_name(const IpAddress& client) const {
    for (const Row& row : rows_) {
        if (row.is_name) return true;
        if (row.pattern.matches(client, {})) return false;
    }
    return false;
}

}  // namespace sealgate

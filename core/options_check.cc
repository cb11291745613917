// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/options_check.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "core/options_values.h"

namespace sealgate {

namespace {

// sun_path of struct sockaddr_un has 108 bytes on Linux, the last a NUL.
constexpr std::size_t socket_path_bytes_max = 107;

const char* to_text(Direction direction) {
    return direction == Direction::outgoing ? "outgoing" : "incoming";
}

struct Known {
    std::unordered_set<std::string> set;
    std::vector<std::string> names;
};

Known known_names(const Config& config, const std::string& kind_name) {
    Known known;
    for (const SectionKind& kind : option_sections()) {
        if (kind.kind != kind_name || !kind.each) continue;
        kind.each(config, [&](const std::string& name, const void*) {
            if (known.set.insert(name).second) known.names.push_back(name);
        });
    }
    return known;
}

void check_filter_directions(const Config& config, const std::vector<Reference>& references,
                             Complaints& complaints) {
    std::unordered_map<std::string, const ContentFilterOptions*> filters;
    for (const ContentFilterOptions& filter : config.content_filters)
        filters.emplace(filter.name, &filter);
    std::unordered_map<std::string, const MailPolicyOptions*> policies;
    for (const MailPolicyOptions& policy : config.mail_policies)
        policies.emplace(policy.name, &policy);
    for (const Reference& reference : references) {
        if (reference.row->refers != std::string("content-filter")) continue;
        const auto filter = filters.find(reference.to_name);
        const auto policy = policies.find(reference.from_name);
        if (filter == filters.end() || policy == policies.end()) continue;
        if (policy->second->any_direction || policy->second->direction == filter->second->direction)
            continue;
        complaints.push_back({reference.place.file, reference.place.line, 0,
                              "content-filters: [content-filter:" + reference.to_name +
                                  "] is for " + to_text(filter->second->direction) + " mail, " +
                                  reference.from->label(reference.from_name) + " for " +
                                  to_text(policy->second->direction)});
    }
}

void check_addresses(const Config& config, Complaints& complaints) {
    std::map<Endpoint, const ListenerOptions*> owners;
    for (const ListenerOptions& listener : config.listeners) {
        for (const Endpoint& endpoint : listener.addresses) {
            if (endpoint.port == 0) continue;  // the kernel chooses another one each time
            const auto [owner, fresh] = owners.try_emplace(endpoint, &listener);
            if (fresh) continue;
            complaints.push_back({listener.place.file, listener.place.line, 0,
                                  "[listener:" + listener.name +
                                      "] and [listener:" + owner->second->name +
                                      "] have the same address " + endpoint.to_text()});
        }
    }
}

// What is asked, and how; and sources that can give no key as things are, which is no fault: keys
// may come from the others.
void check_key_sources(const Config& config, Complaints& complaints, Complaints& warnings) {
    const bool has_anchors = !config.trust_smime.ca_files.empty() || config.trust_smime.ca_system;
    for (const auto& entry : config.directories) {
        const DirectoryOptions& directory = entry.second;
        const std::string label = "[directory:" + directory.name + "] ";
        const auto add = [&](Complaints& list, std::string what) {
            list.push_back({directory.place.file, directory.place.line, 0, label + what});
        };
        if (directory.bind_dn.empty() != directory.password_file.empty())
            add(complaints, directory.bind_dn.empty() ? "has a password-file without bind-dn"
                                                      : "has a bind-dn without password-file");
        if (directory.trust && !has_anchors)
            add(warnings, "finds no key: trust = yes, and [trust:smime] names no authorities");
    }
    if (!config.dns.trust_anchor_file.empty()) return;
    for (const auto& [name, profile] : config.sending_profiles) {
        const auto& sources = profile.key_sources;
        if (std::find(sources.begin(), sources.end(), "smimea") == sources.end()) continue;
        warnings.push_back(
            {profile.place.file, profile.place.line, 0,
             "[sending-profile:" + name +
                 "] finds no key by smimea: only answers signed by DNSSEC count, and "
                 "[dns] has no trust-anchor-file"});
    }
}

// Harvesting that takes nothing, or less than it says.
void check_harvesting(const Config& config, Complaints& warnings) {
    for (const auto& [name, policy] : config.mail_flow_policies) {
        if (!policy.smime_harvest) continue;
        const auto warn = [&, &name = name, &policy = policy](const char* what) {
            warnings.push_back({policy.place.file, policy.place.line, 0,
                                "[mail-flow-policy:" + name + "] " + what});
        };
        if (!policy.smime_verify_decrypt) warn("harvests nothing: smime-verify-decrypt = no");
        if (policy.smime_harvest_expired && !policy.smime_harvest_unverified)
            warn(
                "harvests no expired certificate: what they signed is not verified, and "
                "smime-harvest-unverified = no");
    }
}

}  // namespace

void check_references(const Config& config, const std::vector<Reference>& references,
                      Complaints& complaints) {
    std::map<std::string, Known> by_kind;
    for (const Reference& reference : references) {
        const std::string kind = reference.row->refers;
        auto known = by_kind.find(kind);
        if (known == by_kind.end()) known = by_kind.emplace(kind, known_names(config, kind)).first;
        if (known->second.set.count(reference.to_name)) continue;
        const std::string nearest = nearest_name(reference.to_name, known->second.names);
        complaints.push_back({reference.place.file, reference.place.line, 0,
                              std::string(reference.row->key) + ": there is no [" + kind + ":" +
                                  reference.to_name + "]" +
                                  (nearest.empty() ? "" : " (nearest known: " + nearest + ")")});
    }
    check_filter_directions(config, references, complaints);
}

void check_sections(const Config& config, Complaints& complaints, Complaints& warnings) {
    const auto complain = [&](const ConfigPlace& place, std::string what) {
        complaints.push_back({place.file, place.line, 0, std::move(what)});
    };
    const ConfigPlace whole{config.files.empty() ? "" : config.files.front(), 0};
    if (config.listeners.empty()) complain(whole, "there is no [listener:NAME]");
    check_addresses(config, complaints);
    check_key_sources(config, complaints, warnings);
    check_harvesting(config, warnings);
    if (config.gateway.control_socket.size() > socket_path_bytes_max)
        complain(whole, "control-socket " + in_quotes(config.gateway.control_socket) +
                            " is longer than a Unix socket's path may be (" +
                            std::to_string(socket_path_bytes_max) + " bytes)");
    for (const auto& [name, profile] : config.bounce_profiles)
        if (profile.retry_first_ms > profile.retry_max_ms)
            complain(profile.place, "[bounce-profile:" + name + "] has retry-first " +
                                        format_duration(profile.retry_first_ms) +
                                        " above retry-max " +
                                        format_duration(profile.retry_max_ms));
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/harvest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "core/metrics.h"
#include "core/text.h"
#include "crypto/key_ring_owner.h"

namespace sealgate {
namespace {

// Not a domain's note: those begin with '@'.
const std::string full_note = "repository-full";
constexpr std::int64_t full_told_every_seconds = 86'400;

// May mail be encrypted to it, by the policy.
bool is_takable(const Certificate& certificate, const MailFlowPolicyOptions& policy,
                std::int64_t now) {
    if (certificate.self_issued() && !policy.smime_harvest_self_signed) return false;
    const Reason reason = usable_for_encryption(certificate, now);
    return reason == Reason::ok || (reason == Reason::expired && policy.smime_harvest_expired);
}

// The certificate to take; null: none of them.
CertificatePtr choose(const SignerReport& signer, bool vouched, const MailFlowPolicyOptions& policy,
                      std::int64_t now) {
    if (!signer.certificate || signer.chain == Reason::revoked) return nullptr;
    const CertificatePtr& preferred = signer.encryption_certificate;
    // The attribute that names it is signed, the certificate of that name is not.
    const bool preferred_counts = preferred && signer.signature == Reason::ok &&
                                  (vouched ? signer.encryption_chain == Reason::ok
                                           : signer.encryption_chain != Reason::revoked);
    if (preferred_counts && is_takable(*preferred, policy, now)) return preferred;
    return is_takable(*signer.certificate, policy, now) ? signer.certificate : nullptr;
}

bool both_cover(const Certificate& a, const Certificate& b, const std::string& address) {
    return !address.empty() && a.covers(address) && b.covers(address);
}

// Whose key it is: what the signer's certificate names and the one to take covers.
std::vector<std::string> owners_of(const Certificate& signer, const Certificate& taken,
                                   const SignedMail& mail, bool vouched) {
    const std::string from = lower_case(mail.from);
    const bool is_from = both_cover(signer, taken, from);
    if (!vouched) return is_from ? std::vector{from} : std::vector<std::string>{};
    std::vector<std::string> owners = owners_of_certificate(signer);
    std::erase_if(owners, [&](const std::string& owner) { return !names_owner(taken, owner); });
    // A domain's certificate that names a person's own to encrypt to.
    if (owners.empty() && is_from) owners.push_back(from);
    if (owners.size() <= Harvester::owners_max) return owners;
    const std::string domain = domain_owner(from);
    std::stable_partition(owners.begin(), owners.end(), [&](const std::string& owner) {
        return owner == from || owner == domain;
    });
    owners.resize(Harvester::owners_max);
    return owners;
}

// What the signature says, else what the certificate says (RFC 4262).
SmimeCapabilities capabilities_from(const SignerReport& signer, const Certificate& taken) {
    const bool said = signer.signature == Reason::ok && signer.capabilities.known;
    return said ? signer.capabilities : capabilities_of(taken);
}

std::int64_t signing_time_of(const SignerReport& signer, std::int64_t now) {
    return signer.signing_time > 0 ? std::min(signer.signing_time, now) : now;
}

// "b@mail.example.net", "@mail.example.net", "@*.mail.example.net" → "mail.example.net".
std::string domain_of(std::string_view owner) {
    owner.remove_prefix(owner.rfind('@') + 1);
    if (owner.starts_with("*.")) owner.remove_prefix(2);
    return std::string(owner);
}

}  // namespace

// What one SignerInfo gives.
struct Harvester::Find {
    CertificatePtr certificate;
    SmimeCapabilities capabilities;
    std::int64_t signing_time = 0;
    std::vector<std::string> owners;
    bool verified = false;
};

struct Harvester::Replaced {
    std::string owner;
    CertificatePtr certificate;
    MessageId mid = 0;
};

Harvester::Harvester(KeyRing& ring, Alerts& alerts, MailLog& log, Clock clock)
    : ring_(ring), alerts_(alerts), log_(log), clock_(std::move(clock)), updates_(ring, clock_()) {
    (void)ring_.each_note([this](std::string_view name, std::string_view value) {
        if (name == full_note)
            std::from_chars(value.data(), value.data() + value.size(), full_told_);
    });
    ring_.on_eviction([this] { on_eviction(); });
}

Harvester::~Harvester() { ring_.on_eviction({}); }

std::size_t Harvester::harvest(const SignedMail& mail, const std::vector<LayerReport>& layers,
                               const MailFlowPolicyOptions& policy) {
    if (!policy.smime_harvest) return 0;
    const std::int64_t now = clock_();
    std::size_t taken = 0;
    std::vector<Replaced> replaced;
    for (const LayerReport& layer : layers) {
        if (layer.type != LayerReport::Type::signed_) continue;
        for (const SignerReport& signer : layer.signers) {
            const bool vouched =
                mail.verified && signer.signature == Reason::ok && signer.chain == Reason::ok;
            if (!vouched && !policy.smime_harvest_unverified) continue;
            Find find;
            find.certificate = choose(signer, vouched, policy, now);
            if (!find.certificate) continue;
            find.capabilities = capabilities_from(signer, *find.certificate);
            find.signing_time = signing_time_of(signer, now);
            find.owners = owners_of(*signer.certificate, *find.certificate, mail, vouched);
            find.verified = vouched;
            taken += take(mail, find, policy, replaced);
        }
    }
    tell_of(replaced);
    return taken;
}

std::size_t Harvester::take(const SignedMail& mail, const Find& find,
                            const MailFlowPolicyOptions& policy, std::vector<Replaced>& replaced) {
    using Harvest = KeyRing::Harvest;
    const auto replace =
        policy.smime_harvest_updates ? KeyRing::Replace::newer : KeyRing::Replace::never;
    std::size_t taken = 0;
    for (const std::string& owner : find.owners) {
        const Harvest outcome = ring_.harvest({owner, find.certificate, find.capabilities,
                                               find.signing_time, clock_(), find.verified},
                                              replace);
        if (outcome != Harvest::added && outcome != Harvest::replaced) continue;
        ++taken;
        Metrics::instance().add(Counter::keys_harvested);
        log_.info("MID {} S/MIME harvested key of {} serial {} ({})", mail.mid, printable(owner),
                  find.certificate->serial(), outcome == Harvest::added ? "new" : "updated");
        if (outcome == Harvest::replaced) replaced.push_back({owner, find.certificate, mail.mid});
    }
    return taken;
}

// One certificate under several addresses is one key.
void Harvester::tell_of(const std::vector<Replaced>& replaced) {
    std::map<std::string, std::set<const Certificate*>> by_domain;
    for (const Replaced& key : replaced) {
        const std::string domain = domain_of(key.owner);
        by_domain[domain].insert(key.certificate.get());
    }
    for (const auto& of_domain : by_domain) {
        const std::string& domain = of_domain.first;
        const auto& certificates = of_domain.second;
        if (!updates_.on_replaced(domain, certificates.size(), clock_())) continue;
        const auto last = std::find_if(replaced.rbegin(), replaced.rend(), [&](const auto& key) {
            return domain_of(key.owner) == domain;
        });
        alerts_.raise(AlertName::key_updated_often, domain, Alerts::Severity::warning,
                      fmt::format("keys of {} were replaced more than once within 48 hours, last "
                                  "that of {} (serial {}, MID {})",
                                  printable(domain), printable(last->owner),
                                  last->certificate->serial(), last->mid));
    }
}

void Harvester::on_eviction() {
    const std::int64_t now = clock_();
    if (full_told_ > 0 && now - full_told_ < full_told_every_seconds) return;
    full_told_ = now;
    ring_.write_note(full_note, std::to_string(now));
    alerts_.raise(AlertName::key_repository_full, "key-repository", Alerts::Severity::warning,
                  fmt::format("the repository of harvested keys is full ([key-repository] capacity "
                              "= {}M): keys not used for longest are given up",
                              ring_.statistics().capacity_bytes >> 20));
}

}  // namespace sealgate

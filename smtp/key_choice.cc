// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/key_choice.h"

#include <algorithm>
#include <utility>

#include "core/text.h"
#include "smtp/path.h"

namespace sealgate {
namespace {

Reason judge_alone(const Certificate& certificate, const KeyChoice& choice) {
    if (!certificate.covers(choice.address)) return Reason::no_certificate;
    if (const Reason use = certificate.may_encrypt(); use != Reason::ok) return use;
    return certificate.valid_at(choice.wall_seconds);
}

std::string counted(std::size_t count) {
    return std::to_string(count) + (count == 1 ? " certificate" : " certificates");
}

KeyAnswer refused_all(const KeyChoice& choice, std::size_t count, const TrustVerdict& verdict) {
    std::string why = choice.source + ": ";
    if (count == 0) {
        why += "no certificate";
    } else if (verdict.reason == Reason::no_certificate) {
        why += counted(count) + ", none for this address";
    } else {
        why += counted(count) + ", none usable (" + to_word(verdict.reason);
        if (!verdict.why.empty()) why += ": " + verdict.why;
        why += ')';
    }
    return {KeyAnswer::Outcome::none, {}, std::move(why)};
}

}  // namespace

TrustJudge judge_by(std::shared_ptr<const TrustAnchors> anchors) {
    return [anchors = std::move(anchors)](const CertificatePtr& leaf,
                                          const std::vector<CertificatePtr>& others,
                                          std::int64_t wall_seconds) {
        return anchors->judge(leaf, others, wall_seconds, TrustPurpose::smime_encryption);
    };
}

TrustJudge trust_nobody() {
    return [](const CertificatePtr&, const std::vector<CertificatePtr>&, std::int64_t) {
        return TrustVerdict{Reason::untrusted, "no authority is trusted"};
    };
}

RecipientKey::Match match_of(const Certificate& certificate, std::string_view address) {
    using Match = RecipientKey::Match;
    for (const std::string& email : certificate.emails()) {
        if (equal_ignoring_case(email, address)) return Match::address;
    }
    const std::string_view domain = address_domain(address);
    for (const std::string& pattern : certificate.domains()) {
        if (equal_ignoring_case(pattern, domain)) return Match::domain;
    }
    return Match::wildcard;
}

KeyAnswer choose_key(const KeyChoice& choice, RecipientKey::Source source,
                     const std::vector<CertificatePtr>& certificates) {
    std::vector<CertificatePtr> usable;
    // Of one that is for this address, if there is one.
    TrustVerdict verdict{Reason::no_certificate, ""};
    for (const CertificatePtr& certificate : certificates) {
        const Reason alone = judge_alone(*certificate, choice);
        if (alone == Reason::ok) usable.push_back(certificate);
        if (alone != Reason::ok && alone != Reason::no_certificate) verdict.reason = alone;
    }
    std::stable_sort(usable.begin(), usable.end(),
                     [](const CertificatePtr& a, const CertificatePtr& b) {
                         return a->not_before() > b->not_before();
                     });
    for (const CertificatePtr& certificate : usable) {
        if (choice.judge) {
            verdict = choice.judge(certificate, certificates, choice.wall_seconds);
            if (verdict.reason != Reason::ok) continue;
        }
        KeyAnswer answer{KeyAnswer::Outcome::found, {}, choice.source};
        answer.key.certificate = certificate;
        answer.key.capabilities = capabilities_of(*certificate);
        answer.key.source = source;
        answer.key.match = match_of(*certificate, choice.address);
        answer.key.name = choice.name;
        answer.why += ": serial " + certificate->serial();
        return answer;
    }
    return refused_all(choice, certificates.size(), verdict);
}

}  // namespace sealgate

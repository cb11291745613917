// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/directory_answer.h"

#include "core/limits.h"
#include "crypto/certificate_bundle.h"
#include "crypto/digest.h"
#include "crypto/ldap_entry.h"

namespace sealgate {
namespace {

using Outcome = KeyAnswer::Outcome;
using Source = RecipientKey::Source;

KeyAnswer none(const KeyChoice& choice, const char* what) {
    return {Outcome::none, {}, choice.source + ": " + what};
}

// False: the bytes hold no certificate.
bool append_certificates(std::string_view bytes, std::vector<CertificatePtr>& certificates) {
    auto read = read_certificates(as_bytes(bytes));
    if (!read) return false;
    for (CertificatePtr& certificate : *read) {
        if (certificates.size() == limits::directory_certificates_max) break;
        certificates.push_back(std::move(certificate));
    }
    return true;
}

}  // namespace

KeyAnswer key_of_entries(const KeyChoice& choice, const std::string& body) {
    std::vector<CertificatePtr> certificates;
    std::size_t unreadable_count = 0;
    for (const LdapValue& value : read_ldap_values(body, limits::directory_certificates_max)) {
        unreadable_count += !append_certificates(value.bytes, certificates);
    }
    if (certificates.empty() && unreadable_count > 0) {
        return none(choice, "its values are no certificates");
    }
    return choose_key(choice, Source::directory, certificates);
}

KeyAnswer key_of_file(const KeyChoice& choice, const std::string& body) {
    std::vector<CertificatePtr> certificates;
    if (!body.empty() && !append_certificates(body, certificates)) {
        return {Outcome::temporary, {}, choice.source + ": its answer is no certificate"};
    }
    return choose_key(choice, Source::directory, certificates);
}

KeyAnswer key_of_records(KeyChoice choice, const TrustJudge& trust,
                         const std::vector<SmimeaRecord>& records) {
    std::vector<CertificatePtr> by_dns, by_chain;  // what makes them trusted
    bool unreadable = false;
    for (const SmimeaRecord& record : records) {
        if (!record.is_recipient_certificate()) continue;
        auto certificate = Certificate::parse(record.data);
        if (!certificate) {
            unreadable = true;
        } else {
            const bool proof = record.usage == SmimeaRecord::dane_ee;
            (proof ? by_dns : by_chain).push_back(*std::move(certificate));
        }
    }
    if (by_dns.empty() && by_chain.empty()) {
        return none(choice, unreadable ? "its records are no certificates"
                                       : "no record holds a whole certificate of the recipient");
    }
    choice.judge = nullptr;
    KeyAnswer answer = choose_key(choice, Source::smimea, by_dns);
    if (answer.outcome == Outcome::found || by_chain.empty()) return answer;
    choice.judge = trust ? trust : trust_nobody();
    return choose_key(choice, Source::smimea, by_chain);
}

Result<std::string> smimea_name_of(std::string_view address) {
    const std::size_t at = address.rfind('@');
    if (at == address.npos) return malformed("no mail address");
    const std::string local = smimea_local_part(address.substr(0, at));
    return smimea_name(digest_of(DigestAlgorithm::sha256, as_bytes(local)).bytes(),
                       address.substr(at + 1));
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/key_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ctime>

#include "crypto/certificate_text.h"
#include "crypto/digest.h"
#include "crypto/pem.h"

namespace sealgate {
namespace {

using nlohmann::json;

std::string time_text(std::int64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm calendar{};
    char text[32] = "";
    if (gmtime_r(&time, &calendar) != nullptr)
        std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &calendar);
    return text;
}

json capabilities_json(const SmimeCapabilities& capabilities) {
    json names = json::array();
    if (!capabilities.known) return nullptr;
    for (const ContentCipher cipher : {ContentCipher::aes_256_gcm, ContentCipher::aes_128_gcm,
                                       ContentCipher::aes_256_cbc, ContentCipher::aes_128_cbc})
        if (capabilities.reads(cipher)) names.push_back(to_text(cipher));
    if (capabilities.rsa_oaep) names.push_back("rsa-oaep");
    return names;
}

json to_json(const Certificate& certificate, const SmimeCapabilities& capabilities) {
    const Reason reason = usable_for_encryption(certificate, std::time(nullptr));
    return {
        {"subject", certificate.subject()},
        {"issuer", certificate.issuer()},
        {"serial", certificate.serial()},
        {"self_signed", certificate.self_issued()},
        {"emails", certificate.emails()},
        {"domains", certificate.domains()},
        {"key", to_text(certificate.key_kind())},
        {"bits", certificate.key_bits()},
        {"not_before", time_text(certificate.not_before())},
        {"not_after", time_text(certificate.not_after())},
        {"usable", to_word(reason)},
        {"capabilities", capabilities_json(capabilities)},
        {"sha256", to_hexadecimal(digest_of(DigestAlgorithm::sha256, certificate.der()).bytes())}};
}

}  // namespace

json to_json(const KeyRing::Manual& key) {
    json row = to_json(*key.certificate, key.capabilities);
    row["name"] = key.name;
    return row;
}

json to_json(const KeyRing::Harvested& key) {
    json row = to_json(*key.certificate, key.capabilities);
    row["owner"] = key.owner;
    row["signing_time"] = time_text(key.signing_time);
    row["last_used"] = time_text(key.last_used);
    row["verified"] = key.verified;
    return row;
}

std::string pem_of(const Certificate& certificate) {
    const SecureBytes pem = write_pem("CERTIFICATE", certificate.der());
    return std::string(as_text(pem.bytes()));
}

// For the operator who wants to add it.
std::string why_not_usable(const Certificate& certificate, Reason reason) {
    switch (reason) {
    case Reason::bad_key_usage:
        return certificate.key_kind() == KeyKind::ed25519
                   ? "an Ed25519 key can only sign"
                   : "it may not be used to encrypt mail: its keyUsage lacks keyEncipherment (RSA) "
                     "or keyAgreement (EC), or its extendedKeyUsage lacks emailProtection";
    case Reason::weak_key:
        return fmt::format("its RSA key has {} bits, at least 2048 are wanted",
                           certificate.key_bits());
    case Reason::unsupported_algorithm:
        return certificate.key_kind() == KeyKind::rsa
                   ? fmt::format("its RSA key has {} bits, at most 4096 are supported",
                                 certificate.key_bits())
                   : "its kind of key is not supported: RSA, P-256, P-384 and X25519 are";
    case Reason::expired:
        return fmt::format("it expired at {}", time_text(certificate.not_after()));
    case Reason::not_yet_valid:
        return fmt::format("it is not valid before {}", time_text(certificate.not_before()));
    case Reason::no_certificate:
        return "it names neither an e-mail address nor a domain, so it is nobody's";
    default: return to_sentence(reason);
    }
}

}  // namespace sealgate

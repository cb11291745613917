// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/cert_report.h"

#include <fmt/format.h>

#include <ctime>

#include "crypto/certificate_text.h"
#include "crypto/digest.h"

namespace sealgate {
namespace {

using nlohmann::json;

std::string formatted(std::int64_t seconds, const char* format) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm calendar{};
    char text[64] = "";
    if (gmtime_r(&time, &calendar) != nullptr) std::strftime(text, sizeof text, format, &calendar);
    return text;
}

std::string fingerprint(const Certificate& certificate) {
    return to_hexadecimal(digest_of(DigestAlgorithm::sha256, certificate.der()).bytes());
}

std::string joined(const std::vector<std::string>& words, const char* none) {
    std::string text;
    for (const std::string& word : words) {
        if (!text.empty()) text += ", ";
        text += word;
    }
    return text.empty() ? none : text;
}

std::string reason_text(Reason reason) {
    return reason == Reason::ok ? "yes"
                                : fmt::format("no: {} ({})", to_word(reason), to_sentence(reason));
}

// What it can be used for, in a word.
std::string use_text(const Certificate& certificate) {
    const bool signs = certificate.may_sign() == Reason::ok;
    const bool encrypts = certificate.may_encrypt() == Reason::ok;
    return signs && encrypts ? "sign,encrypt" : signs ? "sign" : encrypts ? "encrypt" : "-";
}

std::string cut(const std::string& text, std::size_t characters_max) {
    std::size_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
        if (characters++ == characters_max) return text.substr(0, i) + "…";
    }
    return text;
}

void print_row(const char* label, const std::string& value) {
    fmt::print("{:<12} {}\n", label, value);
}

}  // namespace

std::string time_text(std::int64_t seconds) { return formatted(seconds, "%Y-%m-%d %H:%M:%S UTC"); }
std::string time_json(std::int64_t seconds) { return formatted(seconds, "%Y-%m-%dT%H:%M:%SZ"); }

std::int64_t days_left(const Certificate& certificate) {
    const std::int64_t seconds = certificate.not_after() - std::time(nullptr);
    return seconds >= 0 ? seconds / 86400 : -1 - (-1 - seconds) / 86400;
}

json to_json(const CatalogEntry& entry) {
    json row = {{"name", entry.name}, {"where", entry.where}, {"used_by", entry.used_by}};
    if (!entry.bundle) {
        row["error"] = entry.bundle.error().what;
        return row;
    }
    const Certificate& leaf = *entry.bundle->leaf;
    json chain = json::array();
    for (const CertificatePtr& issuer : entry.bundle->chain) chain.push_back(issuer->subject());
    row.update({{"subject", leaf.subject()},
                {"issuer", leaf.issuer()},
                {"common_name", leaf.common_name()},
                {"serial", leaf.serial()},
                {"self_signed", leaf.self_issued()},
                {"emails", leaf.emails()},
                {"domains", leaf.domains()},
                {"key", to_text(leaf.key_kind())},
                {"bits", leaf.key_bits()},
                {"not_before", time_json(leaf.not_before())},
                {"not_after", time_json(leaf.not_after())},
                {"days_left", days_left(leaf)},
                {"validity", to_word(leaf.valid_at(std::time(nullptr)))},
                {"may_sign", to_word(leaf.may_sign())},
                {"may_encrypt", to_word(leaf.may_encrypt())},
                {"sha256", fingerprint(leaf)},
                {"chain", chain},
                {"request_pending", entry.has_request}});
    return row;
}

void print_details(const CatalogEntry& entry) {
    const Certificate& leaf = *entry.bundle->leaf;
    const Reason validity = leaf.valid_at(std::time(nullptr));
    print_row("name", entry.name);
    print_row("subject", leaf.subject());
    print_row("issuer", leaf.self_issued() ? "itself" : leaf.issuer());
    print_row("serial", leaf.serial());
    print_row("e-mail", joined(leaf.emails(), "-"));
    print_row("domains", joined(leaf.domains(), "-"));
    print_row("key", fmt::format("{}, {} bits", to_text(leaf.key_kind()), leaf.key_bits()));
    print_row("valid from", time_text(leaf.not_before()));
    print_row("valid until",
              fmt::format("{} ({})", time_text(leaf.not_after()),
                          validity == Reason::ok ? fmt::format("{} days left", days_left(leaf))
                                                 : std::string(to_word(validity))));
    print_row("may sign", reason_text(leaf.may_sign()));
    print_row("may encrypt", reason_text(leaf.may_encrypt()));
    print_row("sha256", fingerprint(leaf));
    for (const CertificatePtr& issuer : entry.bundle->chain) print_row("chain", issuer->subject());
    print_row("used by", joined(entry.used_by, "nothing"));
    print_row(entry.is_section ? "file" : "folder", entry.where);
    if (entry.has_request) print_row("request", "pending (csr.pem); `cert replace` ends it");
}

void print_table(const std::vector<CatalogEntry>& entries) {
    fmt::print("{:<20} {:<24} {:<24} {:<8} {:<13} {:>9}\n", "NAME", "COMMON NAME", "ISSUER", "KEY",
               "USE", "DAYS LEFT");
    for (const CatalogEntry& entry : entries) {
        if (!entry.bundle) {
            fmt::print("{:<20} {}\n", entry.name, entry.bundle.error().what);
            continue;
        }
        const Certificate& leaf = *entry.bundle->leaf;
        const std::string issuer = leaf.self_issued() ? "(itself)" : leaf.issuer();
        fmt::print("{:<20} {:<24} {:<24} {:<8} {:<13} {:>9}\n", entry.name,
                   cut(leaf.common_name(), 23), cut(issuer, 23), to_text(leaf.key_kind()),
                   use_text(leaf), days_left(leaf));
    }
}

std::vector<std::string> warnings_of(const CertificateBundle& bundle) {
    std::vector<std::string> warnings;
    const Certificate& leaf = *bundle.leaf;
    const Reason validity = leaf.valid_at(std::time(nullptr));
    if (validity != Reason::ok) warnings.emplace_back(to_sentence(validity));
    if (leaf.may_sign() != Reason::ok) {
        warnings.push_back(fmt::format("it may not sign: {}", to_word(leaf.may_sign())));
    } else if (leaf.emails().empty() && leaf.domains().empty()) {
        warnings.emplace_back(
            "it names neither an e-mail address nor a domain, so it covers no "
            "sender");
    } else if (leaf.has_non_repudiation_only()) {
        warnings.emplace_back(
            "its keyUsage has nonRepudiation and not digitalSignature; some mail "
            "programs will not accept its signatures");
    }
    if (bundle.other_keys_count > 0) {
        warnings.push_back(
            fmt::format("{} other private key(s) of the file were left out; --serial "
                        "chooses another",
                        bundle.other_keys_count));
    }
    if (!bundle.unused.empty()) {
        warnings.push_back(
            fmt::format("{} certificate(s) of the file do not belong to the chain "
                        "and were left out",
                        bundle.unused.size()));
    }
    return warnings;
}

}  // namespace sealgate

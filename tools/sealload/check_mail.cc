// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/check_mail.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/limits.h"
#include "core/text.h"
#include "crypto/digest.h"
#include "smtp/header.h"

namespace sealgate {
namespace {

constexpr const char* form_words[] = {"plain",        "signed", "encrypted",
                                      "sign-encrypt", "triple", "other"};
constexpr std::string_view digest_field = "X-Sealload-Digest";

// No more than the header is copied, where it ends as headers do.
Header header_of(std::string_view content) {
    std::size_t bytes = content.find("\r\n\r\n");
    bytes = bytes == std::string_view::npos ? content.size() : bytes + 4;
    return Header::parse(
        Chunk::copy_of(content.substr(0, std::min(bytes, 2 * limits::header_bytes_max))));
}

std::string digest_of_body(std::string_view entity) {
    const std::size_t blank = entity.starts_with("\r\n") ? 0 : entity.find("\r\n\r\n");
    if (blank == std::string_view::npos) return "";
    const std::string_view body = entity.substr(blank == 0 ? 2 : blank + 4);
    std::string hex;
    const DigestValue digest = digest_of(DigestAlgorithm::sha256, as_bytes(body));
    for (const std::uint8_t byte : digest.bytes()) hex += fmt::format("{:02x}", byte);
    return "sha256=" + hex;
}

// What the source says the body's digest is: outside, or inside of what it made S/MIME itself.
std::string promised_digest(std::string_view content, const OpenedMail& mail) {
    std::string promised = header_of(content).value_of(digest_field);
    for (const CmsLayer& layer : mail.layers) {
        if (promised.empty()) promised = header_of(layer.content).value_of(digest_field);
    }
    return promised;
}

// A mail that was S/MIME when it was sent keeps its body at that layer, so all are tried.
bool has_digest(std::string_view content, const OpenedMail& mail, const std::string& wanted) {
    if (digest_of_body(content) == wanted) return true;
    return std::any_of(mail.layers.begin(), mail.layers.end(), [&](const CmsLayer& layer) {
        return digest_of_body(layer.content) == wanted;
    });
}

std::string join(const std::vector<std::string>& words, const char* between) {
    return fmt::format("{}", fmt::join(words, between));
}

std::string text_of(const CmsLayer& layer) {
    if (layer.kind == CmsLayer::Kind::encrypted)
        return layer.cipher.empty() ? "encrypted" : "encrypted " + layer.cipher;
    return layer.detached ? "signed detached" : "signed opaque";
}

// "a@x.example" covers that address; a DNS name every address of its domain, "*." one label more.
bool covers(const std::string& name, const std::string& address) {
    if (name.find('@') != std::string::npos) return equal_ignoring_case(name, address);
    const std::size_t at = address.rfind('@');
    if (at == std::string::npos) return false;
    std::string_view domain = std::string_view(address).substr(at + 1);
    std::string_view wanted = name;
    if (wanted.starts_with("*.")) {
        wanted.remove_prefix(2);
        const std::size_t dot = domain.find('.');
        if (dot == std::string_view::npos) return false;
        domain.remove_prefix(dot + 1);
    }
    return equal_ignoring_case(wanted, domain);
}

}  // namespace

const char* to_word(MailForm form) { return form_words[static_cast<std::size_t>(form)]; }

std::optional<MailForm> mail_form_of(std::string_view word) {
    for (std::size_t i = 0; i < std::size(form_words); ++i) {
        if (word == form_words[i]) return static_cast<MailForm>(i);
    }
    return std::nullopt;
}

MailForm mail_form_of(const std::vector<CmsLayer>& layers) {
    std::string kinds;
    for (const CmsLayer& layer : layers)
        kinds += layer.kind == CmsLayer::Kind::encrypted ? 'e' : 's';
    if (kinds.empty()) return MailForm::plain;
    if (kinds == "s") return MailForm::signed_;
    if (kinds == "e") return MailForm::encrypted;
    if (kinds == "es") return MailForm::sign_encrypt;
    if (kinds == "ses") return MailForm::triple;
    return MailForm::other;
}

ReceivedLine identify(const std::string& sender, std::string_view content) {
    const Header header = header_of(content);
    ReceivedLine line;
    line.sender = sender;
    line.message_id = header.message_id();
    line.dsn = sender.empty() &&
               lower_case(header.value_of("Content-Type")).starts_with("multipart/report");
    if (line.dsn) line.about = header.value_of("References");
    return line;
}

void MailCheck::judge(ReceivedLine& line, std::string_view content) const {
    const OpenedMail mail = judge_->open(content);
    const MailForm form = mail_form_of(mail.layers);
    std::vector<std::string> layers;
    std::vector<std::string> openers;
    for (const CmsLayer& layer : mail.layers) {
        layers.push_back(text_of(layer));
        openers.insert(openers.end(), layer.opened_by.begin(), layer.opened_by.end());
    }
    line.form = to_word(form);
    line.layers = join(layers, ", ");
    line.opened_by = join(openers, ",");
    const std::string promised = promised_digest(content, mail);
    // What could not be opened may hold anything: nothing is said about its body.
    if (!promised.empty() && mail.ok)
        line.body = has_digest(content, mail, promised) ? "same" : "altered";
    const std::string why = why_not(line, mail, form);
    line.verdict = why.empty() ? "verified" : "failed: " + why;
}

std::string MailCheck::why_not(const ReceivedLine& line, const OpenedMail& mail,
                               MailForm form) const {
    if (!mail.ok) return mail.why;
    if (options_.expected.empty() && form == MailForm::plain) return "not an S/MIME message";
    if (!options_.expected.empty() && std::find(options_.expected.begin(), options_.expected.end(),
                                                form) == options_.expected.end())
        return "it is " + line.form + (line.layers.empty() ? "" : " (" + line.layers + ")") +
               ", which was not expected";
    if (line.body == "altered") return "the body is not the one that was sent";
    if (!options_.only_recipients) return "";
    for (const CmsLayer& layer : mail.layers) {
        for (const CmsRecipient& recipient : layer.recipients) {
            if (!is_allowed(recipient, line))
                return "encrypted for " +
                       (recipient.names.empty() ? recipient.id : join(recipient.names, ",")) +
                       ", who is no recipient";
        }
    }
    return "";
}

bool MailCheck::is_allowed(const CmsRecipient& recipient, const ReceivedLine& line) const {
    const auto covered = [&](const std::vector<std::string>& addresses) {
        return std::any_of(addresses.begin(), addresses.end(), [&](const std::string& address) {
            return std::any_of(recipient.names.begin(), recipient.names.end(),
                               [&](const std::string& name) { return covers(name, address); });
        });
    };
    return covered(line.recipients) || covered(options_.also_allowed);
}

}  // namespace sealgate

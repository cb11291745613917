// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/smime_report.h"

#include <fmt/format.h>

#include "core/mail_log.h"
#include "tools/sealgate/cert_report.h"

namespace sealgate {
namespace {

using nlohmann::json;
using Type = LayerReport::Type;

const char* type_word(Type type) {
    switch (type) {
    case Type::signed_: return "signed";
    case Type::encrypted: return "encrypted";
    case Type::other: return "other";
    }
    return "";
}

const char* sign_mode(const LayerReport& layer) { return layer.detached ? "detached" : "opaque"; }

// More than the reason word, where there is more.
std::string why_of(const LayerReport& layer) {
    if (!layer.why.empty()) return layer.why;
    return layer.weak_cipher ? layer.cipher + " is weak: it is read, and should not be written"
                             : "";
}

std::string why_of(const SmimeFileVerdict& verdict) {
    if (!verdict.smime.why.empty()) return verdict.smime.why;
    if (verdict.coverage == SmimeCoverage::part)
        return "there is S/MIME below the root only, which is not processed";
    if (verdict.coverage == SmimeCoverage::none) return "the message is not S/MIME";
    if (verdict.sender && verdict.sender->empty() && verdict.smime.has_signature())
        return "there is no single sender to be covered";
    return "";
}

void add_why(json& row, const std::string& why) {
    if (!why.empty()) row["why"] = why;
}

json signer_json(const SignerReport& signer) {
    json row = {{"subject", ""},
                {"serial", ""},
                {"emails", json::array()},
                {"domains", json::array()},
                {"digest", signer.digest},
                {"scheme", signer.scheme},
                {"signing_time", nullptr},
                {"signature", to_word(signer.signature)},
                {"chain", to_word(signer.chain)},
                {"identity", to_word(signer.identity)},
                {"reason", to_word(signer.reason())}};
    if (const CertificatePtr& certificate = signer.certificate) {
        row["subject"] = certificate->subject();
        row["serial"] = certificate->serial();
        row["emails"] = certificate->emails();
        row["domains"] = certificate->domains();
    } else {
        row["identifier"] = signer.identifier;
    }
    if (signer.signing_time != 0) row["signing_time"] = time_json(signer.signing_time);
    add_why(row, signer.why);
    return row;
}

json layer_json(const LayerReport& layer) {
    json row = {{"type", type_word(layer.type)},
                {"content_type", layer.content_type},
                {"reason", to_word(layer.reason)}};
    switch (layer.type) {
    case Type::signed_:
        row["sign_mode"] = sign_mode(layer);
        row["signers"] = json::array();
        for (const SignerReport& signer : layer.signers)
            row["signers"].push_back(signer_json(signer));
        break;
    case Type::encrypted:
        row["cipher"] = layer.cipher;
        row["key_transport"] = layer.key_transport;
        row["recipient_serial"] = layer.recipient_serial;
        break;
    case Type::other: break;
    }
    add_why(row, why_of(layer));
    return row;
}

// --- for people ----------------------------------------------------------------------------------

std::string reason_text(Reason reason, const std::string& why) {
    if (reason == Reason::ok) return "ok";
    return fmt::format("{} ({})", to_word(reason), why.empty() ? to_sentence(reason) : why);
}

class Lines {
public:
    void heading(const std::string& text) { text_ += "\n" + text + "\n"; }
    void line(const char* label, const std::string& value) {
        if (!value.empty()) text_ += fmt::format("  {:<14} {}\n", label, printable(value, 1000));
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

std::string joined(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, ", "));
}

void tell_signer(Lines& lines, const SignerReport& signer) {
    if (const CertificatePtr& certificate = signer.certificate) {
        lines.line("signer", certificate->subject());
        lines.line("serial", certificate->serial());
        lines.line("e-mail", joined(certificate->emails()));
        lines.line("domains", joined(certificate->domains()));
        lines.line("issuer", certificate->issuer());
    } else {
        lines.line("signer", signer.identifier + ", whose certificate is not there");
    }
    lines.line("algorithms", signer.digest + ", " + signer.scheme);
    if (signer.signing_time != 0) lines.line("signed at", time_text(signer.signing_time));
    bool told = false;  // why; it is of the first that is not ok
    for (const auto& [label, reason] : {std::pair{"signature", signer.signature},
                                        {"chain", signer.chain},
                                        {"identity", signer.identity}}) {
        lines.line(label, told ? to_word(reason) : reason_text(reason, signer.why));
        told = told || reason != Reason::ok;
    }
}

void tell_layer(Lines& lines, const LayerReport& layer, std::size_t number) {
    const std::string content = layer.content_type.empty() ? "" : " (" + layer.content_type + ")";
    switch (layer.type) {
    case Type::signed_:
        lines.heading(fmt::format("layer {}: signed, {}{}", number, sign_mode(layer), content));
        for (const SignerReport& signer : layer.signers) tell_signer(lines, signer);
        if (layer.signers.size() != 1 || layer.reason != layer.signers.front().reason())
            lines.line("all of it", reason_text(layer.reason, layer.why));
        break;
    case Type::encrypted:
        lines.heading(fmt::format("layer {}: encrypted{}", number, content));
        lines.line("cipher", layer.cipher);
        lines.line("key transport", layer.key_transport);
        lines.line("our key", layer.recipient_serial.empty()
                                  ? ""
                                  : "of the certificate with serial " + layer.recipient_serial);
        lines.line("opened", reason_text(layer.reason, layer.why));
        if (layer.reason == Reason::ok) lines.line("note", why_of(layer));
        break;
    case Type::other:
        lines.heading(fmt::format("layer {}: not readable{}", number, content));
        lines.line("opened", reason_text(layer.reason, layer.why));
        break;
    }
}

std::string decrypted_text(const SmimeVerdict& verdict) {
    std::size_t encrypted = 0, opened = 0;
    for (const LayerReport& layer : verdict.layers) {
        if (layer.type != Type::encrypted) continue;
        ++encrypted;
        if (layer.reason == Reason::ok) ++opened;
    }
    if (encrypted == 0) return "no: nothing that was read is encrypted";
    return fmt::format("{}: {} of {} encrypted layer(s)", opened == encrypted ? "yes" : "no",
                       opened, encrypted);
}

std::string sender_text(const SmimeFileVerdict& verdict) {
    if (!verdict.sender) return "anybody";
    return verdict.sender->empty() ? "nobody: there is no single address" : *verdict.sender;
}

}  // namespace

json to_json(const SmimeFileVerdict& verdict) {
    json layers = json::array();
    for (const LayerReport& layer : verdict.smime.layers) layers.push_back(layer_json(layer));
    json answer = {{"smime", verdict.smime.is_smime},
                   {"verified", verdict.smime.is_smime && verdict.smime.verified},
                   {"result", to_word(verdict.smime.result)},
                   {"reason", to_word(verdict.smime.reason)},
                   {"coverage", to_word(verdict.coverage)},
                   {"layers", std::move(layers)}};
    add_why(answer, why_of(verdict));
    return answer;
}

std::string smime_report_text(const SmimeFileVerdict& verdict, SmimeQuestion question) {
    const SmimeVerdict& smime = verdict.smime;
    Lines lines;
    const bool verified = smime.is_smime && smime.verified;
    if (question == SmimeQuestion::decrypt) lines.line("decrypted", decrypted_text(smime));
    const std::string why = why_of(verdict);
    lines.line("verified", verified         ? "yes"
                           : smime.is_smime ? "no: " + reason_text(smime.reason, why)
                                            : "no: " + why);
    lines.line("result", to_word(smime.result));
    lines.line("coverage", to_word(verdict.coverage));
    if (smime.has_signature()) lines.line("sender", sender_text(verdict));
    if (smime.is_smime)
        lines.line("delivered", verdict.opened ? "what is inside" : "the message as it came");
    for (std::size_t i = 0; i < smime.layers.size(); ++i) tell_layer(lines, smime.layers[i], i + 1);
    return lines.take();
}

}  // namespace sealgate

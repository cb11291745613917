// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/incoming_report.h"

#include <algorithm>

#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/authentication_results.h"

namespace sealgate {
namespace {

const char* table_of(Direction direction) {
    return direction == Direction::outgoing ? "outbound" : "inbound";
}

SmimeOperation operation_of(const LayerReport& layer) {
    return layer.type == LayerReport::Type::signed_ ? SmimeOperation::verify
                                                    : SmimeOperation::decrypt;
}

// Of one layer: the signer that covers the sender, else the one that its reason is about.
const SignerReport* telling_signer_of(const LayerReport& layer) {
    const auto& signers = layer.signers;
    const auto find = [&](auto wanted) {
        return std::find_if(signers.begin(), signers.end(), wanted);
    };
    auto found = find([&](const SignerReport& signer) {
        return layer.reason == Reason::ok ? signer.reason() == Reason::ok
                                          : signer.reason() == layer.reason;
    });
    if (found == signers.end()) found = signers.begin();
    return found == signers.end() ? nullptr : &*found;
}

void log_signed_layer(MailLog& log, MessageId mid, const LayerReport& layer,
                      const std::string& sender) {
    const SignerReport* signer = telling_signer_of(layer);
    const std::string name = signer ? printable(signer_name(*signer, sender)) : "";
    const char* by = name.empty() ? "" : " signer ";
    if (layer.reason == Reason::ok)
        log.info("MID {} S/MIME verify: ok{}{}", mid, by, name);
    else
        log.info("MID {} S/MIME verify: failed {}{}{}", mid, to_word(layer.reason), by, name);
}

}  // namespace

void log_smime(MailLog& log, MessageId mid, const SmimeVerdict& verdict,
               const std::string& sender) {
    for (const LayerReport& layer : verdict.layers) {
        const bool ok = layer.reason == Reason::ok;
        switch (layer.type) {
        case LayerReport::Type::signed_: log_signed_layer(log, mid, layer, sender); break;
        case LayerReport::Type::encrypted:
            log.info("MID {} S/MIME decrypt: {}{}{}{}", mid, ok ? "ok" : "failed ",
                     ok ? "" : to_word(layer.reason), layer.weak_cipher ? " weak " : "",
                     layer.weak_cipher ? layer.cipher : "");
            break;
        case LayerReport::Type::other:
            log.info("MID {} S/MIME read: failed {}", mid, to_word(layer.reason));
            break;
        }
    }
    if (verdict.reason == Reason::too_many_layers)
        log.info("MID {} S/MIME read: failed {}", mid, to_word(verdict.reason));
}

void count_smime(const SmimeVerdict& verdict) {
    for (const LayerReport& layer : verdict.layers)
        Metrics::instance().add_smime(operation_of(layer), layer.reason);
    if (verdict.reason == Reason::too_many_layers)
        Metrics::instance().add_smime(SmimeOperation::decrypt, verdict.reason);
}

const SignerReport* telling_signer(const SmimeVerdict& verdict) {
    const SignerReport* telling = nullptr;
    for (const LayerReport& layer : verdict.layers) {
        if (layer.type != LayerReport::Type::signed_) continue;
        telling = telling_signer_of(layer);
        if (layer.reason != Reason::ok) break;
    }
    return telling;
}

std::string signer_name(const SignerReport& signer, std::string_view sender) {
    if (!signer.certificate) return signer.identifier;
    const Certificate& certificate = *signer.certificate;
    if (!sender.empty() && certificate.covers(sender)) return std::string(sender);
    if (!certificate.emails().empty()) return certificate.emails().front();
    if (!certificate.domains().empty()) return "@" + certificate.domains().front();
    return certificate.common_name();
}

std::string authentication_results_of(const SmimeVerdict& verdict, const std::string& hostname,
                                      const std::string& sender) {
    SmimeAuthResult result;
    result.result = verdict.result;
    if (verdict.is_smime) result.comment = to_word(verdict.reason);
    if (verdict.is_smime && verdict.verified && !verdict.has_signature())
        result.comment = "decrypted, not signed";
    if (const SignerReport* signer = telling_signer(verdict)) {
        result.identifier = signer_name(*signer, sender);
        if (signer->certificate) {
            result.serial = signer->certificate->serial();
            result.issuer = signer->certificate->issuer();
        }
    }
    return make_authentication_results(hostname, {result});
}

void log_part_matched(MailLog& log, MessageId mid, const std::string& policy, Direction direction) {
    log.info("MID {} matched all recipients for per-recipient policy {} in the {} table", mid,
             policy, table_of(direction));
}

void log_part_split(MailLog& log, MessageId from, MessageId mid, const std::string& policy,
                    Direction direction) {
    log.info("MID {} was split creating MID {} due to a per-recipient policy ({}) in the {} table",
             from, mid, policy, table_of(direction));
}

}  // namespace sealgate

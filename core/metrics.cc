// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace sealgate {
namespace {

struct Row {
    const char* name;
    const char* help;
};

// In the order of the enumeration.
constexpr Row rows[] = {
    {"sealgate_sessions_accepted_total", "SMTP sessions that were greeted"},
    {"sealgate_sessions_refused_total", "SMTP sessions refused by policy or for want of room"},
    {"sealgate_messages_received_total", "Messages accepted with 250"},
    {"sealgate_messages_refused_total", "Messages refused at or after the end of data"},
    {"sealgate_bytes_received_total", "Bytes of the messages accepted"},
    {"sealgate_recipients_accepted_total", "RCPT commands accepted"},
    {"sealgate_recipients_refused_total", "RCPT commands refused"},
    {"sealgate_messages_generated_total", "Messages made by the gateway itself"},
    {"sealgate_recipients_delivered_total", "Recipients the next hop took"},
    {"sealgate_recipients_deferred_total", "Attempts put off, one for each recipient"},
    {"sealgate_recipients_bounced_total", "Recipients given up for good"},
    {"sealgate_bytes_delivered_total", "Bytes of the messages delivered"},
    {"sealgate_deliveries_connected_total", "Connections made to next hops"},
    {"sealgate_deliveries_failed_total", "Connections to next hops that could not be made"},
    {"sealgate_dsn_made_total", "Delivery status notifications sent"},
    {"sealgate_dsn_suppressed_total", "Delivery status notifications nobody wanted"},
    {"sealgate_spool_commits_total", "Group commits of the spool, one sync each"},
    {"sealgate_spool_messages_committed_total", "Messages made durable by them"},
    {"sealgate_spool_errors_total", "Rounds of the spool that failed"},
    {"sealgate_crypto_jobs_total", "Jobs given to the crypto threads"},
    {"sealgate_config_reloads_total", "Configurations put in place after the first"},
    {"sealgate_config_rejected_total", "Configurations refused at a reload"},
    {"sealgate_content_encryptions_total", "Contents enciphered, each once for all its recipients"},
    {"sealgate_content_decryptions_total", "Contents deciphered, whatever came of them"},
    {"sealgate_signatures_verified_total", "Signatures of senders looked at, one per SignerInfo"},
    {"sealgate_keys_harvested_total", "Keys taken from signed mail, new ones and newer ones"},
    {"sealgate_crl_fetches_total", "Revocation lists asked for"},
    {"sealgate_ocsp_requests_total", "OCSP responders asked"},
    {"sealgate_alerts_raised_total", "Alerts that went out"},
    {"sealgate_alerts_throttled_total", "Alerts held back, for one like them had just gone out"},
};
static_assert(std::size(rows) == counter_count);
static_assert(static_cast<int>(Counter::alerts_throttled) + 1 == counter_count);

}  // namespace

Metrics& Metrics::instance() {
    static Metrics metrics;
    return metrics;
}

const char* to_name(Counter counter) { return rows[static_cast<std::size_t>(counter)].name; }

const char* to_word(SmimeOperation operation) {
    switch (operation) {
    case SmimeOperation::sign: return "sign";
    case SmimeOperation::encrypt: return "encrypt";
    case SmimeOperation::sign_encrypt: return "sign-encrypt";
    case SmimeOperation::triple: return "triple";
    case SmimeOperation::decrypt: return "decrypt";
    case SmimeOperation::verify: return "verify";
    }
    return "";
}

std::string Metrics::to_prometheus() const {
    fmt::memory_buffer text;
    auto out = std::back_inserter(text);
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        const auto& [name, help] = rows[i];
        fmt::format_to(out, "# HELP {0} {1}.\n# TYPE {0} counter\n{0} {2}\n", name, help,
                       value(static_cast<Counter>(i)));
    }
    fmt::format_to(out,
                   "# HELP sealgate_smime_operations_total S/MIME wanted, by kind and outcome.\n"
                   "# TYPE sealgate_smime_operations_total counter\n");
    for (int kind = 0; kind < smime_operation_count; ++kind) {
        for (int i = 0; i < reason_count; ++i) {
            const auto operation = static_cast<SmimeOperation>(kind);
            const auto reason = static_cast<Reason>(i);
            fmt::format_to(out,
                           "sealgate_smime_operations_total{{operation=\"{}\",reason=\"{}\"}} {}\n",
                           to_word(operation), to_word(reason), smime_value(operation, reason));
        }
    }
    return fmt::to_string(text);
}

}  // namespace sealgate

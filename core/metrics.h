// SPDX-License-Identifier: GPL-3.0-or-later
// Counters of the process, by name; read by `sealgate status` and, later, /metrics.
//
// One relaxed atomic each, so any thread may count. Names follow Prometheus: sealgate_…_total.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "core/reason.h"

namespace sealgate {

enum class Counter : std::uint8_t {
    sessions_accepted,
    sessions_refused,
    messages_received,
    messages_refused,
    bytes_received,
    recipients_accepted,
    recipients_refused,
    messages_generated,
    recipients_delivered,
    recipients_deferred,
    recipients_bounced,
    bytes_delivered,
    deliveries_connected,
    deliveries_failed,
    dsn_made,
    dsn_suppressed,
    spool_commits,
    spool_messages_committed,
    spool_errors,
    crypto_jobs,
    config_reloads,
    config_rejected,
    content_encryptions,
    content_decryptions,
    signatures_verified,
    keys_harvested,
    crl_fetches,
    ocsp_requests,
    alerts_raised,
    alerts_throttled,
};
inline constexpr int counter_count = 30;

// Outgoing, in the order of SendingProfileOptions::Mode; then incoming.
enum class SmimeOperation : std::uint8_t { sign, encrypt, sign_encrypt, triple, decrypt, verify };
inline constexpr int smime_operation_count = 6;
const char* to_word(SmimeOperation operation);  // "sign-encrypt"

class Metrics {
public:
    static Metrics& instance();

    void add(Counter counter, std::uint64_t amount = 1) {
        counters_[static_cast<std::size_t>(counter)].fetch_add(amount, std::memory_order_relaxed);
    }
    std::uint64_t value(Counter counter) const {
        return counters_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
    }
    // Outcomes of S/MIME operations, by kind and reason word.
    void add_smime(SmimeOperation operation, Reason reason) {
        smime_[static_cast<std::size_t>(operation)][static_cast<std::size_t>(reason)].fetch_add(
            1, std::memory_order_relaxed);
    }
    std::uint64_t smime_value(SmimeOperation operation, Reason reason) const {
        return smime_[static_cast<std::size_t>(operation)][static_cast<std::size_t>(reason)].load(
            std::memory_order_relaxed);
    }

    std::string to_prometheus() const;

private:
    std::array<std::atomic<std::uint64_t>, counter_count> counters_{};
    std::array<std::array<std::atomic<std::uint64_t>, reason_count>, smime_operation_count>
        smime_{};
};

const char* to_name(Counter counter);  // "sealgate_messages_received_total"

}  // namespace sealgate

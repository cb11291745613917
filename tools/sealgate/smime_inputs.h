// SPDX-License-Identifier: GPL-3.0-or-later
// What `sealgate smime` judges a message by: keys, authorities, revocation lists and known
// certificates, out of files, of a configuration, or of both together.
//
// Of a configuration that is the same as a gateway would have with it; harvested and manual keys
// are asked of the running gateway, else they are read from the key store (KeyChannel). What cannot
// be read ends the command.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/decryption_keys.h"
#include "crypto/revocation.h"
#include "crypto/smime_verify.h"
#include "smtp/gateway_state.h"

namespace sealgate {

class Fetcher;

// As given on the command line.
struct SmimeInputWords {
    std::string config_path;  // empty: no configuration
    std::vector<std::string> ca_files, key_files, certificate_files, crl_files;
    std::string passphrase_file;
    std::optional<TrustOptions::Revocation> revocation;
    std::optional<std::int64_t> at;  // seconds since 1970; nothing: now
    bool allow_weak = false;
};

class SmimeInputs {
public:
    SmimeInputs(Loop& loop, WorkerPool& workers, const SmimeInputWords& words);
    ~SmimeInputs();

    const GatewayState* state() const { return state_.get(); }  // null: no configuration
    std::shared_ptr<const DecryptionKeys> keys() const { return keys_; }
    VerifyContext verify() const { return verify_; }
    // Ends the command when the gateway stopped answering while it was asked.
    void check_known_keys() const;

private:
    class Known;

    void read_configuration(const std::string& path);
    void read_keys(const SmimeInputWords& words);
    void read_trust(Loop& loop, WorkerPool& workers, const SmimeInputWords& words);

    GatewayStatePtr state_;
    std::shared_ptr<const DecryptionKeys> keys_;
    std::unique_ptr<Known> known_;
    std::unique_ptr<Fetcher> fetcher_;
    VerifyContext verify_;  // its Revocation goes before the fetcher
};

}  // namespace sealgate

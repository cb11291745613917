// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/smime_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/fetch.h"
#include "core/loop.h"
#include "smtp/key_report.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/key_channel.h"
#include "tools/sealgate/passphrase.h"

namespace sealgate {
namespace {

using nlohmann::json;

SecureBytes read_or_end(const std::string& path) {
    auto file = read_small_file(path);
    if (!file) throw CommandFailed{exit_refused, file.error().what};
    return *std::move(file);
}

std::vector<CertificatePtr> read_certificate_files(const std::vector<std::string>& paths) {
    std::vector<CertificatePtr> all;
    for (const std::string& path : paths) {
        auto found = read_certificates(read_or_end(path).bytes());
        if (!found) throw CommandFailed{exit_refused, path + ": " + found.error().what};
        all.insert(all.end(), found->begin(), found->end());
    }
    return all;
}

// A gateway that never ran has no key store, and whoever only asks makes none.
bool has_key_store(const Config& config) {
    std::error_code unknown;
    const auto store = std::filesystem::status(config.gateway.data_dir + "/keys", unknown);
    return store.type() != std::filesystem::file_type::not_found;
}

// All at once, then the end.
void end_if_any(const Complaints& complaints) {
    for (const Complaint& complaint : complaints)
        std::fprintf(stderr, "sealgate: %s\n",
                     complaint.file.empty() ? complaint.what.c_str() : complaint.to_text().c_str());
    if (!complaints.empty()) throw CommandFailed{exit_refused, ""};
}

void warn(const Complaints& warnings) {
    for (const Complaint& warning : warnings)
        std::fprintf(stderr, "warning: %s\n", warning.what.c_str());
}

}  // namespace

// Certificates of files, trusted as manual keys are, and what a key store knows.
class SmimeInputs::Known final : public KnownKeys {
public:
    Known(std::vector<CertificatePtr> files, std::unique_ptr<KeyChannel> channel)
        : files_(std::move(files)), channel_(std::move(channel)) {}

    bool is_manual(const Certificate& certificate) const override {
        const bool in_a_file = std::any_of(files_.begin(), files_.end(), [&](const auto& file) {
            return std::ranges::equal(file->der(), certificate.der());
        });
        return in_a_file || ask({{"command", "key.is-manual"}, {"pem", pem_of(certificate)}})
                                .value("manual", false);
    }

    std::vector<CertificatePtr> certificates_of(std::string_view address) const override {
        std::vector<CertificatePtr> found;
        for (const CertificatePtr& file : files_)
            if (file->covers(address)) found.push_back(file);
        const json answer = ask({{"command", "key.known"}, {"address", address}});
        for (const json& pem : answer.value("keys", json::array())) {
            const auto certificates = read_certificates(as_bytes(pem.get<std::string>()));
            if (certificates) found.insert(found.end(), certificates->begin(), certificates->end());
        }
        return found;
    }

    std::optional<CommandFailed> trouble() const { return trouble_; }

private:
    // Called by the loop: what ends the command waits until it has run.
    json ask(const json& request) const {
        if (!channel_ || trouble_) return json::object();
        try {
            return channel_->ask(request);
        } catch (const CommandFailed& failed) {
            trouble_ = failed;
            return json::object();
        }
    }

    std::vector<CertificatePtr> files_;
    std::unique_ptr<KeyChannel> channel_;  // null: there is no key store
    mutable std::optional<CommandFailed> trouble_;
};

SmimeInputs::SmimeInputs(Loop& loop, WorkerPool& workers, const SmimeInputWords& words) {
    if (!words.config_path.empty()) read_configuration(words.config_path);
    read_keys(words);
    read_trust(loop, workers, words);
}

SmimeInputs::~SmimeInputs() = default;

void SmimeInputs::check_known_keys() const {
    if (const auto trouble = known_->trouble()) throw CommandFailed(*trouble);
}

void SmimeInputs::read_configuration(const std::string& path) {
    const CheckedState checked = check_configuration(path, DemoCertificate::leave);
    for (const Complaint& c : checked.complaints) std::fprintf(stderr, "%s\n", c.to_text().c_str());
    if (!checked.state) throw CommandFailed{exit_configuration, ""};
    state_ = checked.state;
}

void SmimeInputs::read_keys(const SmimeInputWords& words) {
    std::vector<IdentityPtr> identities;
    if (state_) identities = state_->identities->all();
    const std::vector<CertificatePtr> certificates =
        read_certificate_files(words.certificate_files);
    std::string beside;  // where the certificate of a key may be, other than in its file
    for (const CertificatePtr& certificate : certificates) beside += pem_of(*certificate);
    SecureBytes secret;
    Passphrase passphrase;
    if (!words.passphrase_file.empty()) {
        secret = passphrase_from(words.passphrase_file);
        passphrase = as_text(secret.bytes());
    }
    for (const std::string& path : words.key_files) {
        const SecureBytes file = read_or_end(path);
        auto found = read_identities(path, file.bytes(), {}, passphrase);
        if (!found && !found.error().passphrase && !beside.empty())
            if (auto again = read_identities(path, as_bytes(beside), file.bytes(), passphrase))
                found = std::move(again);
        if (!found) throw CommandFailed{exit_refused, path + ": " + found.error().what};
        identities.insert(identities.end(), found->begin(), found->end());
    }
    keys_ = DecryptionKeys::of(identities);

    std::unique_ptr<KeyChannel> channel;
    if (state_ && has_key_store(*state_->config))
        channel = std::make_unique<KeyChannel>(*state_->config, StoredKeysNeed::harvested);
    known_ = std::make_unique<Known>(certificates, std::move(channel));
}

void SmimeInputs::read_trust(Loop& loop, WorkerPool& workers, const SmimeInputWords& words) {
    TrustOptions options;
    if (state_) options = state_->config->trust_smime;
    options.ca_files.insert(options.ca_files.end(), words.ca_files.begin(), words.ca_files.end());
    options.crl_files.insert(options.crl_files.end(), words.crl_files.begin(),
                             words.crl_files.end());
    // Who names lists wants them looked at.
    if (!words.crl_files.empty() && options.revocation == TrustOptions::Revocation::off)
        options.revocation = TrustOptions::Revocation::prefer;
    if (words.revocation) options.revocation = *words.revocation;

    const std::string section = "[trust:smime]";
    Complaints complaints, warnings, list_warnings;
    verify_.anchors = TrustAnchors::load(options, section, complaints, warnings);
    if (options.crl_fetch || options.ocsp) fetcher_ = std::make_unique<Fetcher>(loop);
    verify_.revocation = Revocation::make(loop, fetcher_.get(), workers, options, section,
                                          complaints, list_warnings);
    end_if_any(complaints);
    warn(warnings);
    if (!words.at) warn(list_warnings);  // they speak of now
    verify_.wall_seconds = words.at.value_or(loop.wall_seconds());
    verify_.allow_weak = words.allow_weak;
    verify_.known = known_.get();
}

}  // namespace sealgate

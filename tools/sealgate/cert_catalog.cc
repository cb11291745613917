// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/cert_catalog.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "core/complaint.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/control_client.h"
#include "tools/sealgate/passphrase.h"

namespace sealgate {
namespace {

CertificateStore open_store(const Config& config) {
    auto store =
        CertificateStore::open(config.gateway.data_dir, config.gateway.key_passphrase_file);
    if (!store) {
        throw CommandFailed{exit_configuration,
                            "[gateway] key-passphrase-file: " + store.error().what};
    }
    return *std::move(store);
}

Answer<CertificateBundle> read_section(const CertificateOptions& section, bool with_key) {
    auto file = read_small_file(section.file);
    if (!file) return tl::unexpected(file.error());
    SecureBytes secret;
    Passphrase passphrase;
    if (!section.passphrase_file.empty()) {
        auto read = read_passphrase_file(section.passphrase_file);
        if (!read) return tl::unexpected(read.error());
        secret = *std::move(read);
        passphrase = as_text(secret.bytes());
    }
    SecureBytes key;
    if (with_key && !section.key.empty()) {
        auto read = read_small_file(section.key);
        if (!read) return tl::unexpected(read.error());
        key = *std::move(read);
    }
    return read_bundle(file->bytes(), key.bytes(), passphrase);
}

}  // namespace

CertificateCatalog::CertificateCatalog(std::shared_ptr<const Config> config)
    : config_(std::move(config)), store_(open_store(*config_)) {}

const CertificateOptions* CertificateCatalog::section(const std::string& name) const {
    for (const CertificateOptions& section : config_->certificates) {
        if (section.name == name) return &section;
    }
    return nullptr;
}

CatalogEntry CertificateCatalog::entry(const std::string& name, bool with_key) const {
    CatalogEntry entry{name, "", false, false, used_by(name), {}};
    if (const CertificateOptions* options = section(name)) {
        entry.is_section = true;
        entry.where = options->file;
        entry.bundle = read_section(*options, with_key);
    } else {
        entry.where = std::filesystem::path(store_.chain_path(name)).parent_path();
        entry.has_request = store_.read_request(name).has_value();
        entry.bundle = with_key ? store_.read(name) : store_.read_public(name);
    }
    return entry;
}

std::vector<CatalogEntry> CertificateCatalog::list() const {
    const std::string folder = config_->gateway.data_dir + "/certificates";
    if (access(folder.c_str(), R_OK | X_OK) != 0 && errno != ENOENT) {
        throw CommandFailed{exit_refused, folder + ": " + std::strerror(errno)};
    }
    std::set<std::string> names;
    for (const std::string& name : store_.names()) names.insert(name);
    for (const CertificateOptions& options : config_->certificates) names.insert(options.name);
    std::vector<CatalogEntry> entries;
    for (const std::string& name : names) entries.push_back(entry(name, false));
    return entries;
}

CatalogEntry CertificateCatalog::find(const std::string& name) const {
    if (section(name) == nullptr && !store_.has(name)) {
        std::vector<std::string> known = store_.names();
        for (const CertificateOptions& options : config_->certificates) {
            known.push_back(options.name);
        }
        const std::string nearest = nearest_name(name, known);
        throw CommandFailed{exit_refused,
                            "there is no certificate " + name +
                                (nearest.empty() ? "" : " (nearest known: " + nearest + ")")};
    }
    CatalogEntry found = entry(name, false);
    if (!found.bundle) throw CommandFailed{exit_refused, name + ": " + found.bundle.error().what};
    return found;
}

CatalogEntry CertificateCatalog::find_with_key(const std::string& name) const {
    (void)find(name);
    CatalogEntry found = entry(name, true);
    if (!found.bundle) throw CommandFailed{exit_refused, name + ": " + found.bundle.error().what};
    if (found.bundle->pkcs8.empty()) {
        throw CommandFailed{exit_refused, name + ": there is no private key"};
    }
    return found;
}

std::vector<std::string> CertificateCatalog::used_by(const std::string& name) const {
    std::vector<std::string> users;
    for (const auto& [profile_name, profile] : config_->sending_profiles) {
        if (profile.certificate == name) users.push_back("sending-profile:" + profile_name);
    }
    for (const ListenerOptions& listener : config_->listeners) {
        if (listener.certificate == name) users.push_back("listener:" + listener.name);
    }
    for (const auto& [domain, destination] : config_->destinations) {
        if (destination.certificate == name) users.push_back("destination:" + domain);
    }
    return users;
}

bool CertificateCatalog::signs(const std::string& name) const {
    return std::any_of(config_->sending_profiles.begin(), config_->sending_profiles.end(),
                       [&](const auto& row) {
                           return row.second.certificate == name &&
                                  row.second.mode != SendingProfileOptions::Mode::encrypt;
                       });
}

void CertificateCatalog::check_writable(const std::string& name) const {
    if (!is_certificate_name(name)) {
        throw CommandFailed{exit_usage,
                            "a name has letters, digits, '.', '_' and '-', at most 64, "
                            "and does not begin with '.'"};
    }
    if (name == "none") {
        throw CommandFailed{exit_usage, "\"none\" is how a listener says that it has none"};
    }
    if (const CertificateOptions* options = section(name)) {
        throw CommandFailed{exit_refused, "[certificate:" + name + "] of the configuration (" +
                                              options->place.file + ":" +
                                              std::to_string(options->place.line) +
                                              ") says where its files are; change those"};
    }
}

bool CertificateCatalog::write(const std::string& name, const CertificateBundle& bundle,
                               const std::string& request) const {
    std::error_code error;
    std::filesystem::create_directories(config_->gateway.data_dir, error);
    if (auto written = store_.write(name, bundle, request); !written) {
        throw CommandFailed{exit_refused, written.error().what};
    }
    // What nothing in the configuration uses changes nothing in the gateway.
    if (used_by(name).empty()) return false;
    const auto answer = control_request(config_->gateway.control_socket, {{"command", "reload"}});
    if (!answer) return false;
    if (!answer->value("ok", false)) {
        throw CommandFailed{exit_refused, "stored, but the running gateway did not take it: " +
                                              answer->value("error", "no reason given")};
    }
    return true;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/directory_book.h"

#include "core/fetch.h"
#include "crypto/certificate_bundle.h"

namespace sealgate {
namespace {

// What TLS to a directory must lead to. libcurl takes one text, so the machine's authorities and
// the operator's are put together when both are wanted.
std::shared_ptr<const std::string> read_authorities(const TrustOptions& trust, std::string& fault) {
    if (trust.ca_system && trust.ca_files.empty()) return nullptr;
    std::vector<std::string> paths = trust.ca_files;
    if (trust.ca_system) paths.push_back(machine_authorities_file());
    std::string pem;
    for (const std::string& path : paths) {
        const auto file = read_small_file(path);
        if (!file) {
            fault = file.error().what;
            continue;
        }
        pem += as_text(file->bytes());
        pem += '\n';
    }
    return std::make_shared<const std::string>(std::move(pem));
}

}  // namespace

std::shared_ptr<const DirectoryBook> DirectoryBook::load(const Config& config,
                                                         Complaints& complaints) {
    auto book = std::make_shared<DirectoryBook>();
    std::shared_ptr<const std::string> authorities;
    bool authorities_read = false;
    for (const auto& [name, options] : config.directories) {
        const auto complain = [&, section = &options](const std::string& what) {
            complaints.push_back({section->place.file, section->place.line, 0,
                                  "[directory:" + section->name + "] " + what});
        };
        auto url = DirectoryUrl::parse(options.url);
        if (!url) continue;  // the options' complaint
        auto directory = std::make_shared<Directory>(Directory{name,
                                                               *std::move(url),
                                                               options.attributes,
                                                               options.timeout_ms,
                                                               options.cache_ms,
                                                               options.bind_dn,
                                                               {},
                                                               options.trust,
                                                               nullptr});
        if (!options.password_file.empty()) {
            auto password = read_passphrase_file(options.password_file);
            if (!password) {
                complain("password-file: " + password.error().what);
                continue;
            }
            directory->password = *std::move(password);
        }
        if (directory->url.scheme() != DirectoryUrl::Scheme::ldap) {
            std::string fault;
            if (!authorities_read) authorities = read_authorities(config.trust_tls, fault);
            authorities_read = true;
            if (!fault.empty()) complain("[trust:tls]: " + fault);
            directory->authorities = authorities;
        }
        book->directories_.emplace(name, std::move(directory));
    }
    return book;
}

DirectoryPtr DirectoryBook::find(const std::string& name) const {
    const auto found = directories_.find(name);
    return found == directories_.end() ? nullptr : found->second;
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// The certificates a configuration can name, as the command line sees them.
//
// Those under data-dir, and those of [certificate:NAME] sections, which it does not change. Reads
// the disk at each call.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "crypto/certificate_store.h"

namespace sealgate {

struct CatalogEntry {
    std::string name;
    std::string where;                 // directory or file
    bool is_section = false;           // of the configuration, not of the store
    bool has_request = false;          // a certificate request is pending
    std::vector<std::string> used_by;  // "sending-profile:sign", "listener:in"
    Answer<CertificateBundle> bundle;  // the key only where it was asked for
};

class CertificateCatalog {
public:
    explicit CertificateCatalog(std::shared_ptr<const Config> config);

    // Sorted by name; a certificate that cannot be read is among them, with the reason. Ends the
    // command when the store may not be looked into.
    std::vector<CatalogEntry> list() const;
    // Ends the command when there is none of that name.
    CatalogEntry find(const std::string& name) const;
    // The same with the private key, which must be readable.
    CatalogEntry find_with_key(const std::string& name) const;

    std::vector<std::string> used_by(const std::string& name) const;
    // Whether a profile signs with it.
    bool signs(const std::string& name) const;
    const CertificateOptions* section(const std::string& name) const;
    const CertificateStore& store() const { return store_; }

    // Ends the command unless `name` may be written: well-formed, not of a section, not `none`.
    void check_writable(const std::string& name) const;
    // Writes, and tells a running gateway when it uses the certificate. Whether it was told.
    bool write(const std::string& name, const CertificateBundle& bundle,
               const std::string& request) const;

private:
    CatalogEntry entry(const std::string& name, bool with_key) const;

    std::shared_ptr<const Config> config_;
    CertificateStore store_;
};

}  // namespace sealgate

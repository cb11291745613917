// SPDX-License-Identifier: GPL-3.0-or-later
// The certificates under <data-dir>/certificates: one directory for each name.
//
//     NAME/chain.pem   the certificate, then its issuers
//     NAME/key.pem     its private key, PKCS#8, 0600; encrypted when a passphrase is configured
//     NAME/csr.pem     a request that has not come back yet
//
// A change makes a whole new directory beside the old one and puts it in its place, so that a
// crash, or a gateway that reads at that moment, finds the old or the new, never a mixture. Not a
// cache: every call reads the disk. Blocks. One writer at a time is assumed to be an operator.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "crypto/certificate_bundle.h"

namespace sealgate {

// [A-Za-z0-9._-]+, at most 64, without a leading dot.
bool is_certificate_name(std::string_view name);

class CertificateStore {
public:
    // `passphrase`: what private keys are encrypted with; nothing: they lie in clear, 0600.
    CertificateStore(const std::string& data_dir, std::optional<SecureBytes> passphrase);
    // With the passphrase out of `passphrase_file` (empty: none).
    static Answer<CertificateStore> open(const std::string& data_dir,
                                         const std::string& passphrase_file);

    std::vector<std::string> names() const;  // sorted
    bool has(const std::string& name) const;
    std::string chain_path(const std::string& name) const;

    Answer<CertificateBundle> read(const std::string& name) const;
    // Without the key; works also where the passphrase is not at hand.
    Answer<CertificateBundle> read_public(const std::string& name) const;
    std::optional<std::string> read_request(const std::string& name) const;  // PEM

    // Puts certificate, chain and key under `name`, new or over the old one. `request`: PEM, kept
    // beside them; empty: none.
    Answer<void> write(const std::string& name, const CertificateBundle& bundle,
                       std::string_view request) const;
    Answer<void> remove(const std::string& name) const;

private:
    std::string directory_;
    std::optional<SecureBytes> passphrase_;
};

// The reason why a certificate can do nothing here: it may neither sign nor encrypt. ok otherwise.
Reason usable_for_mail(const Certificate& certificate);

}  // namespace sealgate

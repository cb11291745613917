// SPDX-License-Identifier: GPL-3.0-or-later
// Files of revocation lists: the operator's `crl-files`, and what servers send when asked for one.
//
// PEM or DER, several in a file. Certificates in a PEM file are those of authorities that sign
// lists in another's place; they count when they lead to the anchor of the path that is asked
// about. Immutable, any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/complaint.h"
#include "core/config.h"
#include "crypto/certificate_bundle.h"
#include "crypto/trust_crl.h"

namespace sealgate {

struct ListFile {
    RevocationLists lists;
    std::vector<CertificatePtr> issuers;
};

// At least one list; all or nothing.
Answer<ListFile> read_list_file(ByteSpan file);

class CrlFiles {
public:
    // Reads `crl-files` of `section` ("[trust:smime]"). A file that cannot be read, or holds
    // something else, is a complaint at its line; a list that is out of date, or that nobody looks
    // at, a warning. Blocks.
    static std::shared_ptr<const CrlFiles> load(const TrustOptions& options,
                                                const std::string& section, Complaints& complaints,
                                                Complaints& warnings);

    const RevocationLists& lists() const { return contents_.lists; }
    const std::vector<CertificatePtr>& issuers() const { return contents_.issuers; }

private:
    explicit CrlFiles(ListFile contents) : contents_(std::move(contents)) {}
    const ListFile contents_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// A certificate of the gateway's own, with its chain and private key: what a profile signs with,
// and what mail that comes in is decrypted with.
//
// Immutable and shared: sessions under way keep the one they began with. The key is held as DER and
// decoded once per worker thread (keys are not shared between threads: wolfssl-facts).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/complaint.h"
#include "core/config.h"
#include "crypto/certificate.h"
#include "crypto/certificate_bundle.h"

namespace sealgate {

struct PrivateKey {
    KeyKind kind = KeyKind::other;
    unsigned bits = 0;
    SecureBytes pkcs8;     // PKCS#8 PrivateKeyInfo, DER, not encrypted
    std::uint64_t id = 0;  // unique in the process: workers cache their decoded copy by it
};

// With kind, bits and an id of its own.
Result<PrivateKey> make_private_key(SecureBytes pkcs8);

struct Identity {
    std::string name;
    CertificatePtr leaf;
    std::vector<CertificatePtr> chain;  // issuers in order, without the leaf; may end in a root
    PrivateKey key;
};
using IdentityPtr = std::shared_ptr<const Identity>;

// Every private key of an operator's files that has a certificate there
// (crypto/certificate_bundle.h has the forms), each called `name`. At least one.
Answer<std::vector<IdentityPtr>> read_identities(const std::string& name, ByteSpan file,
                                                 ByteSpan key_file, const Passphrase& passphrase);

// Every certificate that a configuration can name: [certificate:NAME] sections and what lies under
// <data-dir>/certificates/NAME/ (chain.pem, key.pem).
class IdentityStore {
public:
    // Loads the certificates of [certificate:NAME] sections and those that profiles and listeners
    // of `config` use; what cannot be read or whose key does not match is a complaint at the place
    // that says so; warnings are usage, expiry and order. Where a mail policy decrypts
    // (smime-verify-decrypt) all that lies under data-dir is loaded, too, and every key of a
    // section's file that holds several: expired ones as well, without a word; one that cannot be
    // read and that nobody names is a warning. `make_demo`: makes the self-signed `demo` when it is
    // missing (needs a writable data-dir). Blocks.
    static std::shared_ptr<const IdentityStore> load(const Config& config, bool make_demo,
                                                     Complaints& complaints, Complaints& warnings);

    IdentityPtr find(const std::string& name) const;  // null when there is none
    // All of them, to decrypt with (crypto/decryption_keys.h): several may have one name.
    std::vector<IdentityPtr> all() const;

private:
    std::map<std::string, IdentityPtr> identities_;
    std::vector<IdentityPtr> others_;  // that nobody can name
};

}  // namespace sealgate

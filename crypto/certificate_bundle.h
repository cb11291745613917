// SPDX-License-Identifier: GPL-3.0-or-later
// What an operator's files hold: a private key, its certificate, and the issuers in order.
//
// PEM with anything in any order, DER, or PKCS#12. Here certificates meet keys; whether they may be
// used for something is decided by who asks. What goes wrong is told in a sentence, because an
// operator reads it. Blocks (files, key derivation).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "crypto/certificate.h"
#include "crypto/pkcs12_key.h"

namespace sealgate {

// Why the operator does not get it: one sentence, names and paths in it.
struct Refusal {
    std::string what;
    bool passphrase = false;  // asking for another passphrase may help
};
template <typename T>
using Answer = tl::expected<T, Refusal>;
inline tl::unexpected<Refusal> refused(std::string what, bool passphrase = false) {
    return tl::unexpected(Refusal{std::move(what), passphrase});
}

struct CertificateBundle {
    CertificatePtr leaf;
    std::vector<CertificatePtr> chain;   // issuers in order, without the leaf; may end in a root
    SecureBytes pkcs8;                   // empty: the files hold no key
    std::vector<CertificatePtr> unused;  // certificates in the files that are not of the chain
    bool was_ordered = true;             // the chain lay in the file as it must be sent
    std::size_t other_keys_count = 0;    // private keys in the file that were not taken
};

// All certificates of a file: PEM, DER or PKCS#7; at least one.
Answer<std::vector<CertificatePtr>> read_certificates(ByteSpan file);

// `file`: PEM, DER or PKCS#12. `key_file`: the key, when it is not in `file` (empty otherwise).
// With a key the leaf is the certificate that it matches; else it is the first. Of several keys
// (people have one to sign with and one to decrypt with) it is the one whose certificate has
// `serial`, or, where that is empty, the only one that may sign; where that does not decide, all
// are named and none is taken.
Answer<CertificateBundle> read_bundle(ByteSpan file, ByteSpan key_file,
                                      const Passphrase& passphrase, std::string_view serial = "");

// The same, every private key that has a certificate, each with its own: to decrypt with. At least
// one.
Answer<std::vector<CertificateBundle>> read_bundles(ByteSpan file, ByteSpan key_file,
                                                    const Passphrase& passphrase);

// Puts the issuers of `leaf` out of `pool` in order; the rest is `unused`. The pool may hold the
// leaf itself.
void build_chain(CertificateBundle& bundle, const std::vector<CertificatePtr>& pool);

// Whole files. At most 4 MB; keys may be in it.
Answer<SecureBytes> read_small_file(const std::string& path);
// The first line, without its line end.
Answer<SecureBytes> read_passphrase_file(const std::string& path);

}  // namespace sealgate

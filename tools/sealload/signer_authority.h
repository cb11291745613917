// SPDX-License-Identifier: GPL-3.0-or-later
// An authority for loads: certificates of as many signers as wanted, each made in some
// microseconds.
//
// All signers share one P-256 key, and the authority's is Ed25519, whose signatures are the same
// for the same certificate: a signer's certificate follows from the authority, its number, its
// address and the size, so that it is the same bytes in every run with the authority's file.
// Certificates are padded (a Netscape comment) to the size that real ones with RSA keys have.
// Nobody must trust this authority outside of a load. RFC 5280. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/certificate.h"
#include "crypto/identity.h"

namespace sealgate {

class SignerAuthority {
public:
    static Result<SignerAuthority> make();
    // PEM: the authority's certificate, its key, the signers' key.
    static Result<SignerAuthority> read(ByteSpan pem);
    SecureBytes to_pem() const;
    std::string certificate_pem() const;

    // Of at least so many bytes, where that is more than it has by itself.
    Result<Bytes> certificate(std::uint64_t number, std::string_view email,
                              std::size_t bytes_min) const;
    const PrivateKey& signers_key() const { return signers_key_; }

private:
    SignerAuthority(Bytes certificate, PrivateKey key, PrivateKey signers_key);
    static Result<SignerAuthority> of(Bytes certificate, SecureBytes key, SecureBytes signers_key);

    Bytes der_;
    CertificatePtr certificate_;
    PrivateKey key_, signers_key_;
    Bytes signers_public_key_;  // SubjectPublicKeyInfo
    Bytes signers_key_id_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// PKCS#12 files (RFC 7292), by libcrypto: what others export is read, what is written they read.
//
// Read: OpenSSL 3 (PBES2, AES), OpenSSL before and Apple (3DES, RC2-40 with OpenSSL's legacy
// provider), NSS and Windows (BER of indefinite length, more than one safe). Any thread; blocks for
// the key derivation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/pkcs12_key.h"

namespace sealgate {

struct Pkcs12Key {
    std::string friendly_name;  // UTF-8, may be empty
    SecureBytes pkcs8;
};

struct Pkcs12Contents {
    std::vector<Pkcs12Key> keys;
    std::vector<Bytes> certificates;  // DER, in the order of the file
};

// Whether the bytes begin as a PFX does; certificates and keys in DER do not.
bool looks_like_pkcs12(ByteSpan bytes);

// Without a passphrase, none and the empty one are tried (writers differ in what they call none).
// ErrorKind::untrusted: the passphrase is missing or wrong. ErrorKind::unsupported: an algorithm
// that this libcrypto does not have, such as RC2 without the legacy provider.
Result<Pkcs12Contents> read_pkcs12(ByteSpan bytes, const Passphrase& passphrase);

// The certificates of a PKCS#7 file (.p7b, .p7c: SignedData without signers), DER: the form in
// which many authorities send a certificate back.
Result<std::vector<Bytes>> read_pkcs7_certificates(ByteSpan bytes);

enum class Pkcs12Form : std::uint8_t {
    modern,  // PBES2 with PBKDF2 and HMAC-SHA-256, AES-256-CBC, MAC SHA-256
    // 3DES and SHA-1: for GnuPG before 2.2.41, Windows before 2019, macOS before 15.
    legacy,
};
Result<Bytes> write_pkcs12(const std::string& friendly_name, ByteSpan pkcs8, ByteSpan leaf,
                           const std::vector<ByteSpan>& chain, std::string_view passphrase,
                           Pkcs12Form form = Pkcs12Form::modern);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Another reader than ours, without a process for each message: libcrypto's CMS, and its key
// agreement for what its CMS does not know.
#pragma once

#include <optional>
#include <string>

#include "core/bytes.h"
#include "tests/crypto/encrypt_fixture.h"

namespace sealgate::test {

// The content of an enveloped message; none where it cannot be decrypted.
std::optional<std::string> decrypt_with_libcrypto(const std::string& message,
                                                  const Correspondent& who);

// What libcrypto finds in a ContentInfo; none where it reads none.
struct CmsParts {
    int type = 0;  // its NID
    std::size_t recipients = 0;
    std::size_t signers = 0;
    std::size_t certificates = 0;  // X.509 ones
    std::size_t crls = 0;
    bool operator==(const CmsParts&) const = default;
};
std::optional<CmsParts> parts_with_libcrypto(ByteSpan cms);

// RFC 8418 §2.2 step by step: X25519 with the recipient's key, HKDF-SHA-256 over the shared info
// without a salt, RFC 3394's unwrapping. Empty where one of them fails.
Bytes unwrap_x25519_key(const Correspondent& who, ByteSpan ephemeral_key, ByteSpan wrapped_key,
                        ByteSpan shared_info);

}  // namespace sealgate::test

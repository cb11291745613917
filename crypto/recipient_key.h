// SPDX-License-Identifier: GPL-3.0-or-later
// A public key that mail can be encrypted to, with what is known of its owner's software.
//
// Found by crypto/key_ring.h, a directory or the DNS; used by crypto/smime_encrypt.h. A value, any
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "crypto/certificate.h"
#include "crypto/smime_capabilities.h"

namespace sealgate {

struct RecipientKey {
    CertificatePtr certificate;
    SmimeCapabilities capabilities;
    enum class Source : std::uint8_t { manual, harvested, directory, smimea } source{};
    // How it covers the recipient: its very address, its domain, or a wildcard of its domain.
    enum class Match : std::uint8_t { address, domain, wildcard } match{};
    std::string name;  // of a manual key or of the directory; else empty
};

const char* to_text(RecipientKey::Source source);  // "manual", "harvested", "directory", "smimea"
const char* to_text(RecipientKey::Match match);    // "address", "domain", "wildcard"

}  // namespace sealgate

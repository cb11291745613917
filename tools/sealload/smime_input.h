// SPDX-License-Identifier: GPL-3.0-or-later
// S/MIME mail made for a load: signed and encrypted by the gateway's own stages, so that a source
// can play a correspondent whose mail a gateway has to verify and decrypt.
//
// It is made before the first message leaves, in variants, and not message by message: an RSA-2048
// signature costs a hundred times what it costs to send a mail of 10 KB, so a source that signed
// each one would measure itself. Variants differ in their signature, boundary and content keys;
// what a target could remember of a message (its Message-ID) is new each time and outside of all
// this. The mail's own fields stay outside as well, with the digest of the body that is now inside.
// Loop thread; it runs the loop while it works.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop.h"
#include "core/workers.h"
#include "crypto/certificate.h"
#include "crypto/identity.h"

namespace sealgate {

enum class SmimeForm : std::uint8_t { plain, sign, opaque, encrypt, sign_encrypt };
std::optional<SmimeForm> smime_form(std::string_view word);  // "sign", "sign-encrypt"…

struct SmimeKeys {
    IdentityPtr identity;                    // null: nothing can be signed
    std::vector<CertificatePtr> recipients;  // none: nothing can be encrypted
};

// PEM, DER or PKCS#12 files; an empty path is no file. An error's sentence comes in `why`.
Result<SmimeKeys> load_smime_keys(const std::string& certificate, const std::string& key,
                                  const std::vector<std::string>& recipient_certificates,
                                  std::string* why);

class SmimeMaker {
public:
    SmimeMaker(Loop& loop, SmimeKeys keys);

    bool can(SmimeForm form) const;
    // The mail in this form, with its X-Sealload-Digest where it deserves one.
    Result<std::string> make(SmimeForm form, std::string_view mail);

private:
    Loop& loop_;
    SmimeKeys keys_;
    WorkerPool workers_;
};

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// An independent judge of signed mail: libcrypto's CMS, for tests and `sealload sink --verify`.
//
// It shares no code with the writer of crypto/cms_signed_data*, on purpose: where both are wrong in
// the same way, nobody would notice. It wants the whole message in memory, which is why the gateway
// itself never uses it. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sealgate {

struct CmsVerdict {
    bool ok = false;
    std::string why;      // empty when ok: what is wrong, for people
    std::string content;  // the signed bytes, exactly as they were hashed; only when ok
    bool detached = false;
    std::vector<std::string> signers;  // subjects, one for each SignerInfo
    std::string digest;                // "SHA256", of the first SignerInfo
    std::string signature;             // "rsaEncryption", "RSASSA-PSS", "ecdsa-with-SHA256"…
};

// The root of `message` must be multipart/signed or application/pkcs7-mime (RFC 8551). `ca_file`:
// PEM certificates that the signer must lead to; empty: the chain is not looked at, the signature
// over the content is.
CmsVerdict verify_signed_mail(std::string_view message, const std::string& ca_file = "");

// The same for a bare SignedData in DER or BER; `content`: what was signed, when it is detached.
CmsVerdict verify_signed_data(std::string_view cms, std::string_view content,
                              const std::string& ca_file = "");

}  // namespace sealgate

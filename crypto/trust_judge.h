// SPDX-License-Identifier: GPL-3.0-or-later
// An independent judge of S/MIME mail with any layers: libcrypto's CMS opens what was encrypted and
// verifies what was signed, for tests and `sealload sink --verify`.
//
// As crypto/trust_cms.h, it shares no code with the gateway's readers and writers, and wants the
// whole message in memory. EnvelopedData and AuthEnvelopedData, with keys of RSA (PKCS#1 v1.5,
// OAEP) and EC; OpenSSL 3.0 does not know X25519 in CMS. Errors are told as they are, which a
// decrypting gateway must not do: it is an oracle, and never meant to face strangers.
//
// Keys and authorities are loaded first; then open() may be called on any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "crypto/pkcs12_key.h"

namespace sealgate {

// Whom a RecipientInfo is for.
struct CmsRecipient {
    std::string id;                  // "issuer CN=…, serial 0A12", "key identifier …"
    std::vector<std::string> names;  // addresses and domains of its certificate, when it is known
};

struct CmsLayer {
    enum class Kind : std::uint8_t { signed_, encrypted };
    Kind kind = Kind::signed_;
    std::string content;  // the MIME entity inside, exactly as it was signed or encrypted

    bool detached = false;             // of signed ones
    std::vector<std::string> signers;  // subjects, one for each SignerInfo
    std::string digest;                // "SHA256", of the first SignerInfo
    std::string signature;             // "rsaEncryption", "ecdsa-with-SHA256"…

    std::string cipher;                  // of encrypted ones: "aes-256-gcm"
    std::vector<std::string> opened_by;  // names of the certificate whose key opened it
    std::vector<CmsRecipient> recipients;
};

struct OpenedMail {
    bool ok = false;               // every layer was opened or verified
    std::string why;               // empty when ok: what is wrong with the last of them, for people
    std::vector<CmsLayer> layers;  // from outside; none: not an S/MIME message
};

class CmsJudge {
public:
    CmsJudge();
    ~CmsJudge();
    CmsJudge(const CmsJudge&) = delete;
    CmsJudge& operator=(const CmsJudge&) = delete;

    // PEM certificates that signers must lead to; without any, chains are not looked at.
    Result<void> trust(const std::string& file);
    // Keys that open, and certificates that give RecipientInfos their names: PEM (keys and
    // certificates, together or apart), PKCS#12, or folders of these. A key without its certificate
    // is an error: RecipientInfos are found by certificate. `why` names the file.
    Result<void> add_keys(const std::vector<std::string>& paths, const Passphrase& passphrase,
                          std::string* why);
    std::size_t key_count() const;  // certificates with a key

    // The root and what it holds, down to what is not S/MIME. A layer that does not open is the
    // last one listed.
    OpenedMail open(std::string_view message) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sealgate

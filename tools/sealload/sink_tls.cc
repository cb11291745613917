// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/sink_tls.h"

#include <fstream>

#include "crypto/identity.h"
#include "crypto/pem.h"
#include "crypto/pkcs12_key.h"
#include "crypto/tls_context.h"

namespace sealgate {
namespace {

Result<void> add_file(const std::string& path, Identity& identity) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return temporary("cannot read the file");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    for (const PemBlock& block : TRY(read_pem(as_bytes(text)))) {
        if (block.is_private_key()) {
            SecureBytes pkcs8 = TRY(read_private_key(block.text.bytes(), Passphrase()));
            identity.key = TRY(make_private_key(std::move(pkcs8)));
        } else if (block.is_certificate()) {
            CertificatePtr certificate = TRY(Certificate::parse(block.der.bytes()));
            if (!identity.leaf)
                identity.leaf = std::move(certificate);
            else
                identity.chain.push_back(std::move(certificate));
        }
    }
    return {};
}

}  // namespace

Result<std::shared_ptr<TlsContext>> load_sink_tls(const std::string& certificate_file,
                                                  const std::string& key_file, std::string* why) {
    Identity identity;
    identity.name = certificate_file;
    *why = certificate_file;
    TRY(add_file(certificate_file, identity));
    if (!identity.leaf) return malformed("there is no certificate in PEM");
    if (!key_file.empty()) {
        *why = key_file;
        TRY(add_file(key_file, identity));
    }
    if (identity.key.pkcs8.bytes().empty()) return malformed("there is no private key in PEM");
    if (!key_matches(identity.key.pkcs8.bytes(), identity.leaf->public_key_der()))
        return malformed("the key is not the certificate's");
    return TlsContext::server(identity);
}

}  // namespace sealgate

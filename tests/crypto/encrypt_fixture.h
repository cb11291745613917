// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of encryption share: the recipients of tests/data/recipients and of other people's
// test keys, and a message through the stage.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/smime_encrypt.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {

// A certificate, and where it and its key are, PEM.
struct Correspondent {
    std::string name;
    CertificatePtr certificate;
    std::string certificate_file, key_file;
};
// "rsa2048", "rsa3072", "rsa4096", "p256", "p384", "x25519", "capable".
Correspondent correspondent(const std::string& name);
// A folder of SEALGATE_CORPUS_DIR; no certificate where it is absent.
Correspondent corpus_correspondent(const std::string& name, const std::string& certificate,
                                   const std::string& key);

EncryptPlan envelope_for(const std::vector<Correspondent>& recipients,
                         ContentCipher cipher = ContentCipher::aes_256_cbc,
                         RsaTransport transport = RsaTransport::pkcs1);

// Feeds `pieces` through an encrypt stage on a loop with one worker, heeding Flow::full.
Outcome encrypt_message(const EncryptPlan& plan, const std::vector<std::string_view>& pieces);

// In pieces of 64 KB.
std::vector<std::string_view> in_pieces(std::string_view text, std::size_t piece_bytes = 65'536);

}  // namespace sealgate::test

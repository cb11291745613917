// SPDX-License-Identifier: GPL-3.0-or-later
#include <openssl/err.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "crypto/pem.h"
#include "crypto/pkcs12.h"
#include "crypto/trust_judge_state.h"

namespace sealgate {
namespace {

using namespace cms_judge;
namespace fs = std::filesystem;

bool is_key_file(const fs::path& path) {
    const std::string kind = path.extension().string();
    return kind == ".pem" || kind == ".crt" || kind == ".cer" || kind == ".key" || kind == ".p12" ||
           kind == ".pfx";
}

Result<std::vector<fs::path>> files_of(const std::string& path) {
    std::error_code wrong;
    if (!fs::is_directory(path, wrong)) return std::vector<fs::path>{path};
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(path, wrong)) {
        if (is_key_file(entry.path())) files.push_back(entry.path());
    }
    if (wrong) return temporary("cannot read the folder");
    std::sort(files.begin(), files.end());
    return files;
}

Result<Bytes> read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::error_code wrong;
    if (!file || fs::is_directory(path, wrong)) return temporary("cannot read the file");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    return Bytes(text.begin(), text.end());
}

std::vector<std::string> names_of(X509* certificate) {
    std::vector<std::string> names;
    const auto add = [&names](const std::string& name) {
        if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(name);
    };
    STACK_OF(OPENSSL_STRING)* addresses = X509_get1_email(certificate);
    for (int i = 0; i < sk_OPENSSL_STRING_num(addresses); ++i)
        add(sk_OPENSSL_STRING_value(addresses, i));
    X509_email_free(addresses);
    auto* alternatives = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
        if (name->type != GEN_DNS) continue;
        const auto* text = ASN1_STRING_get0_data(name->d.dNSName);
        add(std::string(reinterpret_cast<const char*>(text),
                        static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))));
    }
    GENERAL_NAMES_free(alternatives);
    return names;
}

Result<void> add_certificate(std::vector<KnownCertificate>& known, ByteSpan der) {
    const unsigned char* at = der.data();
    X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!certificate) return malformed("not a certificate");
    KnownCertificate one;
    one.names = names_of(certificate.get());
    if (one.names.empty()) one.names.push_back(subject_of(certificate.get()));
    one.certificate = std::move(certificate);
    known.push_back(std::move(one));
    return {};
}

Result<void> add_key(std::vector<KeyPtr>& keys, ByteSpan pkcs8) {
    const unsigned char* at = pkcs8.data();
    KeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(pkcs8.size())));
    if (!key) return malformed("not a private key");
    keys.push_back(std::move(key));
    return {};
}

}  // namespace

Result<void> CmsJudge::State::add_file(ByteSpan bytes, const Passphrase& passphrase) {
    if (looks_like_pkcs12(bytes)) {
        const Pkcs12Contents contents = TRY(read_pkcs12(bytes, passphrase));
        for (const Bytes& der : contents.certificates) TRY(add_certificate(known, der));
        for (const Pkcs12Key& key : contents.keys) TRY(add_key(keys, key.pkcs8.bytes()));
        return {};
    }
    const std::vector<PemBlock> blocks = TRY(read_pem(bytes));
    if (blocks.empty()) return malformed("neither PEM nor PKCS#12");
    for (const PemBlock& block : blocks) {
        if (block.is_certificate()) TRY(add_certificate(known, block.der.bytes()));
        if (!block.is_private_key()) continue;
        const SecureBytes key = TRY(read_private_key(block.text.bytes(), passphrase));
        TRY(add_key(keys, key.bytes()));
    }
    return {};
}

// False: a key has no certificate.
bool CmsJudge::State::match_keys() {
    bool all = true;
    for (const KeyPtr& key : keys) {
        bool found = false;
        for (KnownCertificate& one : known) {
            if (X509_check_private_key(one.certificate.get(), key.get()) != 1) continue;
            one.key = key.get();
            found = true;
        }
        all &= found;
    }
    ERR_clear_error();  // of keys that did not match
    return all;
}

Result<void> CmsJudge::add_keys(const std::vector<std::string>& paths, const Passphrase& passphrase,
                                std::string* why) {
    for (const std::string& path : paths) {
        *why = path;
        for (const fs::path& file : TRY(files_of(path))) {
            *why = file.string();
            const Bytes bytes = TRY(read_file(file));
            TRY(state_->add_file(bytes, passphrase));
        }
    }
    ERR_clear_error();
    *why = paths.empty() ? "" : paths.back();
    if (!state_->match_keys()) return malformed("there is a private key without its certificate");
    return {};
}

std::size_t CmsJudge::key_count() const {
    return static_cast<std::size_t>(
        std::count_if(state_->known.begin(), state_->known.end(),
                      [](const KnownCertificate& one) { return one.key != nullptr; }));
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/pkcs12.h"

#include <string>

#include "crypto/pkcs12_library.h"

namespace sealgate {
namespace {

using namespace pkcs12;

constexpr int bag_depth_max = 4;  // safes inside safes; none are known in the wild
constexpr std::size_t bags_max = 1000;
constexpr std::size_t file_bytes_max = 4 << 20;
constexpr int derivation_rounds = 10'000;  // each of three times; Java and NSS do as many

// What libcrypto is given: no passphrase is a null pointer, which is not the empty one
// (RFC 7292 §B.2: the empty one is two zero bytes, none is no bytes at all).
struct Secret {
    const char* text = nullptr;
    int length = 0;
};

using SafesPtr =
    std::unique_ptr<STACK_OF(PKCS7),
                    FreedBy<[](STACK_OF(PKCS7) * safes) { sk_PKCS7_pop_free(safes, PKCS7_free); }>>;
using BagsPtr =
    std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), FreedBy<[](STACK_OF(PKCS12_SAFEBAG) * bags) {
                        sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
                    }>>;

using Pkcs7Ptr = std::unique_ptr<PKCS7, FreedBy<PKCS7_free>>;

tl::unexpected<Error> why_not(const char* otherwise) {
    // An unknown cipher or digest shows as "unsupported" somewhere in the queue.
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
        const int reason = ERR_GET_REASON(code);
        if (reason != ERR_R_UNSUPPORTED && reason != EVP_R_UNSUPPORTED_ALGORITHM &&
            reason != EVP_R_UNKNOWN_PBE_ALGORITHM && reason != EVP_R_UNSUPPORTED_CIPHER) {
            continue;
        }
        return library().has_legacy
                   ? unsupported("PKCS#12 file is encrypted with an algorithm that is not known")
                   : unsupported(
                         "PKCS#12 file needs RC2 or the like, which OpenSSL's legacy "
                         "provider has, and that provider is not installed");
    }
    return untrusted(otherwise);
}

class Reader {
public:
    explicit Reader(Secret secret) : secret_(secret) {}

    Result<void> read_safes(const PKCS12* file) {
        const SafesPtr safes(PKCS12_unpack_authsafes(file));
        if (!safes) return malformed("PKCS#12 file without contents");
        for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) {
            TRY(read_safe(sk_PKCS7_value(safes.get(), i)));
        }
        return {};
    }
    Pkcs12Contents take() { return std::move(contents_); }

private:
    Result<void> read_safe(PKCS7* safe) {
        const int kind = OBJ_obj2nid(safe->type);
        if (kind == NID_pkcs7_data) {
            const BagsPtr bags(PKCS12_unpack_p7data(safe));
            if (!bags) return malformed("PKCS#12 file with a malformed safe");
            return read_bags(bags.get(), 0);
        }
        if (kind != NID_pkcs7_encrypted) {
            return unsupported("PKCS#12 file encrypted for a public key");
        }
        const BagsPtr bags(PKCS12_unpack_p7encdata(safe, secret_.text, secret_.length));
        if (!bags) return why_not("the passphrase is wrong");
        return read_bags(bags.get(), 0);
    }

    Result<void> read_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth) {
        if (depth == bag_depth_max) return past_limit("PKCS#12 file with safes five deep");
        for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
            if (++bags_seen_ > bags_max) return past_limit("PKCS#12 file of more than 1,000 items");
            TRY(read_bag(sk_PKCS12_SAFEBAG_value(bags, i), depth));
        }
        return {};
    }

    Result<void> read_bag(const PKCS12_SAFEBAG* bag, int depth) {
        switch (PKCS12_SAFEBAG_get_nid(bag)) {
        case NID_keyBag: return add_key(bag, PKCS12_SAFEBAG_get0_p8inf(bag));
        case NID_pkcs8ShroudedKeyBag: {
            const Pkcs8Ptr info(PKCS12_decrypt_skey_ex(bag, secret_.text, secret_.length,
                                                       library().context, nullptr));
            if (!info) return why_not("the passphrase is wrong");
            return add_key(bag, info.get());
        }
        case NID_certBag: return add_certificate(bag);
        case NID_safeContentsBag: return read_bags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
        default: return {};  // CRLs, secrets: not for us
        }
    }

    Result<void> add_key(const PKCS12_SAFEBAG* bag, const PKCS8_PRIV_KEY_INFO* info) {
        // Through the key itself: attributes that the writer gave it are left behind.
        const KeyPtr native(EVP_PKCS82PKEY_ex(info, library().context, nullptr));
        if (!native) return unsupported("PKCS#12 file with a key of an unknown kind");
        Pkcs12Key key;
        key.pkcs8 = TRY(to_pkcs8(native.get()));
        // The function is not const-correct; it only reads.
        char* name = PKCS12_get_friendlyname(const_cast<PKCS12_SAFEBAG*>(bag));
        if (name != nullptr) key.friendly_name = name;
        OPENSSL_free(name);
        contents_.keys.push_back(std::move(key));
        return {};
    }

    Result<void> add_certificate(const PKCS12_SAFEBAG* bag) {
        if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) return {};
        const CertificateHandle certificate(PKCS12_SAFEBAG_get1_cert(bag));
        std::uint8_t* der = nullptr;
        const int length = certificate ? i2d_X509(certificate.get(), &der) : 0;
        if (length <= 0) return malformed("PKCS#12 file with a malformed certificate");
        contents_.certificates.emplace_back(der, der + length);
        OPENSSL_free(der);
        return {};
    }

    Secret secret_;
    Pkcs12Contents contents_;
    std::size_t bags_seen_ = 0;
};

Pkcs12Ptr decode(ByteSpan bytes) {
    // Decoded into an object of our library context: that is where the legacy provider is.
    PKCS12* file = PKCS12_init_ex(NID_pkcs7_data, library().context, nullptr);
    if (file == nullptr) return nullptr;
    const BioPtr bio = reading(bytes);
    if (d2i_PKCS12_bio(bio.get(), &file) == nullptr) {
        PKCS12_free(file);  // null when d2i has freed it, as 3.0 does
        return nullptr;
    }
    return Pkcs12Ptr(file);
}

// Which of the secrets the MAC says is right; without a MAC the ciphers will tell.
Result<Secret> find_secret(PKCS12* file, const Passphrase& passphrase) {
    if (passphrase) {
        const Secret given{passphrase->data() != nullptr ? passphrase->data() : "",
                           static_cast<int>(passphrase->size())};
        if (PKCS12_mac_present(file) == 0) return given;
        if (PKCS12_verify_mac(file, given.text, given.length) == 1) return given;
        if (given.length == 0 && PKCS12_verify_mac(file, nullptr, 0) == 1) return Secret{};
        return why_not("the passphrase is wrong");
    }
    if (PKCS12_mac_present(file) == 0) return Secret{};
    if (PKCS12_verify_mac(file, nullptr, 0) == 1) return Secret{};
    ERR_clear_error();
    if (PKCS12_verify_mac(file, "", 0) == 1) return Secret{"", 0};
    return why_not("a passphrase is needed");
}

CertificateHandle certificate_from(ByteSpan der) {
    const std::uint8_t* at = der.data();
    return CertificateHandle(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

}  // namespace

bool looks_like_pkcs12(ByteSpan bytes) {
    // PFX ::= SEQUENCE { version INTEGER (3), … }: the length of the SEQUENCE in any form.
    if (bytes.size() < 8 || bytes[0] != 0x30) return false;
    const std::size_t header = bytes[1] <= 0x80 ? 2 : 2U + (bytes[1] & 0x7fU);
    return header + 3 <= bytes.size() && bytes[header] == 0x02 && bytes[header + 1] == 0x01 &&
           bytes[header + 2] == 0x03;
}

Result<Pkcs12Contents> read_pkcs12(ByteSpan bytes, const Passphrase& passphrase) {
    const ErrorsForgotten forgotten;
    if (bytes.size() > file_bytes_max) return past_limit("PKCS#12 file of more than 4 MB");
    const Pkcs12Ptr file = decode(bytes);
    if (!file) return malformed("not a PKCS#12 file");
    Reader reader(TRY(find_secret(file.get(), passphrase)));
    TRY(reader.read_safes(file.get()));
    return reader.take();
}

Result<std::vector<Bytes>> read_pkcs7_certificates(ByteSpan bytes) {
    const ErrorsForgotten forgotten;
    if (bytes.size() > file_bytes_max) return past_limit("PKCS#7 file of more than 4 MB");
    const std::uint8_t* at = bytes.data();
    const Pkcs7Ptr file(d2i_PKCS7(nullptr, &at, static_cast<long>(bytes.size())));
    if (!file || !PKCS7_type_is_signed(file.get()) || file->d.sign == nullptr) {
        return malformed("not a PKCS#7 file with certificates");
    }
    std::vector<Bytes> certificates;
    const STACK_OF(X509)* stack = file->d.sign->cert;
    for (int i = 0; i < sk_X509_num(stack); ++i) {
        std::uint8_t* der = nullptr;
        const int length = i2d_X509(sk_X509_value(stack, i), &der);
        if (length <= 0) return malformed("PKCS#7 file with a malformed certificate");
        certificates.emplace_back(der, der + length);
        OPENSSL_free(der);
    }
    return certificates;
}

Result<Bytes> write_pkcs12(const std::string& friendly_name, ByteSpan pkcs8, ByteSpan leaf,
                           const std::vector<ByteSpan>& chain, std::string_view passphrase,
                           Pkcs12Form form) {
    const ErrorsForgotten forgotten;
    const KeyPtr key = key_from_pkcs8(pkcs8);
    const CertificateHandle certificate = certificate_from(leaf);
    if (!key || !certificate) return malformed("key or certificate that libcrypto does not read");
    STACK_OF(X509)* others = sk_X509_new_null();
    bool has_all = others != nullptr;
    for (const ByteSpan& der : chain) {
        CertificateHandle other = certificate_from(der);
        has_all = has_all && other && sk_X509_push(others, other.get()) > 0;
        if (has_all) (void)other.release();  // the stack's now
    }
    const std::string secret(passphrase);  // libcrypto wants a NUL behind it
    const bool is_modern = form == Pkcs12Form::modern;
    const int cipher = is_modern ? NID_aes_256_cbc : NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
    Pkcs12Ptr file;
    if (has_all) {
        file.reset(PKCS12_create_ex(secret.c_str(), friendly_name.c_str(), key.get(),
                                    certificate.get(), others, cipher, cipher, derivation_rounds,
                                    -1, 0, library().context, nullptr));
    }
    sk_X509_pop_free(others, X509_free);
    if (!file || PKCS12_set_mac(file.get(), secret.c_str(), -1, nullptr, 0, derivation_rounds,
                                is_modern ? EVP_sha256() : EVP_sha1()) != 1) {
        return internal("PKCS#12 file could not be made");
    }
    std::uint8_t* der = nullptr;
    const int length = i2d_PKCS12(file.get(), &der);
    if (length <= 0) return internal("PKCS#12 file could not be written");
    Bytes bytes(der, der + length);
    OPENSSL_free(der);
    return bytes;
}

}  // namespace sealgate

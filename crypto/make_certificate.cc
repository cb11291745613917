// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/make_certificate.h"

#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "crypto/ber_writer.h"
#include "crypto/pkcs12_key.h"
#include "crypto/wolf.h"
#include "crypto/worker_keys.h"

namespace sealgate {
namespace {

constexpr std::int64_t end_of_time = 253402300799;  // 9999-12-31 23:59:59, RFC 5280 §4.1.2.5

// RFC 5280 Appendix A.1, id-at: 2.5.4.N
struct Attribute {
    std::uint8_t number;
    std::string SubjectText::*field;
    std::size_t characters_max;
};
constexpr Attribute attributes[] = {
    {6, &SubjectText::country, 2},    {8, &SubjectText::state, 128},
    {7, &SubjectText::locality, 128}, {10, &SubjectText::organization, 64},
    {11, &SubjectText::unit, 64},     {3, &SubjectText::common_name, 64},
};
constexpr std::uint8_t utf8_string = 0x0c;
constexpr std::uint8_t printable_string = 0x13;
constexpr std::uint8_t rfc822_name = 0x81;  // GeneralName [1]
constexpr std::uint8_t dns_name = 0x82;     // GeneralName [2]

std::size_t characters_of(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
        return (static_cast<unsigned>(c) & 0xc0) != 0x80;
    }));
}

Result<SecureBytes> make_rsa_key(int bits, WC_RNG* rng) {
    RsaKey key;
    if (wc_InitRsaKey(&key, nullptr) != 0) return internal("RSA key could not be set up");
    SecureBytes pkcs1(8192);
    int pkcs1_bytes = wc_MakeRsaKey(&key, bits, WC_RSA_EXPONENT, rng);
    if (pkcs1_bytes == 0) {
        pkcs1_bytes = wc_RsaKeyToDer(&key, pkcs1.data(), static_cast<word32>(pkcs1.size()));
    }
    wc_FreeRsaKey(&key);
    if (pkcs1_bytes <= 0) return internal("RSA key could not be made");
    return read_private_key(pkcs1.bytes().first(static_cast<std::size_t>(pkcs1_bytes)),
                            std::nullopt);
}

Result<SecureBytes> make_ecc_key(int bytes, int curve, WC_RNG* rng) {
    ecc_key key;
    if (wc_ecc_init(&key) != 0) return internal("EC key could not be set up");
    SecureBytes der(1024);
    auto length = static_cast<word32>(der.size());
    int error = wc_ecc_make_key_ex(rng, bytes, &key, curve);
    if (error == 0) {
        const int written = wc_EccKeyToPKCS8(&key, der.data(), &length);
        error = written < 0 ? written : 0;
    }
    wc_ecc_free(&key);
    if (error != 0) return internal("EC key could not be made");
    return read_private_key(der.bytes().first(length), std::nullopt);
}

Result<SecureBytes> make_ed25519_key(WC_RNG* rng) {
    ed25519_key key;
    if (wc_ed25519_init(&key) != 0) return internal("Ed25519 key could not be set up");
    SecureBytes der(256);
    int length = wc_ed25519_make_key(rng, ED25519_KEY_SIZE, &key);
    if (length == 0) {
        length = wc_Ed25519PrivateKeyToDer(&key, der.data(), static_cast<word32>(der.size()));
    }
    wc_ed25519_free(&key);
    if (length <= 0) return internal("Ed25519 key could not be made");
    return read_private_key(der.bytes().first(static_cast<std::size_t>(length)), std::nullopt);
}

// wolfSSL's functions take the key as a void pointer with its kind beside it.
struct SigningKey {
    std::unique_ptr<WorkerKey> owner;
    void* key = nullptr;
    int type = 0;
    int signature = 0;
    std::uint16_t usage = 0;
};

Result<SigningKey> signing_key_from(ByteSpan pkcs8) {
    const PrivateKeyFacts facts = TRY(private_key_facts(pkcs8));
    PrivateKey plain{facts.kind, facts.bits, SecureBytes::copy_of(pkcs8), 0};
    SigningKey signing;
    signing.owner = TRY(WorkerKey::decode(plain));
    switch (facts.kind) {
    case KeyKind::rsa:
        signing.key = signing.owner->rsa.get();
        signing.type = RSA_TYPE;
        signing.signature = CTC_SHA256wRSA;
        signing.usage = KEYUSE_DIGITAL_SIG | KEYUSE_KEY_ENCIPHER;
        return signing;
    case KeyKind::p256:
    case KeyKind::p384:
        // A key that came without its public half (RFC 5915 makes it optional) gets it here.
        if (signing.owner->ecc->type == ECC_PRIVATEKEY_ONLY &&
            wc_ecc_make_pub(signing.owner->ecc.get(), nullptr) != 0) {
            return malformed("EC key without a public half that could be made");
        }
        signing.key = signing.owner->ecc.get();
        signing.type = ECC_TYPE;
        signing.signature = facts.kind == KeyKind::p256 ? CTC_SHA256wECDSA : CTC_SHA384wECDSA;
        signing.usage = KEYUSE_DIGITAL_SIG | KEYUSE_KEY_AGREE;
        return signing;
    case KeyKind::ed25519:
        signing.key = signing.owner->ed25519.get();
        signing.type = ED25519_TYPE;
        signing.signature = CTC_ED25519;
        signing.usage = KEYUSE_DIGITAL_SIG;
        return signing;
    case KeyKind::x25519:
    case KeyKind::other: break;
    }
    return unsupported("a key of this kind cannot sign");
}

// wolfSSL writes the SEQUENCE around a raw name itself, and takes its contents to end at the first
// NUL, which only an attribute of 256 bytes, or one in UTF-16, has.
Result<void> put_name(std::uint8_t* raw, std::size_t raw_bytes, ByteSpan name) {
    if (name.size() < 2) return malformed("subject name is empty");
    const std::size_t header_bytes = name[1] < 0x80 ? 2 : 2U + (name[1] & 0x7fU);
    if (name.size() <= header_bytes) return malformed("subject name is empty");
    name = name.subspan(header_bytes);
    if (name.size() >= raw_bytes) return past_limit("subject name of more than 1 KB");
    if (std::find(name.begin(), name.end(), 0) != name.end()) {
        return unsupported(
            "subject name of a length, or in a character set, that wolfSSL "
            "cannot write; change a character");
    }
    std::memcpy(raw, name.data(), name.size());
    return {};
}

Result<void> put_alternative_names(Cert& cert, const CertificatePlan& plan) {
    if (plan.emails.empty() && plan.domains.empty()) return {};
    BerWriter writer;
    writer.sequence([&] {
        for (const std::string& email : plan.emails) writer.element(rfc822_name, as_bytes(email));
        for (const std::string& domain : plan.domains) writer.element(dns_name, as_bytes(domain));
    });
    const Bytes names = writer.take();
    if (names.size() > sizeof cert.altNames) return past_limit("more than 16 KB of names");
    std::memcpy(cert.altNames, names.data(), names.size());
    cert.altNamesSz = static_cast<int>(names.size());
    return {};
}

void put_date(std::uint8_t* date, int& date_bytes, std::int64_t seconds) {
    BerWriter writer;
    writer.time(std::min(seconds, end_of_time));
    std::memcpy(date, writer.bytes().data(), writer.bytes().size());
    date_bytes = static_cast<int>(writer.bytes().size());
}

// All that a certificate and a request have in common.
Result<std::unique_ptr<Cert>> filled(const CertificatePlan& plan, const SigningKey& key) {
    auto cert = std::make_unique<Cert>();
    if (wc_InitCert(cert.get()) != 0) return internal("certificate could not be set up");
    TRY(put_name(cert->sbjRaw, sizeof cert->sbjRaw, plan.subject));
    TRY(put_alternative_names(*cert, plan));
    cert->sigType = key.signature;
    cert->keyUsage = key.usage;
    cert->extKeyUsage = EXTKEYUSE_EMAILPROT;
    if (!plan.domains.empty()) cert->extKeyUsage |= EXTKEYUSE_SERVER_AUTH | EXTKEYUSE_CLIENT_AUTH;
    cert->basicConstSet = 1;  // an empty SEQUENCE: CA is FALSE by default, and DER leaves it out
    if (wc_SetSubjectKeyIdFromPublicKey_ex(cert.get(), key.type, key.key) != 0) {
        return internal("subject key identifier could not be made");
    }
    return cert;
}

Result<Bytes> sign(Cert& cert, Bytes& buffer, int body_bytes, const SigningKey& key) {
    if (body_bytes < 0) return internal("certificate could not be encoded");
    const int whole =
        wc_SignCert_ex(body_bytes, cert.sigType, buffer.data(), static_cast<word32>(buffer.size()),
                       key.type, key.key, TRY(thread_rng()));
    if (whole < 0) return internal("certificate could not be signed");
    buffer.resize(static_cast<std::size_t>(whole));
    return std::move(buffer);
}

}  // namespace

std::optional<NewKey> parse_new_key(std::string_view text) {
    static constexpr std::pair<std::string_view, NewKey> words[] = {
        {"rsa:2048", NewKey::rsa_2048}, {"rsa:3072", NewKey::rsa_3072},
        {"rsa:4096", NewKey::rsa_4096}, {"p256", NewKey::p256},
        {"p384", NewKey::p384},         {"ed25519", NewKey::ed25519},
    };
    for (const auto& [word, kind] : words) {
        if (word == text) return kind;
    }
    return std::nullopt;
}

Result<SecureBytes> make_key(NewKey kind) {
    WC_RNG* rng = TRY(thread_rng());
    switch (kind) {
    case NewKey::rsa_2048: return make_rsa_key(2048, rng);
    case NewKey::rsa_3072: return make_rsa_key(3072, rng);
    case NewKey::rsa_4096: return make_rsa_key(4096, rng);
    case NewKey::p256: return make_ecc_key(32, ECC_SECP256R1, rng);
    case NewKey::p384: return make_ecc_key(48, ECC_SECP384R1, rng);
    case NewKey::ed25519: return make_ed25519_key(rng);
    }
    return internal("unknown kind of key");
}

Result<Bytes> subject_to_der(const SubjectText& subject) {
    if (subject.common_name.empty()) return malformed("a common name is needed");
    const std::string& country = subject.country;
    const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (!country.empty() &&
        (country.size() != 2 || !std::all_of(country.begin(), country.end(), is_letter))) {
        return malformed("a country is two capital letters (ISO 3166)");
    }
    BerWriter writer;
    writer.sequence([&] {
        for (const Attribute& attribute : attributes) {
            const std::string& value = subject.*attribute.field;
            if (value.empty()) continue;
            const std::array<std::uint8_t, 3> oid{0x55, 0x04, attribute.number};
            const auto tag = attribute.number == 6 ? printable_string : utf8_string;
            writer.set([&] {
                writer.sequence([&] {
                    writer.element(ber::object_identifier, ByteSpan(oid));
                    writer.element(tag, as_bytes(value));
                });
            });
        }
    });
    for (const Attribute& attribute : attributes) {
        if (characters_of(subject.*attribute.field) > attribute.characters_max) {
            return past_limit("a name of more than 64 (locality and state: 128) characters");
        }
    }
    return writer.take();
}

Result<Bytes> make_self_signed(const CertificatePlan& plan, ByteSpan pkcs8) {
    const SigningKey key = TRY(signing_key_from(pkcs8));
    const std::unique_ptr<Cert> cert = TRY(filled(plan, key));
    TRY(put_name(cert->issRaw, sizeof cert->issRaw, plan.subject));
    put_date(cert->beforeDate, cert->beforeDateSz, plan.not_before);
    put_date(cert->afterDate, cert->afterDateSz, plan.not_after);
    cert->serialSz = 16;
    TRY(fill_random(cert->serial, 16));
    // RFC 5280 §4.1.2.2: positive, at most 20 octets; the second bit keeps its length the same.
    cert->serial[0] = static_cast<std::uint8_t>((cert->serial[0] & 0x7f) | 0x40);
    Bytes buffer(static_cast<std::size_t>(cert->altNamesSz) + 8192);
    const int body = wc_MakeCert_ex(cert.get(), buffer.data(), static_cast<word32>(buffer.size()),
                                    key.type, key.key, TRY(thread_rng()));
    return sign(*cert, buffer, body, key);
}

Result<Bytes> make_request(const CertificatePlan& plan, ByteSpan pkcs8) {
    const SigningKey key = TRY(signing_key_from(pkcs8));
    const std::unique_ptr<Cert> cert = TRY(filled(plan, key));
    cert->version = 0;  // RFC 2986 §4.1: v1(0)
    Bytes buffer(static_cast<std::size_t>(cert->altNamesSz) + 8192);
    const int body = wc_MakeCertReq_ex(cert.get(), buffer.data(),
                                       static_cast<word32>(buffer.size()), key.type, key.key);
    return sign(*cert, buffer, body, key);
}

}  // namespace sealgate

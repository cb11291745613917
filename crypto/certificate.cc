// SPDX-License-Identifier: GPL-3.0-or-later
// Parsing: wolfSSL decodes and judges the structure; what CMS needs byte for byte (names, serial
// number, public key) is then cut out of the same bytes along the seven fields of TBSCertificate.
#include "crypto/certificate.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include "crypto/certificate_text.h"

namespace sealgate {
namespace {

// A real one has 1–3 KB; those for a thousand domains 30 KB.
constexpr std::size_t certificate_bytes_max = 256 * 1024;

class Decoded {
public:
    explicit Decoded(ByteSpan der) {
        wc_InitDecodedCert(&cert_, der.data(), static_cast<word32>(der.size()), nullptr);
    }
    ~Decoded() { wc_FreeDecodedCert(&cert_); }
    Decoded(const Decoded&) = delete;
    Decoded& operator=(const Decoded&) = delete;

    // A critical extension that nobody knows is for the judges of chains; all is decoded then.
    int parse() {
        const int error = wc_ParseCert(&cert_, CERT_TYPE, NO_VERIFY, nullptr);
        return error == ASN_CRIT_EXT_E ? 0 : error;
    }
    const DecodedCert& operator*() const { return cert_; }
    const DecodedCert* operator->() const { return &cert_; }

private:
    DecodedCert cert_;
};

// Cuts DER elements one after the other. wolfSSL has accepted the structure before; the bounds are
// checked all the same.
class Cutter {
public:
    explicit Cutter(ByteSpan der) : left_(der) {}

    struct Element {
        ByteSpan whole, contents;
        std::uint8_t tag = 0;
    };
    Result<Element> next() {
        if (left_.size() < 2) return malformed("certificate field cut short");
        std::size_t length = left_[1];
        std::size_t header = 2;
        if (length >= 0x80) {
            const std::size_t count = length & 0x7f;
            if (count == 0 || count > 4) return malformed("certificate field of odd length form");
            if (left_.size() < 2 + count) return malformed("certificate field cut short");
            length = 0;
            for (std::size_t i = 0; i < count; ++i) length = length << 8 | left_[2 + i];
            header += count;
        }
        if (left_.size() - header < length) return malformed("certificate field cut short");
        const Element element{left_.first(header + length), left_.subspan(header, length),
                              left_[0]};
        left_ = left_.subspan(header + length);
        return element;
    }
    bool at(std::uint8_t tag) const { return !left_.empty() && left_[0] == tag; }

private:
    ByteSpan left_;
};

struct Fields {
    ByteSpan whole;  // the certificate without anything behind it
    ByteSpan serial, issuer, validity, subject, public_key;
    ByteSpan serial_contents;
};

// RFC 5280 §4.1: Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serialNumber,
// signature, issuer, validity, subject, subjectPublicKeyInfo, … } … }
Result<Fields> cut_fields(ByteSpan der) {
    Fields fields;
    const auto certificate = TRY(Cutter(der).next());
    fields.whole = certificate.whole;
    const auto body = TRY(Cutter(certificate.contents).next());
    Cutter cutter(body.contents);
    if (cutter.at(0xa0)) (void)TRY(cutter.next());
    const auto serial = TRY(cutter.next());
    if (serial.tag != 0x02) return malformed("certificate without a serial number");
    fields.serial = serial.whole;
    fields.serial_contents = serial.contents;
    (void)TRY(cutter.next());  // signature algorithm
    fields.issuer = TRY(cutter.next())
    .whole;
    fields.validity = TRY(cutter.next())
    .contents;
    fields.subject = TRY(cutter.next())
    .whole;
    fields.public_key = TRY(cutter.next())
    .whole;
    return fields;
}

// wolfSSL 5.7.2 knows X25519 keys, but not in certificates (RFC 8410): it is shown the same
// certificate with the algorithm called Ed25519, whose keys have the same form. Only our private
// copy is changed, and signatures are not checked here.
bool disguise_x25519(Bytes& copy, const Fields& fields, ByteSpan der) {
    static constexpr std::array<std::uint8_t, 9> begin{0x30, 0x2a, 0x30, 0x05, 0x06,
                                                       0x03, 0x2b, 0x65, 0x6e};
    if (fields.public_key.size() < begin.size() ||
        !std::equal(begin.begin(), begin.end(), fields.public_key.begin())) {
        return false;
    }
    copy.assign(der.begin(), der.end());
    const auto at = static_cast<std::size_t>(fields.public_key.data() - der.data());
    copy[at + begin.size() - 1] = 0x70;
    return true;
}

// RFC 5280 §4.1.2.2: "Certificate users SHOULD be prepared to gracefully handle" serial numbers
// that are zero; known roots have it (SECOM, GoDaddy, HARICA). wolfSSL refuses them: it is shown a
// one.
void disguise_serial_zero(Bytes& copy, const Fields& fields, ByteSpan der) {
    if (fields.serial_contents.size() != 1 || fields.serial_contents[0] != 0) return;
    if (copy.empty()) copy.assign(der.begin(), der.end());
    copy[static_cast<std::size_t>(fields.serial_contents.data() - der.data())] = 1;
}

// RFC 5480 §2.1.1 forbids it, OpenSSL can write it, and wolfSSL calls it malformed.
bool has_spelt_out_curve(const Fields& fields) {
    static constexpr std::array<std::uint8_t, 7> ec_public_key{0x2a, 0x86, 0x48, 0xce,
                                                               0x3d, 0x02, 0x01};
    const auto whole = Cutter(fields.public_key).next();
    if (!whole) return false;
    const auto algorithm = Cutter(whole->contents).next();
    if (!algorithm) return false;
    Cutter cutter(algorithm->contents);
    const auto name = cutter.next();
    return name && std::ranges::equal(name->contents, ec_public_key) && cutter.at(0x30);
}

Result<std::int64_t> next_time(Cutter& cutter) {
    const auto element = TRY(cutter.next());
    struct tm calendar {};
    if (element.tag != 0x17 && element.tag != 0x18) return malformed("certificate without dates");
    // wolfSSL reads 13 or 15 characters and is not told how many there are.
    if (element.contents.size() < (element.tag == 0x17 ? 13U : 15U)) {
        return malformed("certificate date too short");
    }
    if (wc_GetDateAsCalendarTime(element.contents.data(), static_cast<int>(element.contents.size()),
                                 element.tag, &calendar) != 0) {
        return malformed("certificate date cannot be read");
    }
    return static_cast<std::int64_t>(timegm(&calendar));
}

unsigned rsa_bits(ByteSpan public_key) {
    RsaKey key;
    if (wc_InitRsaKey(&key, nullptr) != 0) return 0;
    word32 index = 0;
    unsigned bits = 0;
    if (wc_RsaPublicKeyDecode(public_key.data(), &index, &key,
                              static_cast<word32>(public_key.size())) == 0) {
        bits = static_cast<unsigned>(mp_count_bits(&key.n));
    }
    wc_FreeRsaKey(&key);
    return bits;
}

struct KeyFacts {
    KeyKind kind = KeyKind::other;
    unsigned bits = 0;
};

KeyFacts key_facts(const DecodedCert& cert, const Fields& fields, bool is_x25519) {
    if (is_x25519) return {KeyKind::x25519, 253};
    switch (cert.keyOID) {
    case RSAk: return {KeyKind::rsa, rsa_bits(fields.public_key)};
    case ED25519k: return {KeyKind::ed25519, 256};
    case ECDSAk:
        // Explicit parameters leave pkCurveOID zero: other.
        if (cert.pkCurveOID == ECC_SECP256R1_OID) return {KeyKind::p256, 256};
        if (cert.pkCurveOID == ECC_SECP384R1_OID) return {KeyKind::p384, 384};
        return {};
    default: return {};
    }
}

// The Name for people, in the order of the certificate, and the attribute of `want_nid` (last one).
std::string name_text(const void* name, int want_nid, std::string& wanted) {
    // The functions take a non-const pointer and change nothing.
    auto* x509_name = static_cast<WOLFSSL_X509_NAME*>(const_cast<void*>(name));
    std::string text;
    if (x509_name == nullptr) return text;
    const int count = wolfSSL_X509_NAME_entry_count(x509_name);
    for (int i = 0; i < count; ++i) {
        WOLFSSL_X509_NAME_ENTRY* entry = wolfSSL_X509_NAME_get_entry(x509_name, i);
        if (entry == nullptr) continue;
        WOLFSSL_ASN1_STRING* value = wolfSSL_X509_NAME_ENTRY_get_data(entry);
        const int nid = wolfSSL_OBJ_obj2nid(wolfSSL_X509_NAME_ENTRY_get_object(entry));
        if (value == nullptr) continue;
        const ByteSpan bytes{wolfSSL_ASN1_STRING_data(value),
                             static_cast<std::size_t>(wolfSSL_ASN1_STRING_length(value))};
        const std::string readable = name_value_to_utf8(bytes);
        if (nid == want_nid) wanted = readable;
        const char* label = wolfSSL_OBJ_nid2sn(nid);
        if (!text.empty()) text += ", ";
        text += label != nullptr ? label : "?";
        text += '=';
        text += escape_name_value(readable);
    }
    return text;
}

std::vector<std::string> names_of(const DNS_entry* entry, int type, bool is_mail) {
    std::vector<std::string> names;
    for (; entry != nullptr; entry = entry->next) {
        if (entry->type != type) continue;
        const std::string_view name(entry->name, static_cast<std::size_t>(entry->len));
        // An IA5String that holds NUL, blanks or 8-bit bytes is an attack or a mistake, not a name.
        const auto normal = is_mail ? normal_mail_address(name) : normal_domain(name);
        if (normal) names.push_back(*normal);
    }
    return names;
}

}  // namespace

Result<std::shared_ptr<const Certificate>> Certificate::parse(ByteSpan der) {
    if (der.size() > certificate_bytes_max) return past_limit("certificate of more than 256 KB");
    const Fields fields = TRY(cut_fields(der));
    if (fields.whole.size() != der.size()) return malformed("bytes behind the certificate");

    std::shared_ptr<Certificate> made(new Certificate());
    Bytes disguised;
    const bool is_x25519 = disguise_x25519(disguised, fields, der);
    disguise_serial_zero(disguised, fields, der);
    Decoded decoded(disguised.empty() ? der : ByteSpan(disguised));
    switch (const int error = decoded.parse()) {
    case 0: break;
    case ASN_UNKNOWN_OID_E:
    case ECC_CURVE_OID_E: return unsupported("certificate with an algorithm that is not supported");
    case KEYUSAGE_E: return malformed("certificate with keyCertSign that is not of an authority");
    default:
        if (error == MEMORY_E) return temporary("out of memory");
        if (has_spelt_out_curve(fields)) {
            return unsupported("certificate with an EC curve that is spelt out, not named");
        }
        return malformed("not a valid X.509 certificate");
    }

    const auto copy = [](ByteSpan bytes) { return Bytes(bytes.begin(), bytes.end()); };
    made->der_ = copy(der);
    made->serial_der_ = copy(fields.serial);
    made->serial_ = to_hexadecimal(fields.serial_contents);
    made->issuer_der_ = copy(fields.issuer);
    made->subject_der_ = copy(fields.subject);
    made->public_key_der_ = copy(fields.public_key);
    Cutter validity(fields.validity);
    made->not_before_ = TRY(next_time(validity));
    made->not_after_ = TRY(next_time(validity));

    const KeyFacts key = key_facts(*decoded, fields, is_x25519);
    made->key_kind_ = key.kind;
    made->key_bits_ = key.bits;
    if (decoded->extSubjKeyIdSet && decoded->extSubjKeyIdSrc != nullptr) {
        made->subject_key_id_ = copy({decoded->extSubjKeyIdSrc, decoded->extSubjKeyIdSz});
    }
    if (decoded->extKeyUsageSet) made->key_usage_ = rfc5280_key_usage(decoded->extKeyUsage);
    if (decoded->extExtKeyUsageSet) {
        made->email_protection_ =
            (decoded->extExtKeyUsage & (EXTKEYUSE_EMAILPROT | EXTKEYUSE_ANY)) != 0;
    }
    made->is_authority_ = decoded->isCA;

    std::string ignored, subject_email;
    made->subject_ = name_text(decoded->subjectName, NID_commonName, made->common_name_);
    made->issuer_ = name_text(decoded->issuerName, NID_commonName, ignored);
    (void)name_text(decoded->subjectName, NID_emailAddress, subject_email);
    made->has_subject_alternative_name_ = decoded->extSubjAltNameSet;
    made->emails_ = names_of(decoded->altEmailNames, ASN_RFC822_TYPE, true);
    made->domains_ = names_of(decoded->altNames, ASN_DNS_TYPE, false);
    if (!made->has_subject_alternative_name_ && !subject_email.empty()) {
        if (auto email = normal_mail_address(subject_email)) made->emails_.push_back(*email);
    }
    return std::shared_ptr<const Certificate>(std::move(made));
}

}  // namespace sealgate

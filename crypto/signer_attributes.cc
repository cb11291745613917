// SPDX-License-Identifier: GPL-3.0-or-later
// The attributes of a SignerInfo.
#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>
#include <string_view>
#include <utility>

#include "crypto/ber_writer.h"
#include "crypto/der_reader.h"
#include "crypto/oid.h"
#include "crypto/signer_info.h"

namespace sealgate {
namespace {

enum class Kind : std::uint8_t {
    content_type,
    message_digest,
    signing_time,
    capabilities,
    encryption_key,
    microsoft_encryption_key,
    signing_certificate,
    signing_certificate_v2,
    algorithm_protection,
};
constexpr std::size_t kind_count = 9;

struct Row {
    ByteSpan type;
    Kind kind;
};
const Row rows[kind_count] = {
    {oid::content_type, Kind::content_type},
    {oid::message_digest, Kind::message_digest},
    {oid::signing_time, Kind::signing_time},
    {oid::smime_capabilities, Kind::capabilities},
    {oid::encryption_key_preference, Kind::encryption_key},
    {oid::microsoft_encryption_key, Kind::microsoft_encryption_key},
    {oid::signing_certificate, Kind::signing_certificate},
    {oid::signing_certificate_v2, Kind::signing_certificate_v2},
    {oid::algorithm_protection, Kind::algorithm_protection},
};

struct Attribute {
    ByteSpan whole;
    ByteSpan type;    // with its header
    ByteSpan values;  // the contents of the SET
};

Result<Attribute> next_attribute(DerReader& list) {
    const DerElement whole = TRY(list.next(ber::sequence));
    DerReader fields(whole.contents);
    Attribute attribute {
        whole.whole, TRY(fields.next(ber::object_identifier))
        .whole, TRY(fields.next(ber::set))
        .contents
    };
    if (!fields.at_end()) return malformed("bytes behind an attribute's values");
    return attribute;
}

const Row* known(const Attribute& attribute) {
    const auto row = std::ranges::find_if(
        rows, [&](const Row& one) { return std::ranges::equal(one.type, attribute.type); });
    return row == std::end(rows) ? nullptr : &*row;
}

// The contents of [0], or whatever the tag is.
Result<ByteSpan> contents_of(ByteSpan attributes) {
    DerReader outer(attributes);
    return TRY(outer.next())
    .contents;
}

// --- times
// ---------------------------------------------------------------------------------------

// Takes digits and says what they are; a field that is none leaves `text` unfit for what follows.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
    if (text.size() < digits) return false;
    value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return true;
}

// "Z", or the distance to it that BER allows, "+0900".
bool take_zone(std::string_view text, int& seconds_ahead) {
    seconds_ahead = 0;
    if (text == "Z") return true;
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return false;
    const int sign = text.front() == '+' ? 1 : -1;
    text.remove_prefix(1);
    int hours = 0;
    int minutes = 0;
    if (!take_number(text, 2, hours) || !take_number(text, 2, minutes) || !text.empty())
        return false;
    seconds_ahead = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

// UTCTime or GeneralizedTime, RFC 5652 §11.3; seconds may be missing and have fractions. 0: it is
// none.
std::int64_t read_time(ByteSpan element) {
    DerReader reader(element);
    const auto time = reader.next();
    if (!time || !reader.at_end()) return 0;
    std::string_view text = as_text(time->contents);
    int year = 0;
    if (time->tag == ber::utc_time) {
        if (!take_number(text, 2, year)) return 0;
        year += year < 50 ? 2000 : 1900;
    } else if (time->tag != ber::generalized_time || !take_number(text, 4, year)) {
        return 0;
    }
    struct tm calendar {};
    if (!take_number(text, 2, calendar.tm_mon) || !take_number(text, 2, calendar.tm_mday) ||
        !take_number(text, 2, calendar.tm_hour) || !take_number(text, 2, calendar.tm_min))
        return 0;
    (void)take_number(text, 2, calendar.tm_sec);
    if (!text.empty() && (text.front() == '.' || text.front() == ',')) {
        text.remove_prefix(1);
        for (int ignored = 0; take_number(text, 1, ignored);) {
        }
    }
    int seconds_ahead = 0;
    if (!take_zone(text, seconds_ahead)) return 0;
    if (calendar.tm_mon < 1 || calendar.tm_mon > 12 || calendar.tm_mday < 1 ||
        calendar.tm_mday > 31 || calendar.tm_hour > 23 || calendar.tm_min > 59 ||
        calendar.tm_sec > 60)
        return 0;
    calendar.tm_year = year - 1900;
    calendar.tm_mon -= 1;
    return std::int64_t{timegm(&calendar)} - seconds_ahead;
}

// --- certificates that attributes name
// -----------------------------------------------------------

Result<SignerIdentifier> read_issuer_and_serial(ByteSpan contents) {
    DerReader fields(contents);
    SignerIdentifier named;
    named.issuer = TRY(fields.next(ber::sequence))
    .whole;
    named.serial = TRY(fields.next(ber::integer))
    .whole;
    return named;
}

// SMIMEEncryptionKeyPreference ::= CHOICE { issuerAndSerialNumber [0], receipentKeyId [1]
// RecipientKeyIdentifier, subjectAltKeyIdentifier [2] SubjectKeyIdentifier }, IMPLICIT tags.
Result<SignerIdentifier> read_encryption_key(ByteSpan value) {
    constexpr std::uint8_t subject_key_id = 0x82;  // [2], primitive
    DerReader reader(value);
    const DerElement choice = TRY(reader.next());
    if (choice.tag == ber::context(0)) return read_issuer_and_serial(choice.contents);
    SignerIdentifier named;
    if (choice.tag == ber::context(1)) {
        DerReader fields(choice.contents);
        named.key_id = TRY(fields.next(ber::octet_string))
        .contents;
    } else if (choice.tag == subject_key_id) {
        named.key_id = choice.contents;
    }
    if (named.key_id.empty()) return malformed("an encryption key that nothing names");
    return named;
}

Result<SignerIdentifier> read_microsoft_encryption_key(ByteSpan value) {
    DerReader reader(value);
    return read_issuer_and_serial(TRY(reader.next(ber::sequence)).contents);
}

// SigningCertificate(V2) ::= SEQUENCE { certs SEQUENCE OF ESSCertID(v2), policies OPTIONAL }. An
// ESSCertID begins with its hash; an ESSCertIDv2 with the digest, where it is not SHA-256.
Result<SignedAttributes::CertificateHash> read_certificate_hash(ByteSpan value,
                                                                ReadDigest initial) {
    DerReader outer(value);
    DerReader fields(TRY(outer.next(ber::sequence)).contents);
    DerReader certificates(TRY(fields.next(ber::sequence)).contents);
    DerReader first(TRY(certificates.next(ber::sequence)).contents);
    SignedAttributes::CertificateHash hash{initial, {}};
    DerElement element = TRY(first.next());
    if (element.tag == ber::sequence && initial == ReadDigest::sha256) {
        hash.digest = TRY(parse_digest_algorithm(element.whole))
        .digest;
        element = TRY(first.next());
    }
    if (element.tag != ber::octet_string) return malformed("a signing certificate without a hash");
    hash.hash = element.contents;
    return hash;
}

// CMSAlgorithmProtection ::= SEQUENCE { digestAlgorithm, signatureAlgorithm [1] OPTIONAL, … }
Result<SignedAttributes::Protection> read_protection(ByteSpan value) {
    DerReader outer(value);
    DerReader fields(TRY(outer.next(ber::sequence)).contents);
    SignedAttributes::Protection protection;
    protection.digest = TRY(fields.next(ber::sequence))
    .contents;
    protection.signature = TRY(fields.next(ber::context(1)))
    .contents;
    return protection;
}

// --- all of them
// ----------------------------------------------------------------------------------

using Values = std::array<ByteSpan, kind_count>;  // the one value of each, with its header

Result<Values> collect(ByteSpan attributes) {
    Values values;
    std::array<bool, kind_count> seen{};
    for (DerReader list(TRY(contents_of(attributes))); !list.at_end();) {
        const Attribute attribute = TRY(next_attribute(list));
        const Row* row = known(attribute);
        if (row == nullptr) continue;
        const auto place = static_cast<std::size_t>(row->kind);
        if (std::exchange(seen[place], true)) return malformed("a signed attribute given twice");
        DerReader reader(attribute.values);
        values[place] = TRY(reader.next())
        .whole;
        if (!reader.at_end()) return malformed("a signed attribute with several values");
    }
    return values;
}

}  // namespace

Result<SignedAttributes> parse_signed_attributes(ByteSpan attributes) {
    const Values values = TRY(collect(attributes));
    const auto value_of = [&](Kind kind) { return values[static_cast<std::size_t>(kind)]; };
    if (value_of(Kind::content_type).empty() || value_of(Kind::message_digest).empty())
        return malformed("signed attributes without contentType or messageDigest");
    SignedAttributes made;
    DerReader type(value_of(Kind::content_type));
    made.content_type = TRY(type.next(ber::object_identifier))
    .whole;
    DerReader digest(value_of(Kind::message_digest));
    made.message_digest = TRY(digest.next(ber::octet_string))
    .contents;
    made.signing_time = read_time(value_of(Kind::signing_time));
    if (const auto capabilities = parse_smime_capabilities(value_of(Kind::capabilities)))
        made.capabilities = *capabilities;
    if (const auto key = read_encryption_key(value_of(Kind::encryption_key))) {
        made.encryption_certificate = *key;
    } else if (const auto old =
                   read_microsoft_encryption_key(value_of(Kind::microsoft_encryption_key))) {
        made.encryption_certificate = *old;
    }
    if (const ByteSpan value = value_of(Kind::signing_certificate); !value.empty())
        made.certificate_hashes.push_back(TRY(read_certificate_hash(value, ReadDigest::sha1)));
    if (const ByteSpan value = value_of(Kind::signing_certificate_v2); !value.empty())
        made.certificate_hashes.push_back(TRY(read_certificate_hash(value, ReadDigest::sha256)));
    if (const ByteSpan value = value_of(Kind::algorithm_protection); !value.empty())
        made.protection = TRY(read_protection(value));
    return made;
}

Result<void> check_unsigned_attributes(ByteSpan attributes) {
    if (attributes.empty()) return {};
    for (DerReader list(TRY(contents_of(attributes))); !list.at_end();) {
        if (known(TRY(next_attribute(list))) != nullptr)
            return malformed("an attribute that must be signed is not");
    }
    return {};
}

Bytes attributes_as_received(ByteSpan attributes) {
    Bytes set(attributes.begin(), attributes.end());
    if (!set.empty()) set[0] = ber::set;
    return set;
}

Bytes attributes_in_order(ByteSpan attributes) {
    std::vector<Bytes> encodings;
    const auto contents = contents_of(attributes);
    if (!contents) return {};
    for (DerReader list(*contents); !list.at_end();) {
        const auto element = list.next();
        if (!element) return {};
        encodings.emplace_back(element->whole.begin(), element->whole.end());
    }
    BerWriter out;
    out.set_of(std::move(encodings));
    return out.take();
}

}  // namespace sealgate

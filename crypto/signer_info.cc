// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/signer_info.h"

#include <algorithm>

#include "crypto/ber_writer.h"
#include "crypto/certificate_text.h"
#include "crypto/der_reader.h"

namespace sealgate {
namespace {

constexpr std::uint8_t primitive(unsigned number) {  // [number]
    return static_cast<std::uint8_t>(0x80U | number);
}

Result<SignerIdentifier> read_identifier(const DerElement& element) {
    SignerIdentifier signer;
    if (element.tag == primitive(0)) {
        if (element.contents.empty()) return malformed("a signer without a name");
        signer.key_id = element.contents;
        return signer;
    }
    if (element.tag != ber::sequence) return malformed("a signer that is named in no known way");
    DerReader fields(element.contents);
    signer.issuer = TRY(fields.next(ber::sequence))
    .whole;
    signer.serial = TRY(fields.next(ber::integer))
    .whole;
    if (!fields.at_end()) return malformed("bytes behind a signer's serial number");
    return signer;
}

struct IssuerAndSerial {
    ByteSpan issuer, serial;
};

// RFC 5280 §4.1: SEQUENCE { tbsCertificate SEQUENCE { [0] version, serialNumber, signature, issuer
Result<IssuerAndSerial> cut_issuer_and_serial(ByteSpan certificate) {
    DerReader outer(certificate);
    DerReader body(TRY(outer.next(ber::sequence)).contents);
    DerReader fields(TRY(body.next(ber::sequence)).contents);
    DerElement serial = TRY(fields.next());
    if (serial.tag == ber::context(0)) serial = TRY(fields.next(ber::integer));
    (void)TRY(fields.next(ber::sequence));
    return IssuerAndSerial {
        TRY(fields.next(ber::sequence))
        .whole, serial.whole
    };
}

// The most telling part of a Name: its last common name, or organisation.
std::string short_name(ByteSpan name) {
    static constexpr std::uint8_t common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};   // 2.5.4.3
    static constexpr std::uint8_t organization[] = {0x06, 0x03, 0x55, 0x04, 0x0a};  // 2.5.4.10
    constexpr std::size_t value_bytes_max = 200;
    std::string best;
    bool has_common_name = false;
    DerReader outer(name);
    const auto sets = outer.next(ber::sequence);
    if (!sets) return {};
    for (DerReader each(sets->contents); !each.at_end();) {
        const auto set = each.next(ber::set);
        if (!set) break;
        DerReader pairs(set->contents);
        const auto pair = pairs.next(ber::sequence);
        if (!pair) break;
        DerReader fields(pair->contents);
        const auto type = fields.next(ber::object_identifier);
        const auto value = fields.next();
        if (!type || !value || value->contents.size() > value_bytes_max) continue;
        const bool is_common_name = std::ranges::equal(type->whole, common_name);
        if (!is_common_name && (has_common_name || !std::ranges::equal(type->whole, organization)))
            continue;
        has_common_name = has_common_name || is_common_name;
        best = is_common_name ? "CN=" : "O=";
        best += escape_name_value(name_value_to_utf8(value->contents));
    }
    return best;
}

}  // namespace

bool SignerIdentifier::names(const Certificate& certificate) const {
    if (!key_id.empty()) return std::ranges::equal(key_id, certificate.subject_key_id());
    return !serial.empty() && std::ranges::equal(serial, certificate.serial_der()) &&
           std::ranges::equal(issuer, certificate.issuer_der());
}

bool SignerIdentifier::names_unread(ByteSpan certificate_der) const {
    if (serial.empty()) return false;
    const auto fields = cut_issuer_and_serial(certificate_der);
    return fields && std::ranges::equal(serial, fields->serial) &&
           std::ranges::equal(issuer, fields->issuer);
}

std::string SignerIdentifier::to_text() const {
    const auto hexadecimal = [](ByteSpan octets) {
        constexpr std::size_t octets_max = 32;
        return to_hexadecimal(octets.first(std::min(octets.size(), octets_max)));
    };
    if (!key_id.empty()) return "key " + hexadecimal(key_id);
    DerReader reader(serial);
    const auto number = reader.next(ber::integer);
    std::string text = "serial " + (number ? hexadecimal(number->contents) : std::string("?"));
    if (const std::string name = short_name(issuer); !name.empty()) text += " of " + name;
    return text;
}

Result<SignerInfo> parse_signer_info(ByteSpan der) {
    DerReader outer(der);
    DerReader fields(TRY(outer.next(ber::sequence)).contents);
    if (!outer.at_end()) return malformed("bytes behind a SignerInfo");
    // 1 by issuer and serial number, 3 by key (RFC 5652 §5.3); programs mix them up, and it says
    // nothing that the identifier does not.
    (void)TRY(fields.next(ber::integer));
    SignerInfo info;
    DerElement next = TRY(fields.next());
    info.signer = TRY(read_identifier(next));
    info.digest_der = TRY(fields.next(ber::sequence))
    .whole;
    info.digest = TRY(parse_digest_algorithm(info.digest_der));
    next = TRY(fields.next());
    if (next.tag == ber::context(0)) {
        info.attributes = next.whole;
        next = TRY(fields.next());
    }
    info.algorithm_der = next.whole;
    info.algorithm = TRY(parse_signature_algorithm(info.algorithm_der));
    info.signature = TRY(fields.next(ber::octet_string))
    .contents;
    if (!fields.at_end()) info.unsigned_attributes = TRY(fields.next(ber::context(1)))
    .whole;
    if (!fields.at_end()) return malformed("bytes behind a SignerInfo's attributes");
    return info;
}

}  // namespace sealgate

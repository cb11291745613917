// SPDX-License-Identifier: GPL-3.0-or-later
// SignerInfos out of any bytes: they come with mail, and are read before anything is verified.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/result.h"
#include "crypto/signer_info.h"

namespace {

using sealgate::ByteSpan;

// What is told lies inside the input.
void expect_inside(ByteSpan part, ByteSpan whole) {
    if (part.empty()) return;
    CHECK(part.data() >= whole.data());
    CHECK(part.data() + part.size() <= whole.data() + whole.size());
}

void expect_inside(const sealgate::SignerIdentifier& identifier, ByteSpan whole) {
    expect_inside(identifier.issuer, whole);
    expect_inside(identifier.serial, whole);
    expect_inside(identifier.key_id, whole);
    CHECK(identifier.key_id.empty() != identifier.serial.empty());
    CHECK(!identifier.to_text().empty());
    (void)identifier.names_unread(whole);
}

void read_attributes(ByteSpan input) {
    const auto attributes = sealgate::parse_signed_attributes(input);
    (void)sealgate::check_unsigned_attributes(input);
    if (!attributes) return;
    expect_inside(attributes->content_type, input);
    expect_inside(attributes->message_digest, input);
    if (attributes->encryption_certificate)
        expect_inside(*attributes->encryption_certificate, input);
    for (const auto& certificate : attributes->certificate_hashes)
        expect_inside(certificate.hash, input);
    // The same attributes, however often they are put in order, and as long as they were.
    const auto sorted = sealgate::attributes_in_order(input);
    CHECK(sealgate::attributes_in_order(sorted) == sorted);
    CHECK(sealgate::attributes_as_received(input).size() == input.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteSpan input(data, size);
    read_attributes(input);
    (void)sealgate::parse_signature_algorithm(input);
    const auto info = sealgate::parse_signer_info(input);
    if (!info) return 0;
    expect_inside(info->signer, input);
    for (const ByteSpan part : {info->digest_der, info->algorithm_der, info->attributes,
                                info->unsigned_attributes, info->signature})
        expect_inside(part, input);
    read_attributes(info->attributes);
    read_attributes(info->unsigned_attributes);
    return 0;
}

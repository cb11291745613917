// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/cms_signed_data.h"

#include <utility>
#include <vector>

#include "core/result.h"
#include "crypto/oid.h"

namespace sealgate {
namespace {

// RFC 5754 §2: "implementations SHOULD generate […] with absent parameters".
void write_digest_algorithm(BerWriter& out, DigestAlgorithm digest) {
    out.sequence([&] { out.raw(oid_of(digest)); });
}

// RFC 4055 §3.1; there the digest's parameters are NULL, as everybody writes them.
void write_pss_parameters(BerWriter& out, DigestAlgorithm digest) {
    const auto hash_with_null = [&] {
        out.sequence([&] {
            out.raw(oid_of(digest));
            out.null();
        });
    };
    out.sequence([&] {
        out.element(ber::context(0), hash_with_null);
        out.element(ber::context(1), [&] {
            out.sequence([&] {
                out.raw(oid::mgf1);
                hash_with_null();
            });
        });
        out.element(ber::context(2), [&] { out.integer(digest_bytes(digest)); });
    });
}

ByteSpan ecdsa_with(DigestAlgorithm digest) {
    switch (digest) {
    case DigestAlgorithm::sha256: return oid::ecdsa_with_sha256;
    case DigestAlgorithm::sha384: return oid::ecdsa_with_sha384;
    case DigestAlgorithm::sha512: return oid::ecdsa_with_sha512;
    }
    return {};
}

void write_signature_algorithm(BerWriter& out, SignatureAlgorithm algorithm) {
    out.sequence([&] {
        switch (algorithm.scheme) {
        case SignatureScheme::rsa_pkcs1:  // RFC 3370 §3.2: rsaEncryption, NULL
            out.raw(oid::rsa_encryption);
            out.null();
            return;
        case SignatureScheme::rsa_pss:
            out.raw(oid::rsassa_pss);
            write_pss_parameters(out, algorithm.digest);
            return;
        case SignatureScheme::ecdsa: out.raw(ecdsa_with(algorithm.digest)); return;
        case SignatureScheme::ed25519: out.raw(oid::ed25519); return;  // RFC 8419 §2.2
        }
    });
}

template <typename Value>
Bytes attribute(ByteSpan type, Value value) {
    BerWriter out;
    out.sequence([&] {
        out.raw(type);
        out.set([&] { value(out); });
    });
    return out.take();
}

// What this gateway reads, best first: RFC 8551 §2.5.2.
void write_capabilities(BerWriter& out) {
    static constexpr const std::uint8_t* best_first[] = {oid::aes256_gcm, oid::aes128_gcm,
                                                         oid::aes256_cbc, oid::aes128_cbc};
    static_assert(sizeof oid::aes256_gcm == sizeof oid::aes128_cbc);
    out.sequence([&] {
        for (const std::uint8_t* cipher : best_first)
            out.sequence([&] { out.raw({cipher, sizeof oid::aes256_gcm}); });
    });
}

// SigningCertificateV2 { ESSCertIDv2 { -- SHA-256, the default, absent -- certHash,
// IssuerSerial { GeneralNames { directoryName }, serialNumber } } }: RFC 5035 §3, §4.
void write_signing_certificate(BerWriter& out, const Certificate& leaf) {
    constexpr unsigned directory_name = 4;  // RFC 5280 §4.2.1.6
    out.sequence([&] {
        out.sequence([&] {
            out.sequence([&] {
                out.octet_string(digest_of(DigestAlgorithm::sha256, leaf.der()).bytes());
                out.sequence([&] {
                    out.sequence(
                        [&] { out.element(ber::context(directory_name), leaf.issuer_der()); });
                    out.raw(leaf.serial_der());
                });
            });
        });
    });
}

// CertificateSet, IMPLICIT [0]: the leaf first, as most do; nothing asks for an order here.
void write_certificates(BerWriter& out, const SignerInfoPlan& plan) {
    out.element(ber::context(0), [&] {
        out.raw(plan.identity->leaf->der());
        if (!plan.include_chain) return;
        const std::vector<CertificatePtr>& chain = plan.identity->chain;
        for (std::size_t i = 0; i < chain.size(); ++i) {
            const bool root = i + 1 == chain.size() && chain[i]->self_issued();
            if (!root) out.raw(chain[i]->der());
        }
    });
}

void write_signer_info(BerWriter& out, const SignerInfoPlan& plan, ByteSpan attributes,
                       ByteSpan signature) {
    CHECK(!attributes.empty() && attributes[0] == ber::set);
    const Certificate& leaf = *plan.identity->leaf;
    out.sequence([&] {
        out.integer(1);  // for issuerAndSerialNumber: RFC 5652 §5.3
        out.sequence([&] {
            out.raw(leaf.issuer_der());
            out.raw(leaf.serial_der());
        });
        write_digest_algorithm(out, plan.algorithm.digest);
        // The SET again, its tag replaced: IMPLICIT [0].
        const std::uint8_t implicit_tag[] = {ber::context(0)};
        out.raw(implicit_tag);
        out.raw(attributes.subspan(1));
        write_signature_algorithm(out, plan.algorithm);
        out.octet_string(signature);
    });
}

void write_digest_algorithms(BerWriter& out, const SignerInfoPlan& plan) {
    out.set([&] { write_digest_algorithm(out, plan.algorithm.digest); });
}

void write_signer_infos(BerWriter& out, const SignerInfoPlan& plan, ByteSpan attributes,
                        ByteSpan signature) {
    out.set([&] { write_signer_info(out, plan, attributes, signature); });
}

// RFC 5652 §5.1: version 1, for the content is id-data, the certificates are X.509 and the signer
// is named by issuer and serial number.
constexpr std::uint64_t signed_data_version = 1;

}  // namespace

Bytes signed_attributes(const SignerInfoPlan& plan, const DigestValue& content_digest) {
    CHECK(content_digest.algorithm() == plan.algorithm.digest);
    std::vector<Bytes> attributes;
    attributes.push_back(attribute(oid::content_type, [](BerWriter& out) { out.raw(oid::data); }));
    attributes.push_back(
        attribute(oid::signing_time, [&](BerWriter& out) { out.time(plan.signing_time); }));
    attributes.push_back(attribute(
        oid::message_digest, [&](BerWriter& out) { out.octet_string(content_digest.bytes()); }));
    attributes.push_back(attribute(oid::smime_capabilities, write_capabilities));
    attributes.push_back(attribute(oid::signing_certificate_v2, [&](BerWriter& out) {
        write_signing_certificate(out, *plan.identity->leaf);
    }));
    BerWriter out;
    out.set_of(std::move(attributes));
    return out.take();
}

Bytes detached_signed_data(const SignerInfoPlan& plan, ByteSpan attributes, ByteSpan signature) {
    BerWriter out;
    out.sequence([&] {
        out.raw(oid::signed_data);
        out.element(ber::context(0), [&] {
            out.sequence([&] {
                out.integer(signed_data_version);
                write_digest_algorithms(out, plan);
                out.sequence([&] { out.raw(oid::data); });  // eContent absent: RFC 5652 §5.2
                write_certificates(out, plan);
                write_signer_infos(out, plan, attributes, signature);
            });
        });
    });
    return out.take();
}

Bytes opaque_opening(const SignerInfoPlan& plan) {
    BerWriter out;
    out.open_indefinite(ber::sequence);  // ContentInfo
    out.raw(oid::signed_data);
    out.open_indefinite(ber::context(0));
    out.open_indefinite(ber::sequence);  // SignedData
    out.integer(signed_data_version);
    write_digest_algorithms(out, plan);
    out.open_indefinite(ber::sequence);  // EncapsulatedContentInfo
    out.raw(oid::data);
    out.open_indefinite(ber::context(0));
    out.open_indefinite(ber::octet_string_constructed);
    return out.take();
}

Bytes opaque_closing(const SignerInfoPlan& plan, ByteSpan attributes, ByteSpan signature) {
    BerWriter out;
    out.end_of_contents();  // the octet string
    out.end_of_contents();  // its [0]
    out.end_of_contents();  // EncapsulatedContentInfo
    write_certificates(out, plan);
    write_signer_infos(out, plan, attributes, signature);
    out.end_of_contents();  // SignedData
    out.end_of_contents();  // its [0]
    out.end_of_contents();  // ContentInfo
    return out.take();
}

}  // namespace sealgate

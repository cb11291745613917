// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/cms_enveloped_data.h"

#include "crypto/ber_writer.h"
#include "crypto/key_agreement.h"
#include "crypto/oid.h"

namespace sealgate {
namespace {

void write_issuer_and_serial(BerWriter& out, const Certificate& certificate) {
    out.sequence([&] {
        out.raw(certificate.issuer_der());
        out.raw(certificate.serial_der());
    });
}

// RFC 4055 §4.1: the defaults are SHA-1's, so both are written; the digest's parameters are NULL,
// as everybody writes them. pSourceAlgorithm is the default, absent.
void write_oaep_parameters(BerWriter& out) {
    const auto sha256_with_null = [&] {
        out.sequence([&] {
            out.raw(oid::sha256);
            out.null();
        });
    };
    out.sequence([&] {
        out.element(ber::context(0), sha256_with_null);
        out.element(ber::context(1), [&] {
            out.sequence([&] {
                out.raw(oid::mgf1);
                sha256_with_null();
            });
        });
    });
}

Bytes key_transport_info(const Certificate& recipient, RsaTransport transport,
                         ByteSpan encrypted_key) {
    BerWriter out;
    out.sequence([&] {
        out.integer(0);  // for issuerAndSerialNumber
        write_issuer_and_serial(out, recipient);
        out.sequence([&] {
            if (transport == RsaTransport::oaep) {
                out.raw(oid::rsaes_oaep);
                write_oaep_parameters(out);
            } else {
                out.raw(oid::rsa_encryption);
                out.null();
            }
        });
        out.octet_string(encrypted_key);
    });
    return out.take();
}

void write_bit_string(BerWriter& out, ByteSpan octets) {
    constexpr std::uint8_t no_unused_bits[] = {0};
    out.header(ber::bit_string, 1 + octets.size());
    out.raw(no_unused_bits);
    out.raw(octets);
}

// kari [1] IMPLICIT KeyAgreeRecipientInfo
Bytes key_agreement_info(const Certificate& recipient, const AgreedKey& agreed,
                         std::size_t key_bytes) {
    BerWriter out;
    out.element(ber::context(1), [&] {
        out.integer(3);
        out.element(ber::context(0), [&] {      // originator, EXPLICIT
            out.element(ber::context(1), [&] {  // originatorKey, IMPLICIT
                // RFC 5753 §3.1.1 permits to leave the curve out: it is the recipient's.
                out.sequence([&] { out.raw(public_key_algorithm(recipient.key_kind())); });
                write_bit_string(out, agreed.ephemeral_key);
            });
        });
        out.sequence([&] {
            out.raw(agreement_scheme(recipient.key_kind()));
            // RFC 3565 §2.3.2: the wrapping's parameters are absent.
            out.sequence([&] { out.raw(key_wrap_algorithm(key_bytes)); });
        });
        out.sequence([&] {      // recipientEncryptedKeys
            out.sequence([&] {  // of one
                write_issuer_and_serial(out, recipient);
                out.octet_string(agreed.wrapped_key);
            });
        });
    });
    return out.take();
}

ByteSpan oid_of(ContentCipher cipher) {
    switch (cipher) {
    case ContentCipher::aes_128_cbc: return oid::aes128_cbc;
    case ContentCipher::aes_256_cbc: return oid::aes256_cbc;
    case ContentCipher::aes_128_gcm: return oid::aes128_gcm;
    case ContentCipher::aes_256_gcm: return oid::aes256_gcm;
    }
    return {};
}

void write_content_algorithm(BerWriter& out, ContentCipher cipher, ByteSpan iv) {
    out.sequence([&] {
        out.raw(oid_of(cipher));
        if (!is_authenticated(cipher)) {
            out.octet_string(iv);  // RFC 3565 §2.2
            return;
        }
        out.sequence([&] {  // GCMParameters: RFC 5084 §3.2
            out.octet_string(iv);
            out.integer(gcm_tag_bytes);  // the default would be 12
        });
    });
}

// RFC 5083 §2.1: always 0. RFC 5652 §6.1: 0 when all RecipientInfos are of version 0; one of
// version 3 makes it 2.
std::uint64_t version_of(ContentCipher cipher, bool has_key_agreement) {
    return has_key_agreement && !is_authenticated(cipher) ? 2 : 0;
}

}  // namespace

Result<Bytes> recipient_info(const Certificate& recipient, RsaTransport transport,
                             ByteSpan content_key) {
    if (recipient.key_kind() == KeyKind::rsa) {
        return key_transport_info(recipient, transport,
                                  TRY(transport_key(recipient, transport, content_key)));
    }
    return key_agreement_info(recipient, TRY(agree_key(recipient, content_key)),
                              content_key.size());
}

Bytes enveloped_opening(ContentCipher cipher, ByteSpan iv, ByteSpan recipient_infos,
                        bool has_key_agreement) {
    BerWriter out;
    out.open_indefinite(ber::sequence);  // ContentInfo
    if (is_authenticated(cipher))
        out.raw(oid::auth_enveloped_data);
    else
        out.raw(oid::enveloped_data);
    out.open_indefinite(ber::context(0));
    out.open_indefinite(ber::sequence);  // EnvelopedData, AuthEnvelopedData
    out.integer(version_of(cipher, has_key_agreement));
    out.element(ber::set, recipient_infos);
    out.open_indefinite(ber::sequence);  // EncryptedContentInfo
    out.raw(oid::data);
    write_content_algorithm(out, cipher, iv);
    out.open_indefinite(ber::context(0));  // encryptedContent, IMPLICIT OCTET STRING
    return out.take();
}

Bytes enveloped_closing(ContentCipher cipher, ByteSpan tag) {
    CHECK(tag.size() == (is_authenticated(cipher) ? gcm_tag_bytes : 0));
    BerWriter out;
    out.end_of_contents();  // encryptedContent
    out.end_of_contents();  // EncryptedContentInfo
    if (is_authenticated(cipher)) out.octet_string(tag);
    out.end_of_contents();  // EnvelopedData, AuthEnvelopedData
    out.end_of_contents();  // its [0]
    out.end_of_contents();  // ContentInfo
    return out.take();
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Reads CMS as it streams: SignedData, EnvelopedData, AuthEnvelopedData (RFC 5652, RFC 5083).
//
// Any BER is read: definite and indefinite lengths, lengths in more octets than needed, octet
// strings cut into segments in any way, at any cut of the input. Content is passed on in windows on
// the chunks it came in, never copied. Small elements (a RecipientInfo, a certificate, a
// SignerInfo) are gathered whole, up to limits::cms_element_bytes_max, and given in definite-length
// form so that DerReader reads them: lengths are definite and shortest, segmented strings are
// joined, everything else is octet for octet as it came (an element that was like that already is
// as it came).
//
// What it tells is syntax: nothing here is verified, decrypted or believed. Versions are not looked
// at, peers get them wrong. After an error the reader is dead. Octets behind the ContentInfo are
// malformed, but for CR, LF and zeros, which some writers leave there: so on_end() is not the last
// word, finish() is. Loop thread, or any one thread.
#pragma once

#include <memory>

#include "core/chunk.h"
#include "core/result.h"
#include "core/stage.h"

namespace sealgate {

enum class CmsType : std::uint8_t {
    data,
    signed_data,
    enveloped_data,
    auth_enveloped_data,
    other,  // compressed, digested, encrypted, authenticated, anything unknown
};
const char* to_text(CmsType type);  // "authEnvelopedData"; "data", "other"

// What a reader tells, in the order in which it comes. An error from any of them ends the reading
// and comes out of CmsReader::write(). Spans live only for the call.
class CmsHandler {
public:
    virtual ~CmsHandler() = default;

    // SignedData: the digest algorithms announced (AlgorithmIdentifiers), before the content.
    virtual Result<void> on_digest_algorithm(ByteSpan der) = 0;
    // EnvelopedData, AuthEnvelopedData: each RecipientInfo, whatever its kind (with its tag).
    virtual Result<void> on_recipient_info(ByteSpan der) = 0;
    // The type of what is inside (an OBJECT IDENTIFIER with its header), and for enveloped ones the
    // content-encryption AlgorithmIdentifier; `algorithm` is empty for SignedData. Comes before any
    // content. Content comes only if has_content (detached signatures have none).
    virtual Result<void> on_content_type(ByteSpan oid, ByteSpan algorithm) = 0;
    // A piece of the content: eContent, or encryptedContent. Never empty; not as the segments were
    // cut, small ones come together. Flow::full is passed up by write(), which still gives what is
    // left of its chunk.
    virtual Result<Flow> on_content(Chunk piece) = 0;
    // `has_content`: false where it is absent (which is not the same as empty).
    virtual Result<void> on_content_end(bool has_content) = 0;
    // SignedData, behind the content; those of an originatorInfo come before everything else. Kinds
    // of certificate and of revocation information other than X.509's are passed over by the
    // reader, and so is a CRL with which they would be more than limits::cms_crls_bytes_max.
    virtual Result<void> on_certificate(ByteSpan der) = 0;
    virtual Result<void> on_crl(ByteSpan der) = 0;
    virtual Result<void> on_signer_info(ByteSpan der) = 0;
    // AuthEnvelopedData, behind the content. The attributes with their [1] tag.
    virtual Result<void> on_authenticated_attributes(ByteSpan der) = 0;
    virtual Result<void> on_mac(ByteSpan octets) = 0;
    // The ContentInfo has ended.
    virtual Result<void> on_end() = 0;
};

class CmsReader {
public:
    // Asked once, when the content type of the ContentInfo is known: who hears of the rest. It must
    // outlive the reader. Null: nobody; then write() fails with ErrorKind::unsupported, as it does
    // for `data` and `other` in any case.
    class Router {
    public:
        virtual CmsHandler* on_cms_type(CmsType type) = 0;

    protected:
        ~Router() = default;
    };

    explicit CmsReader(Router& router);
    ~CmsReader();
    CmsReader(const CmsReader&) = delete;
    CmsReader& operator=(const CmsReader&) = delete;

    Result<Flow> write(Chunk chunk);
    // There is no more; an error when the ContentInfo is not complete.
    Result<void> finish();
    bool at_end() const;  // the ContentInfo is complete

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sealgate

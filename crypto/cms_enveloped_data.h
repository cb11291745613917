// SPDX-License-Identifier: GPL-3.0-or-later
// Writes CMS EnvelopedData (RFC 5652 §6) and AuthEnvelopedData (RFC 5083), id-data inside.
//
// The frame only, in BER of indefinite length: enveloped_opening(), then the encrypted content as
// definite OCTET STRINGs by the caller, then enveloped_closing(). The cipher decides which of the
// two it is. RecipientInfos are made one by one, so that a worker need not make a thousand at a
// stretch. Values in, bytes out, any thread. Reading CMS is not here.
#pragma once

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/certificate.h"
#include "crypto/content_cipher.h"
#include "crypto/key_transport.h"

namespace sealgate {

// RecipientInfo: KeyTransRecipientInfo for RSA (RFC 5652 §6.2.1), KeyAgreeRecipientInfo for EC and
// X25519 (§6.2.2, RFC 5753 §3.1.1). The recipient is named by issuer and serial number: every
// certificate has them, a subject key identifier not.
Result<Bytes> recipient_info(const Certificate& recipient, RsaTransport transport,
                             ByteSpan content_key);

// The ContentInfo up to its encrypted content. `recipient_infos`: one after the other.
// `has_key_agreement`: one of them is a KeyAgreeRecipientInfo; the version depends on it.
Bytes enveloped_opening(ContentCipher cipher, ByteSpan iv, ByteSpan recipient_infos,
                        bool has_key_agreement);
// `tag`: GCM's; empty for CBC.
Bytes enveloped_closing(ContentCipher cipher, ByteSpan tag);

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/envelope_writer.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "core/metrics.h"
#include "crypto/ber_writer.h"
#include "crypto/cms_enveloped_data.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

// RFC 8551 §3.3, §3.4.
constexpr std::string_view enveloped_head =
    "MIME-Version: 1.0\r\n"
    "Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n"
    " name=\"smime.p7m\"\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n";
constexpr std::string_view auth_enveloped_head =
    "MIME-Version: 1.0\r\n"
    "Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data;\r\n"
    " name=\"smime.p7m\"\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n";

// The header of a segment's OCTET STRING has 2 to 4 octets.
constexpr std::size_t segment_header_bytes_max = 4;
// What ends the frame: seven ends of contents at most, and a tag.
constexpr std::size_t closing_bytes_max = 14 + 2 + gcm_tag_bytes;

void keep_each_once(std::vector<EncryptRecipient>& recipients) {
    std::unordered_set<std::string_view> seen;
    const auto is_known = [&](const EncryptRecipient& recipient) {
        return recipient.certificate && !seen.insert(as_text(recipient.certificate->der())).second;
    };
    recipients.erase(std::remove_if(recipients.begin(), recipients.end(), is_known),
                     recipients.end());
}

}  // namespace

EnvelopeWriter::EnvelopeWriter(EncryptPlan plan) : plan_(std::move(plan)) {
    keep_each_once(plan_.recipients);
}

EnvelopeWriter::~EnvelopeWriter() { wipe(segment_.data(), segment_.size()); }

Result<void> EnvelopeWriter::begin() {
    if (plan_.recipients.empty()) return internal("nobody to encrypt to");
    const std::size_t iv_size = iv_bytes(plan_.cipher);
    content_key_ = SecureBytes(key_bytes(plan_.cipher));
    TRY(fill_random(content_key_.data(), content_key_.size()));
    TRY(fill_random(iv_.data(), iv_size));
    cipher_ = TRY(
        ContentEncryptor::begin(plan_.cipher, content_key_.bytes(), ByteSpan(iv_).first(iv_size)));
    Metrics::instance().add(Counter::content_encryptions);
    begun_ = true;
    return {};
}

Result<void> EnvelopeWriter::add_recipients() {
    if (!begun_) TRY(begin());
    const std::size_t end =
        std::min(next_recipient_ + recipients_per_step, plan_.recipients.size());
    for (; next_recipient_ < end; ++next_recipient_) {
        const EncryptRecipient& recipient = plan_.recipients[next_recipient_];
        if (!recipient.certificate) return internal("a recipient without a certificate");
        const Bytes info =
            TRY(recipient_info(*recipient.certificate, recipient.transport, content_key_.bytes()));
        recipient_infos_.insert(recipient_infos_.end(), info.begin(), info.end());
        has_key_agreement_ |= recipient.certificate->key_kind() != KeyKind::rsa;
    }
    if (recipients_complete()) content_key_ = SecureBytes();
    return {};
}

std::size_t EnvelopeWriter::text_bytes_max(std::size_t content_bytes) const {
    constexpr std::size_t line_bytes = 78;
    constexpr std::size_t frame_bytes = 128;  // the opening without its RecipientInfos
    const std::size_t segments = content_bytes / segment_bytes + 2;
    const std::size_t bytes = segment_used_ + content_bytes + cipher_block_bytes +
                              segments * segment_header_bytes_max + closing_bytes_max +
                              (opened_ ? 0 : frame_bytes + recipient_infos_.size());
    return base64_lines_bytes(bytes) + 2 * line_bytes + (opened_ ? 0 : auth_enveloped_head.size());
}

Result<ChunkList> EnvelopeWriter::write(ChunkList content, More more) {
    CHECK(recipients_complete());
    // One block for all of it, as a rule.
    constexpr std::size_t block_bytes_max = 96 * 1024;
    ChunkBuilder out(std::min(text_bytes_max(content.bytes()), block_bytes_max));
    if (!opened_) open(out);
    while (!content.empty()) TRY(put(content.take_front().bytes(), out));
    if (more == More::last) TRY(put_last(out));
    return out.take();
}

void EnvelopeWriter::open(ChunkBuilder& out) {
    out.append(is_authenticated(plan_.cipher) ? auth_enveloped_head : enveloped_head);
    base64_.encode(enveloped_opening(plan_.cipher, ByteSpan(iv_).first(iv_bytes(plan_.cipher)),
                                     recipient_infos_, has_key_agreement_),
                   out);
    recipient_infos_ = Bytes();
    opened_ = true;
}

Result<void> EnvelopeWriter::put(ByteSpan content, ChunkBuilder& out) {
    while (!content.empty()) {
        const std::size_t part = std::min(content.size(), segment_bytes - segment_used_);
        std::memcpy(segment_.data() + segment_used_, content.data(), part);
        segment_used_ += part;
        content = content.subspan(part);
        if (segment_used_ < segment_bytes) continue;
        TRY(cipher_->encrypt({segment_.data(), segment_bytes}));
        put_segment(segment_bytes, out);
        segment_used_ = 0;
    }
    return {};
}

Result<void> EnvelopeWriter::put_last(ChunkBuilder& out) {
    const std::size_t bytes = TRY(cipher_->encrypt_last(segment_.data(), segment_used_));
    segment_used_ = 0;
    if (bytes > 0) put_segment(bytes, out);
    if (is_authenticated(plan_.cipher)) {
        const ContentEncryptor::Tag tag = TRY(cipher_->tag());
        base64_.encode(enveloped_closing(plan_.cipher, tag), out);
    } else {
        base64_.encode(enveloped_closing(plan_.cipher, {}), out);
    }
    base64_.finish(out);
    return {};
}

void EnvelopeWriter::put_segment(std::size_t bytes, ChunkBuilder& out) {
    BerWriter header;
    header.header(ber::octet_string, bytes);
    base64_.encode(header.bytes(), out);
    base64_.encode({segment_.data(), bytes}, out);
}

}  // namespace sealgate

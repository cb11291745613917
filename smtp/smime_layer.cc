// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/smime_layer.h"

#include <algorithm>

namespace sealgate {
namespace {

// The words of crypto/smime_decrypt.cc for whatever fails.
constexpr const char* cannot_be_decrypted = "it cannot be decrypted";

// A wrong key that passes the padding check (one in 256) gives noise, which must not be delivered
// for the message. Text without any header field is let through: some peers encrypt just that.
bool is_noise(const Header& header, const ChunkList& body) {
    if (!header.fields().empty() || header.ended_by() != HeaderEnd::other_line || body.empty())
        return false;
    const ByteSpan bytes = body.begin()->bytes();
    const auto end = bytes.begin() + std::min<std::ptrdiff_t>(std::ssize(bytes), 64);
    return std::any_of(bytes.begin(), end, [](std::uint8_t byte) {
        const bool is_space = byte == '\t' || byte == '\n' || byte == '\r';
        return byte >= 0x7f || (byte < 0x20 && !is_space);
    });
}

Reason reason_of(const Error& error) {
    switch (error.kind) {
    case ErrorKind::limit: return Reason::limit;
    case ErrorKind::unsupported: return Reason::unsupported_algorithm;
    case ErrorKind::untrusted: return Reason::untrusted;
    case ErrorKind::malformed:
    case ErrorKind::temporary:
    case ErrorKind::internal: break;
    }
    return Reason::malformed;
}

}  // namespace

// --- entity --------------------------------------------------------------------------------------

Result<Flow> SmimeEntity::write(Chunk chunk) {
    if (cut_) return Flow::open;
    if (has_header_) return pass(std::move(chunk));
    if (!TRY(collector_.write(std::move(chunk)))) return Flow::open;
    return begin();
}

Result<Flow> SmimeEntity::finish() {
    if (cut_) return Flow::open;
    if (!has_header_) {
        TRY(collector_.finish());
        TRY(begin());
    }
    if (lane_) {
        const Result<Flow> ended = lane_->finish();
        if (!ended) {
            reader_.on_lane_failed(ended.error());
            return ended;
        }
    }
    if (inner_) TRY(inner_->finish());
    return Flow::open;
}

Result<Flow> SmimeEntity::begin() {
    has_header_ = true;
    const Header header = collector_.take_header();
    ChunkList body = collector_.take_rest();
    if (holder_.is_encrypted() && is_noise(header, body)) {
        holder_.on_garbage();
        cut();
        return Flow::open;
    }
    inner_ = reader_.on_entity(*this, depth_, header);
    Flow flow = Flow::open;
    while (!body.empty()) flow = TRY(pass(body.take_front()));
    return flow;
}

Result<Flow> SmimeEntity::pass(Chunk chunk) {
    Flow flow = Flow::open;
    if (lane_) {
        const Result<Flow> written = lane_->write(chunk);
        if (!written) {
            reader_.on_lane_failed(written.error());
            return written;
        }
        flow = *written;
    }
    if (inner_ && TRY(inner_->write(std::move(chunk))) == Flow::full) flow = Flow::full;
    return flow;
}

void SmimeEntity::cut() {
    cut_ = true;
    inner_ = nullptr;
    lane_ = nullptr;
}

// --- layer ---------------------------------------------------------------------------------------

SmimeLayer::SmimeLayer(SmimeReader& reader, const SmimeReader::Context& context, std::size_t index,
                       SmimeKind kind, const Header& header)
    : reader_(reader), context_(context), index_(index), entity_(reader, *this, index + 1) {
    const ContentType type = header.content_type();
    switch (kind) {
    case SmimeKind::detached: expect_signed_parts(type); return;
    case SmimeKind::cms:
        by_name_ = !is_pkcs7_mime(type);
        expect_cms(header.transfer_encoding());
        return;
    case SmimeKind::ambiguous:
    case SmimeKind::none: break;
    }
    report_.why = "two readers would find two different messages in it";
    failed_ = ended_ = true;
}

SmimeLayer::~SmimeLayer() = default;

void SmimeLayer::expect_signed_parts(const ContentType& type) {
    report_.type = LayerReport::Type::signed_;
    report_.detached = true;
    report_.content_type = to_text(CmsType::signed_data);
    VerifyStage::Owner& owner = *this;
    verify_ = std::make_unique<VerifyStage>(context_.verify, context_.workers, owner,
                                            digests_for_micalg(type.parameter("micalg")));
    parts_ = std::make_unique<SignedParts>(boundary_of(type), signed_part_, signature_part_);
    first_ = parts_.get();
}

void SmimeLayer::expect_cms(TransferEncoding encoding) {
    CmsReader::Router& router = *this;
    cms_ = std::make_unique<CmsReader>(router);
    decoder_ = std::make_unique<TransferDecoder>(feed_, encoding, TransferDecoder::Body::cms);
    if (!first_) first_ = decoder_.get();
}

CmsHandler* SmimeLayer::on_cms_type(CmsType type) {
    cms_seen_ = true;
    report_.content_type = to_text(type);
    if (report_.detached) return type == CmsType::signed_data ? verify_.get() : nullptr;
    DecryptStage::Owner& decrypt_owner = *this;
    VerifyStage::Owner& verify_owner = *this;
    switch (type) {
    case CmsType::enveloped_data:
    case CmsType::auth_enveloped_data:
        report_.type = LayerReport::Type::encrypted;
        decrypt_ = std::make_unique<DecryptStage>(type, context_.keys, context_.workers,
                                                  context_.loop, entity_, decrypt_owner);
        return decrypt_.get();
    case CmsType::signed_data:
        report_.type = LayerReport::Type::signed_;
        verify_ =
            std::make_unique<VerifyStage>(context_.verify, context_.workers, verify_owner, entity_);
        return verify_.get();
    case CmsType::data:
    case CmsType::other: break;
    }
    return nullptr;
}

void SmimeLayer::on_decrypt_drain() { reader_.on_drain(); }

void SmimeLayer::on_decrypt_end() {
    if (failed_ || decrypt_->error()) return;  // the owner's sink has told its error already
    report_ = decrypt_->report();
    if (report_.reason == Reason::ok && garbage_) {
        report_.reason = Reason::decrypt_failed;
        report_.why = cannot_be_decrypted;
    }
    if (report_.reason == Reason::ok) return end();
    failed_ = true;
    entity_.cut();
    reader_.on_layer_failed(index_);
    end();
}

void SmimeLayer::on_verify_end(LayerReport report) {
    if (failed_) return;
    report_ = std::move(report);
    end();
}

void SmimeLayer::fail(Reason reason, const char* why) {
    failed_ = true;
    report_.reason = reason;
    report_.why = why;
    // Of a name alone nothing follows: the content decides.
    mistaken_ = by_name_ && !cms_seen_;
    entity_.cut();
    reader_.on_layer_failed(index_);
    end();
}

void SmimeLayer::end() {
    if (ended_) return;
    ended_ = true;
    reader_.on_layer_ended(report_);
}

// What a layer makes of its bytes is its own affair; what the owner's sink says is not.
Result<Flow> SmimeLayer::taken(Result<Flow> flow) {
    if (flow || reader_.stored_error_) return flow;
    fail(reason_of(flow.error()), flow.error().what);
    return Flow::open;
}

Result<Flow> SmimeLayer::Input::write(Chunk chunk) {
    if (layer.failed_) return Flow::open;
    const Result<Flow> flow = layer.taken(layer.first_->write(std::move(chunk)));
    // Nobody need go on keeping what will not be delivered.
    if (layer.decrypt_ && layer.decrypt_->failed()) layer.reader_.give_up();
    return flow;
}

Result<Flow> SmimeLayer::Input::finish() {
    if (layer.failed_) return Flow::open;
    return layer.taken(layer.first_->finish());
}

Result<Flow> SmimeLayer::CmsFeed::finish() {
    TRY(layer.cms_->finish());
    return Flow::open;
}

Result<Flow> SmimeLayer::SignedPart::write(Chunk chunk) {
    layer.verify_->hash(chunk.bytes());
    return layer.entity_.write(std::move(chunk));
}

Result<Flow> SmimeLayer::SignedPart::finish() { return layer.entity_.finish(); }

Result<Flow> SmimeLayer::SignaturePart::write(Chunk chunk) {
    if (has_header) return layer.decoder_->write(std::move(chunk));
    if (!TRY(collector.write(std::move(chunk)))) return Flow::open;
    return begin();
}

Result<Flow> SmimeLayer::SignaturePart::begin() {
    has_header = true;
    layer.expect_cms(collector.take_header().transfer_encoding());
    return layer.decoder_->write_all(collector.take_rest());
}

Result<Flow> SmimeLayer::SignaturePart::finish() {
    if (!has_header) {
        TRY(collector.finish());
        TRY(begin());
    }
    return layer.decoder_->finish();
}

}  // namespace sealgate

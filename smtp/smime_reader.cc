// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/smime_reader.h"

#include <algorithm>

#include "core/loop.h"
#include "crypto/smime_decrypt.h"
#include "smtp/smime_layer.h"

namespace sealgate {
namespace {

// Each layer makes a block of about the size of what it is given, for base64 and again for the
// cipher, and they are all there at once: of a whole read of 64 KB, five layers would make more
// than the 256 KB of a session.
constexpr std::size_t slice_bytes = 16 * 1024;

}  // namespace

bool SmimeVerdict::has_signature() const {
    return std::any_of(layers.begin(), layers.end(), [](const LayerReport& layer) {
        return layer.type == LayerReport::Type::signed_;
    });
}

SmimeReader::SmimeReader(Context context, SmimeKind kind, const Header& root, Owner& owner)
    : context_(std::move(context)), owner_(owner), alive_(std::make_shared<SmimeReader*>(this)) {
    add_layer(kind, root);
}

SmimeReader::~SmimeReader() {
    *alive_ = nullptr;
    // The outermost layer knows those inside it.
    layers_.clear();
}

void SmimeReader::add_layer(SmimeKind kind, const Header& header) {
    layers_.push_back(std::make_unique<SmimeLayer>(*this, context_, layers_.size(), kind, header));
    if (layers_.back()->ended()) give_up();  // its kind was ambiguous
}

Result<Flow> SmimeReader::write(Chunk body) {
    Flow flow = Flow::open;
    for (std::size_t begin = 0; begin < body.size(); begin += slice_bytes) {
        const std::size_t end = std::min(body.size(), begin + slice_bytes);
        const Result<Flow> written = layers_.front()->input().write(body.slice(begin, end));
        if (stored_error_) return tl::unexpected(*stored_error_);
        if (written == Flow::full) flow = Flow::full;
    }
    return flow;
}

Result<Flow> SmimeReader::finish() {
    finished_ = true;
    const Result<Flow> flow = layers_.front()->input().finish();
    if (stored_error_) return tl::unexpected(*stored_error_);
    end_when_all_have();
    return flow;
}

// What layer `depth - 1` holds has shown its header.
Sink* SmimeReader::on_entity(SmimeEntity& entity, std::size_t depth, const Header& header) {
    const SmimeLayer& holder = *layers_[depth - 1];
    const SmimeKind kind = smime_kind(header);
    payload_header_ = header;
    const bool keep = context_.signatures == Signatures::keep;
    // Kept signatures are delivered with what they sign; what was around the last encryption goes.
    if (!hopeless_ && (keep ? holder.is_encrypted() : kind == SmimeKind::none)) {
        if (lane_entity_) lane_entity_->set_lane(nullptr);
        lane_entity_ = &entity;
        entity.set_lane(&owner_.on_opened(header));
    }
    if (kind == SmimeKind::none) return nullptr;
    if (depth == limits::smime_layers_max) {
        too_many_layers_ = true;
        give_up();
        return nullptr;
    }
    add_layer(kind, header);
    return &layers_.back()->input();
}

// What was inside a layer that failed is not what somebody sent.
void SmimeReader::on_layer_failed(std::size_t index) {
    layers_.resize(index + 1);
    too_many_layers_ = false;
    payload_header_ = {};
    give_up();
}

void SmimeReader::give_up() {
    if (hopeless_) return;
    hopeless_ = true;
    if (lane_entity_) lane_entity_->set_lane(nullptr);
    lane_entity_ = nullptr;
    owner_.on_hopeless();
}

void SmimeReader::on_layer_ended(const LayerReport& report) {
    if (report.reason != Reason::ok) give_up();
    end_when_all_have();
}

void SmimeReader::on_drain() {
    if (!finished_) owner_.on_smime_drain();
}

void SmimeReader::end_when_all_have() {
    const bool all = std::all_of(layers_.begin(), layers_.end(),
                                 [](const auto& layer) { return layer->ended(); });
    if (ended_ || !finished_ || !(all || stored_error_)) return;
    ended_ = true;
    context_.loop.defer([alive = alive_] {
        if (!*alive) return;
        SmimeReader& reader = **alive;
        if (reader.stored_error_)
            reader.owner_.on_smime_end(tl::unexpected(*reader.stored_error_));
        else
            reader.owner_.on_smime_end({});
    });
}

void SmimeReader::on_lane_failed(Error error) {
    if (!stored_error_) stored_error_ = error;
    end_when_all_have();
}

SmimeVerdict SmimeReader::take_verdict() {
    SmimeVerdict verdict;
    for (const auto& layer : layers_) {
        LayerReport& report = verdict.layers.emplace_back(layer->take_report());
        if (report.type == LayerReport::Type::encrypted) verdict.was_encrypted = true;
        if (verdict.reason != Reason::ok || report.reason == Reason::ok) continue;
        verdict.reason = report.reason;
        verdict.why = report.why;
    }
    // A name that ends in .p7m, and what is behind it is none.
    verdict.is_smime = !layers_.front()->is_mistaken();
    if (!verdict.is_smime) {
        verdict.layers.clear();
        verdict.reason = Reason::ok;
        verdict.why.clear();
        return verdict;
    }
    if (verdict.reason == Reason::ok && too_many_layers_) {
        verdict.reason = Reason::too_many_layers;
        verdict.why = "there is another layer inside the last that is opened";
    }
    verdict.verified = verdict.reason == Reason::ok;
    verdict.opened = verdict.verified && lane_entity_ != nullptr;
    // RFC 7281 §3: `none` is a message that was not signed.
    if (!verdict.verified)
        verdict.result = auth_result_of(verdict.reason);
    else if (verdict.has_signature())
        verdict.result = AuthResult::pass;
    verdict.payload_header = std::move(payload_header_);
    return verdict;
}

}  // namespace sealgate

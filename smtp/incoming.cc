// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/incoming.h"

#include <algorithm>

#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/harvest.h"
#include "smtp/header_edit.h"
#include "smtp/incoming_report.h"
#include "smtp/protected_headers.h"
#include "smtp/sender_identity.h"

namespace sealgate {
namespace {

bool has_eight_bit(const ChunkList& chunks) {
    return std::any_of(chunks.begin(), chunks.end(), [](const Chunk& chunk) {
        const ByteSpan bytes = chunk.bytes();
        return std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b >= 0x80; });
    });
}

}  // namespace

// --- lanes ---------------------------------------------------------------------------------------

void Incoming::Lane::on_drain() {
    full = false;
    incoming.drain();
}

Result<Flow> Incoming::Lanes::write(Chunk chunk) {
    scan.feed(chunk.bytes());
    for (auto& lane : list) lane->full = TRY(lane->writer->write(chunk))
    == Flow::full;
    return Flow::open;
}

// A body that has ended is not heard of again, so nobody may go on waiting for it.
Result<Flow> Incoming::Lanes::finish() {
    if (full()) incoming.drain_later();
    for (auto& lane : list) {
        lane->full = false;
        TRY(lane->writer->finish());
    }
    return Flow::open;
}

void Incoming::Lanes::clear() {
    if (full()) incoming.drain_later();
    list.clear();
}

bool Incoming::Lanes::full() const {
    return std::any_of(list.begin(), list.end(), [](const auto& lane) { return lane->full; });
}

// --- while it streams ----------------------------------------------------------------------------

Incoming::Incoming(HouseParts& parts, GatewayStatePtr state, const MailFlowPolicyOptions& policy,
                   Message message, Owner& owner)
    : parts_of_house_(parts),
      state_(std::move(state)),
      policy_(policy),
      message_(std::move(message)),
      owner_(owner),
      sender_(address_to_cover(message_.header).value_or("")),
      alive_(std::make_shared<Incoming*>(this)) {
    // Who takes which recipients does not depend on the verdict; what is done for them does.
    for (PolicyDecision& decision : state_->policies->decide(
             HeaderFacts(message_.header, message_.envelope, message_.origin))) {
        Part& part = parts_.emplace_back();
        part.mid = parts_.size() == 1 ? message_.mid : parts.spool.next_mid();
        part.policy = decision.policy;
        part.recipients = decision.recipients;
        original_.list.push_back(std::make_unique<Lane>(*this, parts.spool.begin(part.mid)));
    }
    const bool remove = policy.smime_signature == MailFlowPolicyOptions::Signature::remove;
    SmimeReader::Context context{
        parts.loop, parts.workers, state_->decryption_keys, verify_context(),
        remove ? SmimeReader::Signatures::remove : SmimeReader::Signatures::keep};
    SmimeReader::Owner& reader_owner = *this;
    reader_ = std::make_unique<SmimeReader>(std::move(context), message_.kind, message_.header,
                                            reader_owner);
}

Incoming::~Incoming() {
    *alive_ = nullptr;
    reader_.reset();  // it refers to the lanes
    if (released_) return;
    for (const Part& part : parts_)
        if (part.stored) parts_of_house_.spool.remove(part.mid);
}

VerifyContext Incoming::verify_context() const {
    VerifyContext context;
    context.anchors = state_->trust_smime;
    context.revocation = parts_of_house_.incoming.revocation;
    context.wall_seconds = message_.arrived;
    context.sender = sender_;
    context.known = parts_of_house_.incoming.known_keys;
    return context;
}

Sink& Incoming::on_opened(const Header& entity) {
    opened_.clear();
    opened_.scan = {};
    opened_header_ = entity;
    for (const Part& part : parts_)
        opened_.list.push_back(
            std::make_unique<Lane>(*this, parts_of_house_.spool.begin_variant(part.mid)));
    return opened_lines_.emplace(opened_, LineEndStage::BareCr::ends_line);
}

void Incoming::on_hopeless() { opened_.clear(); }

Result<Flow> Incoming::write(Chunk body) {
    TRY(original_.write(body));
    const Flow read = TRY(reader_->write(std::move(body)));
    return read == Flow::full ? read : flow();
}

Result<void> Incoming::finish() {
    TRY(original_.finish());
    TRY(reader_->finish());
    return {};
}

Flow Incoming::flow() const { return original_.full() || opened_.full() ? Flow::full : Flow::open; }

void Incoming::drain() {
    if (!ended_ && flow() == Flow::open) owner_.on_incoming_drain();
}

void Incoming::drain_later() {
    parts_of_house_.loop.defer([alive = alive_] {
        if (*alive) (*alive)->drain();
    });
}

// --- the verdict ---------------------------------------------------------------------------------

void Incoming::on_smime_end(Result<void> stored) {
    if (ended_) return;
    if (!stored) return end(stored);
    verdict_ = reader_->take_verdict();
    settle();
}

// What is delivered is known: its header, what the policies say of it, and so its envelope.
void Incoming::settle() {
    if (verdict_.opened)
        original_.clear();
    else
        opened_.clear();
    const Header header = header_to_deliver();
    for (PolicyDecision& decision : state_->policies->decide(
             HeaderFacts(header, message_.envelope, message_.origin, facts()))) {
        const auto part = std::find_if(parts_.begin(), parts_.end(),
                                       [&](const Part& p) { return p.policy == decision.policy; });
        CHECK(part != parts_.end());
        part->decision = std::move(decision);
    }
    ChunkList head;
    head.append(Chunk::copy_of(message_.received + authentication_results()));
    head.append(header.bytes());
    commits_pending_ = parts_.size();
    for (std::size_t i = 0; i < parts_.size(); ++i) commit(i, head, head.bytes());
}

Header Incoming::header_to_deliver() const {
    if (!verdict_.opened) return message_.header;
    ProtectedHeaders inside;
    if (verdict_.was_encrypted && policy_.smime_protected_headers_use)
        inside = read_protected_headers(message_.header, verdict_.payload_header);
    if (inside.from_differs)
        parts_of_house_.log.info("MID {} S/MIME protected headers: another From inside",
                                 message_.mid);
    return Header::parse(flatten(delivered_header(message_.header, opened_header_,
                                                  state_->config->gateway.hostname, &inside)));
}

SmimeFacts Incoming::facts() const {
    SmimeFacts facts;
    facts.is_message = verdict_.is_smime;
    facts.verified = verdict_.is_smime && verdict_.verified;
    for (const LayerReport& layer : verdict_.layers) {
        if (layer.type == LayerReport::Type::signed_) facts.is_signed = true;
        if (layer.type == LayerReport::Type::encrypted) facts.is_encrypted = true;
    }
    return facts;
}

std::string Incoming::authentication_results() const {
    return authentication_results_of(verdict_, state_->config->gateway.hostname, sender_);
}

Envelope Incoming::envelope_of(const Part& part) const {
    Envelope envelope = message_.envelope;
    envelope.recipients.clear();
    for (const std::size_t index : part.recipients)
        envelope.recipients.push_back(message_.envelope.recipients[index]);
    return envelope;
}

void Incoming::commit(std::size_t index, const ChunkList& head, std::size_t header_bytes) {
    const Part& part = parts_[index];
    Lanes& lanes = verdict_.opened ? opened_ : original_;
    Envelope envelope = envelope_of(part);
    envelope.header_bytes = header_bytes;
    envelope.body = lanes.scan.has_eight_bit() || has_eight_bit(head) ? BodyType::eight_bit
                                                                      : BodyType::seven_bit;
    envelope.has_long_lines = lanes.scan.has_long_lines();
    // A signature that stays must not be broken on the way out.
    envelope.signed_by_gateway =
        verdict_.is_smime && (!verdict_.opened || smime_kind(opened_header_) != SmimeKind::none);
    envelope.deferred_profile = part.decision.profile;
    envelope.deferred_by = part.decision.content_filter;
    SpoolWriter& writer = *lanes.list[index]->writer;
    writer.set_head(head);
    writer.commit(encode_envelope(envelope), [alive = alive_, index](Result<StoredMessage> stored) {
        if (*alive) (*alive)->on_committed(index, std::move(stored));
    });
}

void Incoming::on_committed(std::size_t index, Result<StoredMessage> stored) {
    if (!stored) return end(tl::unexpected(stored.error()));
    parts_[index].stored = *std::move(stored);
    if (--commits_pending_ == 0) end({});
}

void Incoming::end(Result<void> outcome) {
    if (ended_) return;
    ended_ = true;
    outcome_ = outcome;
    parts_of_house_.loop.defer([alive = alive_] {
        if (*alive) (*alive)->owner_.on_incoming_done();
    });
}

std::vector<MessageId> Incoming::mids() const {
    std::vector<MessageId> mids;
    for (const Part& part : parts_) mids.push_back(part.mid);
    return mids;
}

void Incoming::log_parts() const {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const Part& part = parts_[i];
        if (i > 0)
            log_part_split(parts_of_house_.log, message_.mid, part.mid, part.policy,
                           message_.origin.direction);
        log_part_matched(parts_of_house_.log, part.mid, part.policy, message_.origin.direction);
    }
}

void Incoming::release() {
    CHECK(ended_ && outcome_ && !released_);
    released_ = true;
    MailLog& log = parts_of_house_.log;
    count_smime(verdict_);
    for (const Part& part : parts_) log_smime(log, part.mid, verdict_, sender_);
    if (policy_.smime_harvest && parts_of_house_.incoming.harvester)
        parts_of_house_.incoming.harvester->harvest({message_.mid, sender_, verdict_.verified},
                                                    verdict_.layers, policy_);
    for (Part& part : parts_) {
        if (!part.decision.profile.empty())
            log.info("MID {} S/MIME {} profile {}: deferred", part.mid,
                     to_text(state_->config->sending_profiles.at(part.decision.profile).mode),
                     part.decision.profile);
        log.info("MID {} queued for delivery", part.mid);
        parts_of_house_.queue.add(*std::move(part.stored));
    }
}

}  // namespace sealgate

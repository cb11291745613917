// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/outlet.h"

#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"

namespace sealgate {

struct Outlet::End final : Sink {
    explicit End(Outlet& o) : outlet(o) {}
    Result<Flow> write(Chunk chunk) override {
        scan.feed(chunk.bytes());
        return outlet.writer_->write(std::move(chunk));
    }
    Result<Flow> finish() override {
        const Flow flow = TRY(outlet.writer_->finish());
        outlet.on_chain_finished();
        return flow;
    }
    Outlet& outlet;
    MimeScan scan;
};

Outlet::Outlet(HouseParts& parts, Owner& owner, MessageId mid, Envelope envelope, OutgoingPlan plan,
               std::string policy)
    : parts_(parts),
      owner_(owner),
      mid_(mid),
      envelope_(std::move(envelope)),
      plan_(std::move(plan)),
      policy_(std::move(policy)),
      alive_(std::make_shared<Outlet*>(this)) {}

Outlet::~Outlet() {
    *alive_ = nullptr;
    if (stored_ && !released_) parts_.spool.remove(mid_);
}

Result<Flow> Outlet::begin(const Header& header, std::string_view received) {
    original_header_ = header.bytes().text();
    if (plan_.kind == OutgoingPlan::Kind::bounce) return Flow::open;
    build_chain();
    TRY(end_->write(Chunk::copy_of(received)));
    if (plan_.kind == OutgoingPlan::Kind::relay) {
        flow_ = TRY(end_->write(header.bytes()));
        return flow_;
    }
    SplitHeader split = split_header(header);
    TRY(end_->write_all(std::move(split.outside)));
    flow_ = TRY(top_->write_all(std::move(split.inside)));
    return flow_;
}

void Outlet::build_chain() {
    writer_ = parts_.spool.begin(mid_);
    writer_->set_source(this);
    end_ = std::make_unique<End>(*this);
    top_ = end_.get();
    if (plan_.kind != OutgoingPlan::Kind::sign) return;
    const bool detached = plan_.sign.sign_mode == SendingProfileOptions::SignMode::detached;
    sign_ = make_sign_stage(plan_.sign, parts_.workers, *end_, sign_failure_);
    top_ = sign_.get();
    if (!detached) return;  // opaque content is base64 already
    // A client that said BODY=8BITMIME is believed to mean it, where a part has no label.
    SevenBitOptions options;
    if (envelope_.body == BodyType::eight_bit)
        options.trust = SevenBitOptions::Trust::seven_bit_label;
    seven_bit_ = std::make_unique<SevenBitStage>(*sign_, options);
    top_ = seven_bit_.get();
}

Result<Flow> Outlet::write(Chunk chunk) {
    if (plan_.kind == OutgoingPlan::Kind::bounce) return Flow::open;
    flow_ = TRY(top_->write(std::move(chunk)));
    return flow_;
}

Result<void> Outlet::finish() {
    if (plan_.kind == OutgoingPlan::Kind::bounce) {
        bounce();
        return {};
    }
    TRY(top_->finish());
    return {};
}

void Outlet::on_chain_finished() {
    const bool is_signed = plan_.kind == OutgoingPlan::Kind::sign;
    const MimeScan& scan = end_->scan;
    envelope_.body = scan.has_eight_bit() ? BodyType::eight_bit : BodyType::seven_bit;
    envelope_.has_long_lines = scan.has_long_lines();
    // What somebody else signed must not be re-encoded on the way out either.
    envelope_.signed_by_gateway = is_signed || plan_.already_smime;
    writer_->commit(encode_envelope(envelope_), [alive = alive_](Result<StoredMessage> stored) {
        if (*alive) (*alive)->on_committed(std::move(stored));
    });
}

void Outlet::on_committed(Result<StoredMessage> stored) {
    if (!stored) {
        end(tl::unexpected(stored.error()));
        return;
    }
    stored_ = *std::move(stored);
    end({});
}

void Outlet::on_drain() {
    flow_ = Flow::open;
    owner_.on_outlet_drain();
}

void Outlet::on_failed(Error error) { end(tl::unexpected(error)); }

// The key could not be used: nothing of what was written may stay.
void Outlet::on_sign_failed(Error) {
    plan_.kind = OutgoingPlan::Kind::bounce;
    plan_.reason = Reason::no_certificate;
    bounce();
}

void Outlet::bounce() {
    writer_.reset();
    parts_.log.info("MID {} S/MIME sign profile {}: failed {}", mid_, plan_.profile,
                    to_word(plan_.reason));
    Metrics::instance().add_sign(plan_.reason);
    std::vector<BouncedRecipient> bounced;
    for (std::size_t rid = 0; rid < envelope_.recipients.size(); ++rid) {
        BouncedRecipient& recipient = bounced.emplace_back();
        recipient.rid = rid;
        recipient.enhanced = "5.7.1";
        recipient.text = to_sentence(plan_.reason);
        recipient.reason = to_word(plan_.reason);
    }
    parts_.queue.bounce(mid_, envelope_, original_header_, std::move(bounced),
                        [alive = alive_](Result<void> result) {
                            if (*alive) (*alive)->end(result);
                        });
}

void Outlet::end(Result<void> outcome) {
    if (done_) return;
    done_ = true;
    outcome_ = outcome;
    // Callers above us may be on the stack: the stage that failed, the store's batch of answers.
    parts_.loop.defer([alive = alive_] {
        if (*alive) (*alive)->owner_.on_outlet_done();
    });
}

void Outlet::release() {
    CHECK(done_ && outcome_ && !released_);
    released_ = true;
    if (!stored_) {  // a bounce: its DSN is in the queue already
        parts_.log.info("Message finished MID {} done", mid_);
        return;
    }
    if (plan_.kind == OutgoingPlan::Kind::sign) {
        parts_.log.info("MID {} S/MIME sign profile {}: ok", mid_, plan_.profile);
        Metrics::instance().add_sign(Reason::ok);
    }
    parts_.log.info("MID {} queued for delivery", mid_);
    parts_.queue.add(*std::move(stored_));
}

}  // namespace sealgate

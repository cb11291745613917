// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/outlet.h"

#include <algorithm>

#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/header_edit.h"

namespace sealgate {
namespace {

using Mode = SendingProfileOptions::Mode;

SmimeOperation operation_of(Mode mode) { return static_cast<SmimeOperation>(mode); }
static_assert(static_cast<int>(Mode::triple) == static_cast<int>(SmimeOperation::triple));

// RFC 3463 §3.8: X.7.5, "necessary information such as key was not available"; X.7.1, "not
// authorized to send to the destination" this way.
const char* status_of(Reason reason) { return reason == Reason::no_key ? "5.7.5" : "5.7.1"; }

}  // namespace

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

PartToMake part_to_make(const Envelope& whole, OutgoingPart part) {
    PartToMake made;
    made.plan = std::move(part.plan);
    made.envelope = whole;
    made.envelope.recipients.clear();
    for (const std::size_t index : part.recipients) {
        if (std::find(part.without_key.begin(), part.without_key.end(), index) !=
            part.without_key.end())
            made.without_key.push_back(made.envelope.recipients.size());
        made.envelope.recipients.push_back(whole.recipients[index]);
    }
    return made;
}

Outlet::Outlet(HouseParts& parts, Owner& owner, PartToMake part)
    : parts_(parts),
      owner_(owner),
      part_(std::move(part)),
      alive_(std::make_shared<Outlet*>(this)) {}

Outlet::~Outlet() {
    *alive_ = nullptr;
    // The uppermost stage knows those below it.
    while (!stages_.empty()) stages_.pop_back();
    if (stored_ && !released_) parts_.spool.remove(part_.mid);
}

bool Outlet::has_body() const {
    return part_.plan.kind != Kind::bounce && part_.plan.kind != Kind::drop;
}

Result<Flow> Outlet::begin(const Header& header, std::string_view received) {
    original_header_ = header.bytes().text();
    if (!has_body()) return Flow::open;
    build_chain();
    if (!received.empty()) TRY(end_->write(Chunk::copy_of(received)));
    if (part_.plan.kind != Kind::seal) {
        flow_ = TRY(end_->write(relayed_header(header)));
        return flow_;
    }
    SplitHeader split = split_header(header);
    TRY(end_->write_all(std::move(split.outside)));
    flow_ = TRY(top_->write_all(std::move(split.inside)));
    return flow_;
}

void Outlet::build_chain() {
    writer_ = parts_.spool.begin(part_.mid);
    writer_->set_source(this);
    end_ = std::make_unique<End>(*this);
    top_ = end_.get();
    const OutgoingPlan& plan = part_.plan;
    if (plan.kind != Kind::seal) return;
    if (plan.sign_outside) add_sign_stage(*plan.sign_outside);
    if (plan.encrypt) {
        auto encrypt = make_encrypt_stage(*plan.encrypt, parts_.workers, *top_, encrypt_failure_);
        writer_->set_source(encrypt.get());
        top_ = encrypt.get();
        stages_.push_back(std::move(encrypt));
    }
    if (!plan.sign) return;
    add_sign_stage(*plan.sign);
    // Opaque content is base64 already.
    if (plan.sign->sign_mode != SendingProfileOptions::SignMode::detached) return;
    // A client that said BODY=8BITMIME is believed to mean it, where a part has no label.
    SevenBitOptions options;
    if (part_.envelope.body == BodyType::eight_bit)
        options.trust = SevenBitOptions::Trust::seven_bit_label;
    stages_.push_back(std::make_unique<SevenBitStage>(*top_, options));
    top_ = stages_.back().get();
}

void Outlet::add_sign_stage(const SignPlan& plan) {
    stages_.push_back(make_sign_stage(plan, parts_.workers, *top_, sign_failure_));
    top_ = stages_.back().get();
}

Result<Flow> Outlet::write(Chunk chunk) {
    if (!has_body()) return Flow::open;
    flow_ = TRY(top_->write(std::move(chunk)));
    return flow_;
}

Result<void> Outlet::finish() {
    if (part_.plan.kind == Kind::bounce) {
        bounce();
    } else if (part_.plan.kind == Kind::drop) {
        end({});
    } else {
        TRY(top_->finish());
    }
    return {};
}

void Outlet::on_chain_finished() {
    const OutgoingPlan& plan = part_.plan;
    Envelope& envelope = part_.envelope;
    const MimeScan& scan = end_->scan;
    envelope.body = scan.has_eight_bit() ? BodyType::eight_bit : BodyType::seven_bit;
    envelope.has_long_lines = scan.has_long_lines();
    // What somebody else signed must not be re-encoded on the way out either.
    envelope.signed_by_gateway = plan.kind == Kind::seal || plan.note == SmimeNote::already_smime;
    if (plan.kind == Kind::wait) {
        envelope.deferred_profile = plan.profile;
        envelope.deferred_by = part_.content_filter;
    }
    writer_->commit(encode_envelope(envelope), [alive = alive_](Result<StoredMessage> stored) {
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

// The key could not be used: nothing of what was written may stay. What is temporary comes from the
// store below the stage, and the message may come again.
void Outlet::on_stage_failed(Reason reason, Error error) {
    if (error.kind == ErrorKind::temporary) return end(tl::unexpected(error));
    part_.plan.kind = Kind::bounce;
    part_.plan.reason = reason;
    part_.plan.why = error.what;
    bounce();
}

void Outlet::bounce() {
    writer_.reset();
    log_outcome();
    parts_.queue.bounce(part_.mid, part_.envelope, original_header_, bounced_recipients(),
                        [alive = alive_](Result<void> result) {
                            if (*alive) (*alive)->end(result);
                        });
}

std::vector<BouncedRecipient> Outlet::bounced_recipients() const {
    const std::vector<std::size_t>& without = part_.without_key;
    std::vector<BouncedRecipient> bounced;
    for (std::size_t rid = 0; rid < part_.envelope.recipients.size(); ++rid) {
        BouncedRecipient& recipient = bounced.emplace_back();
        recipient.rid = rid;
        recipient.enhanced = status_of(part_.plan.reason);
        recipient.text = to_sentence(part_.plan.reason);
        recipient.reason = to_word(part_.plan.reason);
        // spec/smime.md: `bounce` is for the whole message, also for those who have a key.
        if (!without.empty() && std::find(without.begin(), without.end(), rid) == without.end())
            recipient.text = "not sent, because there is no key for another recipient";
    }
    return bounced;
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

// `MID 6 S/MIME sign-encrypt profile partners: ok`, and what else became of it.
void Outlet::log_outcome() const {
    const OutgoingPlan& plan = part_.plan;
    if (plan.profile.empty()) return;
    MailLog& log = parts_.log;
    const char* mode = to_text(plan.mode);
    const Reason reason = plan.reason;
    switch (plan.kind) {
    case Kind::seal:
        if (plan.note == SmimeNote::left_clear) log_left_clear();
        log.info("MID {} S/MIME {} profile {}: ok", part_.mid, mode, plan.profile);
        break;
    case Kind::bounce:
        log.info("MID {} S/MIME {} profile {}: failed {}{}{}", part_.mid, mode, plan.profile,
                 to_word(reason), plan.why.empty() ? "" : ", ", plan.why);
        break;
    case Kind::drop:
        log.info("MID {} S/MIME {} profile {}: dropped {}", part_.mid, mode, plan.profile,
                 to_word(reason));
        break;
    case Kind::wait:
        log.info("MID {} S/MIME {} profile {}: deferred{}{}", part_.mid, mode, plan.profile,
                 plan.why.empty() ? "" : ", ", plan.why);
        return;
    case Kind::relay:
        if (plan.note == SmimeNote::left_clear) log_left_clear();
        return;
    }
    Metrics::instance().add_smime(operation_of(plan.mode), reason);
}

void Outlet::log_left_clear() const {
    parts_.log.info("MID {} S/MIME encrypt profile {}: no-key, split: not encrypted", part_.mid,
                    part_.plan.profile);
    Metrics::instance().add_smime(SmimeOperation::encrypt, Reason::no_key);
}

void Outlet::release() {
    CHECK(done_ && outcome_ && !released_);
    released_ = true;
    if (part_.plan.kind != Kind::bounce) log_outcome();  // a bounce has said it
    if (!stored_) {  // a bounce, whose DSN is in the queue already, or a drop
        parts_.log.info("Message finished MID {} {}", part_.mid,
                        part_.plan.kind == Kind::drop ? "dropped" : "done");
        return;
    }
    parts_.log.info("MID {} queued for delivery", part_.mid);
    parts_.queue.add(*std::move(stored_));
}

}  // namespace sealgate

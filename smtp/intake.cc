// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/intake.h"

#include <algorithm>

#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/header_edit.h"
#include "smtp/header_facts.h"
#include "smtp/incoming_report.h"
#include "smtp/received.h"

namespace sealgate {
namespace {

// What the queue and DSNs show of a subject.
constexpr std::size_t subject_characters_max = 120;

MessageOrigin origin_of(const SessionInfo& session) {
    const bool relay = session.policy->action == MailFlowPolicyOptions::Action::relay;
    return {relay ? Direction::outgoing : Direction::incoming, session.peer.ip,
            session.listener->name, session.sender_group};
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Some clients say SMTPUTF8 with every message; the next hop must offer it only for those that
// have something of it (RFC 6531 §3.7.1).
bool is_internationalized(const Header& header, const Envelope& envelope) {
    return header.has_eight_bit() || !is_ascii(envelope.sender) ||
           std::any_of(envelope.recipients.begin(), envelope.recipients.end(),
                       [](const Recipient& recipient) { return !is_ascii(recipient.address); });
}

}  // namespace

Intake::Intake(HouseParts& parts, GatewayStatePtr state, Envelope envelope,
               const SessionInfo& session, MessageIntakeEvents& events)
    : parts_(parts),
      state_(std::move(state)),
      envelope_(std::move(envelope)),
      session_(session),
      events_(events),
      mid_(parts.spool.next_mid()),
      arrived_(parts.loop.wall_seconds()),
      outlets_(parts, *this),
      alive_(std::make_shared<Intake*>(this)) {
    envelope_.arrived = arrived_;
    parts_.log.info("Start MID {} ICID {}", mid_, session_.icid);
    parts_.log.info("MID {} ICID {} From: <{}>", mid_, session_.icid, printable(envelope_.sender));
    for (std::size_t rid = 0; rid < envelope_.recipients.size(); ++rid)
        parts_.log.info("MID {} ICID {} RID {} To: <{}>", mid_, session_.icid, rid,
                        printable(envelope_.recipients[rid].address));
}

Intake::~Intake() {
    *alive_ = nullptr;
    if (ended_) return;
    parts_.log.info("Message aborted MID {} Receiving aborted by sender", mid_);
    log_aborted();
}

Result<Flow> Intake::write(Chunk content) {
    Result<Flow> flow = take(std::move(content));
    if (!flow) refuse(reply_for(flow.error()));  // the session answers with the same words
    return flow;
}

Result<Flow> Intake::take(Chunk content) {
    if (ended_) return Flow::open;  // refused; the session will hear of it
    content_bytes_ += content.size();
    if (has_header_) return write_body(std::move(content));
    if (!TRY(collector_.write(std::move(content)))) return Flow::open;
    TRY(on_header());
    if (ended_) return Flow::open;
    // The last word counts: flow() does not know of a key that is awaited.
    Flow last = flow();
    ChunkList rest = collector_.take_rest();
    while (!rest.empty()) last = TRY(write_body(rest.take_front()));
    return last;
}

Result<void> Intake::on_header() {
    has_header_ = true;
    header_ = collector_.take_header();
    // RFC 5321 §6.3: simple counting of Received fields detects loops.
    if (header_.count("Received") > limits::received_fields_max) {
        refuse_later(make_reply(554, "5.4.6", "Too many hops, the message goes in circles"));
        return {};
    }
    envelope_.message_id = printable(header_.message_id());
    envelope_.subject = printable(header_.subject(), subject_characters_max);
    envelope_.smtputf8 = envelope_.smtputf8 && is_internationalized(header_, envelope_);
    if (session_.policy->smime_verify_decrypt && open_smime()) return {};
    decide();
    if (planning()) return {};
    return begin_parts();
}

// True when the message goes the way of those whose layers are opened. What somebody else says in
// our name is taken out in any case.
bool Intake::open_smime() {
    const std::string& hostname = state_->config->gateway.hostname;
    const auto is_forged = [&](const HeaderField* field) {
        return bears_authserv_id(header_, *field, hostname);
    };
    const auto claims = header_.all("Authentication-Results");
    if (std::any_of(claims.begin(), claims.end(), is_forged))
        header_ = Header::parse(flatten(original_header(header_, hostname)));
    const SmimeKind kind = smime_kind(header_);
    if (kind == SmimeKind::none) {
        authentication_results_ = authentication_results_of({}, hostname, "");
        return false;
    }
    Incoming::Message message;
    message.mid = mid_;
    message.envelope = envelope_;
    // In a block of its own: it is kept to the end, and would keep a whole read of the socket.
    message.header = Header::parse(Chunk::copy_of(header_.bytes().bytes()));
    header_ = {};
    message.origin = origin_of(session_);
    message.received = make_received(session_, envelope_, mid_, arrived_);
    message.arrived = arrived_;
    message.kind = kind;
    Incoming::Owner& owner = *this;
    incoming_ =
        std::make_unique<Incoming>(parts_, state_, *session_.policy, std::move(message), owner);
    return true;
}

void Intake::decide() {
    decisions_ = state_->policies->decide(HeaderFacts(header_, envelope_, origin_of(session_)));
    for (const PolicyDecision& decision : decisions_) {
        // What is done at delivery is planned then.
        const std::string& profile = decision.deferred ? std::string() : decision.profile;
        planners_.push_back(std::make_unique<OutgoingPlanner>(
            parts_.keys, *state_, header_, envelope_, profile, decision.recipients, arrived_));
        if (!planners_.back()->start([this] { on_planned(); })) ++plans_pending_;
    }
}

void Intake::on_planned() {
    if (--plans_pending_ > 0 || ended_) return;
    Result<void> begun = begin_parts();
    while (begun && !held_.empty()) {
        const Result<Flow> written = outlets_.write(held_.take_front());
        if (!written) begun = tl::unexpected(written.error());
    }
    if (begun && finished_) begun = finish_parts();
    if (!begun) return refuse_later(reply_for(begun.error()));
    if (!finished_ && flow() == Flow::open) events_.on_intake_drain();
}

Result<void> Intake::begin_parts() {
    const std::string received =
        make_received(session_, envelope_, mid_, arrived_) + authentication_results_;
    for (std::size_t i = 0; i < decisions_.size(); ++i) TRY(begin_parts_of(i, received));
    planners_.clear();
    return {};
}

Result<void> Intake::begin_parts_of(std::size_t decision_index, std::string_view received) {
    const PolicyDecision& decision = decisions_[decision_index];
    std::vector<OutgoingPart> planned = planners_[decision_index]->take_parts();
    if (decision.deferred || planned.size() > limits::parts_at_once_max) {
        planned.resize(1);
        planned[0].recipients = decision.recipients;
        planned[0].plan = waiting_plan(*state_, decision.profile);
    }
    for (OutgoingPart& part : planned) {
        PartToMake make = part_to_make(envelope_, std::move(part));
        make.mid = outlets_.empty() ? mid_ : parts_.spool.next_mid();
        make.policy = decision.policy;
        make.content_filter = decision.content_filter;
        TRY(outlets_.add(std::move(make), header_, received));
    }
    return {};
}

Result<Flow> Intake::write_body(Chunk chunk) {
    if (incoming_) return incoming_->write(std::move(chunk));
    if (!planning()) return outlets_.write(std::move(chunk));
    held_.append(std::move(chunk));
    return Flow::full;
}

void Intake::finish() {
    if (ended_) return;
    finished_ = true;
    if (Result<void> done = finish_parts(); !done) refuse_later(reply_for(done.error()));
}

Result<void> Intake::finish_parts() {
    if (!has_header_) {
        TRY(collector_.finish());
        TRY(on_header());
        if (ended_) return {};
    }
    if (planning()) return {};  // on_planned() comes here again
    log_received();
    parts_announced_ = true;
    if (incoming_) {
        incoming_->log_parts();
        return incoming_->finish();
    }
    for (std::size_t i = 0; i < outlets_.list().size(); ++i) log_part(i);
    return outlets_.finish();
}

void Intake::on_outlets_drain() {
    if (!ended_) events_.on_intake_drain();
}

Flow Intake::flow() const {
    if (incoming_) return incoming_->flow();
    return planning() ? Flow::full : outlets_.flow();
}

void Intake::on_outlets_done() {
    if (ended_) return;
    if (const Outlet* failed = outlets_.failure())
        return refuse_for_store(failed->outcome().error());
    ended_ = true;
    outlets_.release();
    accept();
}

void Intake::on_incoming_done() {
    if (ended_) return;
    if (!incoming_->outcome()) return refuse_for_store(incoming_->outcome().error());
    ended_ = true;
    incoming_->release();
    accept();
}

// A disk that filled up meanwhile is said as it would have been said before DATA.
void Intake::refuse_for_store(Error error) {
    const Reply reply = parts_.spool.healthy()
                            ? reply_for(error)
                            : make_reply(452, "4.3.1", "Insufficient system storage");
    refuse(reply);
    events_.on_intake_done(reply);
}

void Intake::accept() {
    Metrics::instance().add(Counter::messages_received);
    events_.on_intake_done(make_reply(250, "2.0.0", "Ok: queued as MID " + std::to_string(mid_)));
}

// Nothing of the message stays; the peer will hear `reply`.
void Intake::refuse(const Reply& reply) {
    ended_ = true;
    Metrics::instance().add(Counter::messages_refused);
    parts_.log.info("MID {} refused: {} {}", mid_, reply.code, printable(reply.text()));
    log_aborted();
    outlets_.clear();
    incoming_.reset();
    held_.clear();
}

// write() and finish() may not answer from inside.
void Intake::refuse_later(const Reply& reply) {
    refuse(reply);
    parts_.loop.defer([alive = alive_, reply] {
        if (*alive) (*alive)->events_.on_intake_done(reply);
    });
}

// Every MID that was announced ends here, but for parts whose DSN is already on its way.
void Intake::log_aborted() const {
    if ((outlets_.empty() && !incoming_) || !parts_announced_)
        parts_.log.info("Message finished MID {} aborted", mid_);
    if (!parts_announced_) return;
    if (incoming_) {
        for (const MessageId mid : incoming_->mids())
            parts_.log.info("Message finished MID {} aborted", mid);
    }
    for (const auto& outlet : outlets_.list())
        if (!(outlet->done() && outlet->plan().kind == OutgoingPlan::Kind::bounce))
            parts_.log.info("Message finished MID {} aborted", outlet->mid());
}

bool Intake::outgoing() const {
    return session_.policy->action == MailFlowPolicyOptions::Action::relay;
}

void Intake::log_received() const {
    parts_.log.info("MID {} Message-ID '{}'", mid_, envelope_.message_id);
    parts_.log.info("MID {} Subject \"{}\"", mid_, envelope_.subject);
    parts_.log.info("MID {} ready {} bytes from <{}>", mid_, content_bytes_,
                    printable(envelope_.sender));
}

void Intake::log_part(std::size_t index) const {
    const Outlet& outlet = *outlets_.list()[index];
    const Direction direction = outgoing() ? Direction::outgoing : Direction::incoming;
    const OutgoingPlan& plan = outlet.plan();
    if (index > 0) {
        const Outlet& before = *outlets_.list()[index - 1];
        if (before.policy() == outlet.policy())
            parts_.log.info(
                "MID {} was generated for S/MIME encryption based on MID {} by content filter '{}'",
                outlet.mid(), mid_, outlet.content_filter());
        else
            log_part_split(parts_.log, mid_, outlet.mid(), outlet.policy(), direction);
    }
    log_part_matched(parts_.log, outlet.mid(), outlet.policy(), direction);
    if (plan.note == SmimeNote::already_smime)
        parts_.log.info("MID {} S/MIME {} profile {}: already S/MIME, left as it is", outlet.mid(),
                        to_text(plan.mode), plan.profile);
}

}  // namespace sealgate

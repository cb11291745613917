// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/intake.h"

#include <algorithm>

#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/addresses.h"
#include "smtp/encoded_word.h"
#include "smtp/received.h"

namespace sealgate {
namespace {

// What the queue and DSNs show of a subject.
constexpr std::size_t subject_characters_max = 120;

// The message as the rules of filters and policies see it, at the end of its header.
class HeaderFacts final : public MessageFacts {
public:
    HeaderFacts(const Header& header, const Envelope& envelope, const SessionInfo& session)
        : header_(header),
          envelope_(envelope),
          session_(session),
          from_(addresses_of(header, "From").list.addresses) {
        for (const Recipient& recipient : envelope.recipients)
            recipients_.push_back(recipient.address);
    }

    Direction direction() const override {
        const bool relay = session_.policy->action == MailFlowPolicyOptions::Action::relay;
        return relay ? Direction::outgoing : Direction::incoming;
    }
    std::string_view envelope_sender() const override { return envelope_.sender; }
    const std::vector<std::string>& from_addresses() const override { return from_; }
    const std::vector<std::string>& recipients() const override { return recipients_; }
    std::string subject() const override { return header_.subject(); }
    std::vector<std::string> header(std::string_view name) const override {
        std::vector<std::string> values;
        for (const HeaderField* field : header_.all(name))
            values.push_back(decode_encoded_words(header_.value(*field)));
        return values;
    }
    const IpAddress& remote_ip() const override { return session_.peer.ip; }
    std::string_view listener() const override { return session_.listener->name; }
    std::string_view sender_group() const override { return session_.sender_group; }

private:
    const Header& header_;
    const Envelope& envelope_;
    const SessionInfo& session_;
    std::vector<std::string> from_;
    std::vector<std::string> recipients_;
};

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

Envelope for_recipients(const Envelope& whole, const std::vector<std::size_t>& indexes) {
    Envelope part = whole;
    part.recipients.clear();
    for (const std::size_t index : indexes) part.recipients.push_back(whole.recipients[index]);
    return part;
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
    ChunkList rest = collector_.take_rest();
    while (!rest.empty()) TRY(write_body(rest.take_front()));
    return flow();
}

Result<Flow> Intake::on_header() {
    has_header_ = true;
    header_ = collector_.take_header();
    // RFC 5321 §6.3: simple counting of Received fields detects loops.
    if (header_.count("Received") > limits::received_fields_max) {
        refuse_later(make_reply(554, "5.4.6", "Too many hops, the message goes in circles"));
        return Flow::open;
    }
    envelope_.message_id = printable(header_.message_id());
    envelope_.subject = printable(header_.subject(), subject_characters_max);
    const std::string received = make_received(session_, envelope_, mid_, arrived_);
    envelope_.smtputf8 = envelope_.smtputf8 && is_internationalized(header_, envelope_);
    Outlet::Owner& owner = *this;
    for (const PolicyDecision& decision : decide()) {
        const MessageId mid = outlets_.empty() ? mid_ : parts_.spool.next_mid();
        Envelope envelope = for_recipients(envelope_, decision.recipients);
        OutgoingPlan plan = plan_outgoing(*state_, decision.profile, header_, envelope, arrived_);
        outlets_.push_back(std::make_unique<Outlet>(parts_, owner, mid, std::move(envelope),
                                                    std::move(plan), decision.policy));
        TRY(outlets_.back()->begin(header_, received));
    }
    return flow();
}

std::vector<PolicyDecision> Intake::decide() const {
    return state_->policies->decide(HeaderFacts(header_, envelope_, session_));
}

Result<Flow> Intake::write_body(Chunk chunk) {
    for (auto& outlet : outlets_) TRY(outlet->write(chunk));
    return flow();
}

Flow Intake::flow() const {
    const bool full = std::any_of(outlets_.begin(), outlets_.end(),
                                  [](const auto& outlet) { return outlet->full(); });
    return full ? Flow::full : Flow::open;
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
    log_received();
    parts_announced_ = true;
    for (const auto& outlet : outlets_) log_part(*outlet);
    for (auto& outlet : outlets_) TRY(outlet->finish());
    return {};
}

void Intake::on_outlet_drain() {
    if (!ended_ && flow() == Flow::open) events_.on_intake_drain();
}

void Intake::on_outlet_done() {
    if (ended_) return;
    for (const auto& outlet : outlets_)
        if (outlet->done() && !outlet->outcome()) {
            // A disk that filled up meanwhile is said as it would have been said before DATA.
            const Reply reply = parts_.spool.healthy()
                                    ? reply_for(outlet->outcome().error())
                                    : make_reply(452, "4.3.1", "Insufficient system storage");
            refuse(reply);
            events_.on_intake_done(reply);
            return;
        }
    const bool all = std::all_of(outlets_.begin(), outlets_.end(),
                                 [](const auto& outlet) { return outlet->done(); });
    if (!finished_ || !all) return;
    ended_ = true;
    for (auto& outlet : outlets_) outlet->release();
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
    if (outlets_.empty() || !parts_announced_)
        parts_.log.info("Message finished MID {} aborted", mid_);
    if (!parts_announced_) return;
    for (const auto& outlet : outlets_)
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

void Intake::log_part(const Outlet& outlet) const {
    const char* table = outgoing() ? "outbound" : "inbound";
    const OutgoingPlan& plan = outlet.plan();
    if (outlet.mid() != mid_)
        parts_.log.info(
            "MID {} was split creating MID {} due to a per-recipient policy ({}) in the {} table",
            mid_, outlet.mid(), outlet.policy(), table);
    parts_.log.info("MID {} matched all recipients for per-recipient policy {} in the {} table",
                    outlet.mid(), outlet.policy(), table);
    if (plan.already_smime)
        parts_.log.info("MID {} S/MIME sign profile {}: already S/MIME, left as it is",
                        outlet.mid(), plan.profile);
}

}  // namespace sealgate

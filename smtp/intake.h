// SPDX-License-Identifier: GPL-3.0-or-later
// One message on its way in: header, decision, then its body through the outlets, then durability.
//
// The header is collected (up to limits::header_bytes_max); at its end the mail policies decide,
// per recipient, and each part gets an outlet; the body then streams once through all of them. When
// a recipient's key must be looked up outside, the body waits for the answer (what has been read of
// it lies here, the rest with the peer). The peer hears 250 when every part is durable, and the
// parts go to the queue in that moment; if one cannot be stored, none stays and the peer hears why.
// An S/MIME message whose layers are to be opened goes another way (smtp/incoming.h).
// Destroyed before its end: aborted, logged, nothing remains. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "smtp/gateway_state.h"
#include "smtp/header.h"
#include "smtp/incoming.h"
#include "smtp/outlets.h"
#include "smtp/session_host.h"

namespace sealgate {

class Intake final : public MessageIntake, private Outlets::Owner, private Incoming::Owner {
public:
    Intake(HouseParts& parts, GatewayStatePtr state, Envelope envelope, const SessionInfo& session,
           MessageIntakeEvents& events);
    ~Intake() override;

    Result<Flow> write(Chunk content) override;
    void finish() override;

private:
    Result<Flow> take(Chunk content);
    Result<void> on_header();
    void decide();
    void on_planned();
    Result<void> begin_parts();
    Result<void> begin_parts_of(std::size_t decision, std::string_view received);
    bool planning() const { return plans_pending_ > 0; }
    bool open_smime();
    Result<Flow> write_body(Chunk chunk);
    Result<void> finish_parts();
    void on_outlets_drain() override;
    void on_outlets_done() override;
    void on_incoming_drain() override { on_outlets_drain(); }
    void on_incoming_done() override;
    Flow flow() const;
    void accept();
    void refuse_for_store(Error error);
    void refuse(const Reply& reply);
    void refuse_later(const Reply& reply);
    void log_received() const;
    void log_part(std::size_t index) const;
    void log_aborted() const;
    bool outgoing() const;

    HouseParts& parts_;
    GatewayStatePtr state_;
    Envelope envelope_;
    const SessionInfo& session_;
    MessageIntakeEvents& events_;
    MessageId mid_;
    std::int64_t arrived_;
    HeaderCollector collector_;
    Header header_;
    std::uint64_t content_bytes_ = 0;
    bool has_header_ = false;
    bool finished_ = false;         // finish() was called
    bool ended_ = false;            // the peer's answer is known
    bool parts_announced_ = false;  // the MIDs of all parts stand in the log
    std::vector<PolicyDecision> decisions_;
    std::vector<std::unique_ptr<OutgoingPlanner>> planners_;  // one for each decision
    std::size_t plans_pending_ = 0;
    ChunkList held_;  // of the body, while a plan is pending
    Outlets outlets_;
    std::unique_ptr<Incoming> incoming_;  // instead of the outlets, when layers are opened
    std::string authentication_results_;  // a field of ours; empty: the policy does not verify
    std::shared_ptr<Intake*> alive_;      // what is deferred looks here whether we still are
};

}  // namespace sealgate

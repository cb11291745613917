// SPDX-License-Identifier: GPL-3.0-or-later
// One part of a message on its way through its stages into the spool.
//
//     Received, outer fields ──────────────────────────────┐
//     inner fields, body ─► [7-bit ─►] sign ─► [scan] ─────┴─► spool writer ─► commit
//
// A part that is relayed as it is skips the signing; a part that must bounce keeps no body: at the
// end a DSN is made durable instead. When the signature cannot be made after all, the part turns
// into a bounce: nothing unsigned ever leaves. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/spool.h"
#include "core/stage.h"
#include "smtp/mime_scan.h"
#include "smtp/mime_seven_bit.h"
#include "smtp/outgoing.h"
#include "smtp/queue.h"

namespace sealgate {

class MailLog;
class WorkerPool;

// What the ways of all messages lead through.
struct HouseParts {
    Loop& loop;
    MailLog& log;
    Spool& spool;
    WorkerPool& workers;
    DeliveryQueue& queue;
};

class Outlet final : private Source {
public:
    class Owner {
    public:
        // Neither is called from inside the outlet's own calls.
        virtual void on_outlet_drain() = 0;
        virtual void on_outlet_done() = 0;  // done() is true now

    protected:
        ~Owner() = default;
    };

    // `envelope`: only this part's recipients. `policy`: the mail policy that took them.
    Outlet(HouseParts& parts, Owner& owner, MessageId mid, Envelope envelope, OutgoingPlan plan,
           std::string policy);
    ~Outlet() override;  // before release(): nothing of the part remains

    // The header first; then the body in chunks; then finish(), after which done() comes true.
    Result<Flow> begin(const Header& header, std::string_view received);
    Result<Flow> write(Chunk chunk);
    Result<void> finish();

    bool full() const { return flow_ == Flow::full; }
    bool done() const { return done_; }
    // When done: durable (as a message or as its DSN), or why not.
    const Result<void>& outcome() const { return outcome_; }
    MessageId mid() const { return mid_; }
    const Envelope& envelope() const { return envelope_; }
    const OutgoingPlan& plan() const { return plan_; }
    const std::string& policy() const { return policy_; }
    // The whole message was accepted: the part goes to the queue. Without it, the part is undone.
    void release();

private:
    // Tells a failed signature from a failed store.
    struct SignFailure final : Source {
        explicit SignFailure(Outlet& o) : outlet(o) {}
        void on_drain() override { outlet.on_drain(); }
        void on_failed(Error error) override { outlet.on_sign_failed(error); }
        Outlet& outlet;
    };
    // The end of the chain: passes to the spool and says when the last byte went there.
    struct End;

    void build_chain();
    void on_drain() override;
    void on_failed(Error error) override;
    void on_sign_failed(Error error);
    void on_chain_finished();
    void on_committed(Result<StoredMessage> stored);
    void bounce();
    void end(Result<void> outcome);

    HouseParts& parts_;
    Owner& owner_;
    MessageId mid_;
    Envelope envelope_;
    OutgoingPlan plan_;
    std::string policy_;
    std::string original_header_;  // for the DSN
    bool released_ = false;
    bool done_ = false;
    Result<void> outcome_;
    Flow flow_ = Flow::open;
    std::optional<StoredMessage> stored_;

    std::unique_ptr<SpoolWriter> writer_;
    SignFailure sign_failure_{*this};
    std::unique_ptr<End> end_;
    std::unique_ptr<Sink> sign_;
    std::unique_ptr<SevenBitStage> seven_bit_;
    Sink* top_ = nullptr;             // where the body goes in
    std::shared_ptr<Outlet*> alive_;  // what answers later looks here whether we still are
};

}  // namespace sealgate

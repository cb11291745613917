// SPDX-License-Identifier: GPL-3.0-or-later
// One part of a message on its way through its stages into the spool.
//
//     Received, outer fields ───────────────────────────────────────────────────┐
//     inner fields, body ─► [7-bit ─►] [sign ─►] [encrypt ─►] [sign ─►] [scan] ─┴─► spool ─► commit
//
// A part that is relayed as it is skips the S/MIME stages; so does one that waits for a key, which
// is stored in clear with the profile's name in its envelope, and goes to nobody before S/MIME was
// done (smtp/sealer.h). A part that must bounce keeps no body: at the end a DSN is made durable
// instead; of a part that is dropped nothing stays. When a stage fails after all, the part turns
// into a bounce: nothing unsigned or unencrypted ever leaves. Loop thread.
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

class Harvester;
class KnownKeys;
class Revocation;

// What opening the S/MIME of messages takes besides.
struct IncomingParts {
    std::shared_ptr<Revocation> revocation;  // of [trust:smime]; null: nobody is asked
    const KnownKeys* known_keys = nullptr;   // null: only what comes with a message
    Harvester* harvester = nullptr;          // null: nobody collects keys
};

// What the ways of all messages lead through.
struct HouseParts {
    Loop& loop;
    MailLog& log;
    Spool& spool;
    WorkerPool& workers;
    DeliveryQueue& queue;
    KeySources keys;
    IncomingParts incoming{};
};

// What an outlet is made of.
struct PartToMake {
    MessageId mid = 0;
    Envelope envelope;  // only this part's recipients
    OutgoingPlan plan;
    std::vector<std::size_t> without_key;  // recipients of the envelope, for Reason::no_key
    std::string policy;                    // the mail policy that took them
    std::string content_filter;            // whose action asked for S/MIME; empty: none did
};

// Takes the part's recipients out of the whole message's envelope; mid and names are the caller's.
PartToMake part_to_make(const Envelope& whole, OutgoingPart part);

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

    Outlet(HouseParts& parts, Owner& owner, PartToMake part);
    ~Outlet() override;  // before release(): nothing of the part remains

    // The header first; then the body in chunks; then finish(), after which done() comes true.
    Result<Flow> begin(const Header& header, std::string_view received);
    Result<Flow> write(Chunk chunk);
    Result<void> finish();

    bool full() const { return flow_ == Flow::full; }
    bool done() const { return done_; }
    // When done: durable (as a message or as its DSN), or why not.
    const Result<void>& outcome() const { return outcome_; }
    MessageId mid() const { return part_.mid; }
    const Envelope& envelope() const { return part_.envelope; }
    const OutgoingPlan& plan() const { return part_.plan; }
    const std::string& policy() const { return part_.policy; }
    const std::string& content_filter() const { return part_.content_filter; }
    // The whole message was accepted: the part goes to the queue. Without it, the part is undone.
    void release();

private:
    using Kind = OutgoingPlan::Kind;
    // Tells a failed signature or encryption from a failed store.
    struct StageFailure final : Source {
        StageFailure(Outlet& o, Reason r) : outlet(o), reason(r) {}
        void on_drain() override { outlet.on_drain(); }
        void on_failed(Error error) override { outlet.on_stage_failed(reason, error); }
        Outlet& outlet;
        const Reason reason;
    };
    // The end of the chain: passes to the spool and says when the last byte went there.
    struct End;

    bool has_body() const;
    void build_chain();
    void add_sign_stage(const SignPlan& plan);
    void on_drain() override;
    void on_failed(Error error) override;
    void on_stage_failed(Reason reason, Error error);
    void on_chain_finished();
    void on_committed(Result<StoredMessage> stored);
    void bounce();
    std::vector<BouncedRecipient> bounced_recipients() const;
    void end(Result<void> outcome);
    void log_outcome() const;
    void log_left_clear() const;

    HouseParts& parts_;
    Owner& owner_;
    PartToMake part_;
    std::string original_header_;  // for the DSN
    bool released_ = false;
    bool done_ = false;
    Result<void> outcome_;
    Flow flow_ = Flow::open;
    std::optional<StoredMessage> stored_;

    std::unique_ptr<SpoolWriter> writer_;
    StageFailure sign_failure_{*this, Reason::no_certificate};
    StageFailure encrypt_failure_{*this, Reason::no_key};
    std::unique_ptr<End> end_;
    std::vector<std::unique_ptr<Sink>> stages_;  // from the spool upwards
    Sink* top_ = nullptr;                        // where the body goes in
    std::shared_ptr<Outlet*> alive_;  // what answers later looks here whether we still are
};

}  // namespace sealgate

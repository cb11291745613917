// SPDX-License-Identifier: GPL-3.0-or-later
// One S/MIME message on its way in whose layers are opened.
//
//     body ─┬──────────────────────────────► spool, as it came
//           └► SmimeReader ─► what it holds ► spool, as it would be delivered
//
// Both are written under the same MID while the message streams, and nothing of either is released.
// At the end the verdict says which of them stays; then the mail policies decide about that one,
// the header (with the verdict in it) is put before its body, and it is made durable. A message of
// a few ten KB reaches the disk once, as what it became. For each mail policy that took some
// recipients there is a part, as for any message (smtp/outlet.h); a part whose filters want S/MIME
// of ours is stored with the profile's name and goes to the sealer. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/policy.h"
#include "core/spool.h"
#include "smtp/envelope.h"
#include "smtp/gateway_state.h"
#include "smtp/header_facts.h"
#include "smtp/line_ends.h"
#include "smtp/mime_scan.h"
#include "smtp/outlet.h"
#include "smtp/smime_reader.h"

namespace sealgate {

class Incoming final : private SmimeReader::Owner {
public:
    class Owner {
    public:
        // Neither is called from inside the calls below.
        virtual void on_incoming_drain() = 0;
        virtual void on_incoming_done() = 0;  // outcome() is known

    protected:
        ~Owner() = default;
    };

    struct Message {
        MessageId mid = 0;
        Envelope envelope;
        Header header;  // without fields that bear our name falsely
        MessageOrigin origin;
        std::string received;  // our Received field
        std::int64_t arrived = 0;
        SmimeKind kind = SmimeKind::none;  // what the header announces
    };

    Incoming(HouseParts& parts, GatewayStatePtr state, const MailFlowPolicyOptions& policy,
             Message message, Owner& owner);
    ~Incoming();  // before release(): nothing of the message remains

    Result<Flow> write(Chunk body);
    // Afterwards on_incoming_done() comes.
    Result<void> finish();
    Flow flow() const;

    // All parts are durable, or why not.
    const Result<void>& outcome() const { return outcome_; }
    std::vector<MessageId> mids() const;  // of the parts, the message's own first
    void log_parts() const;               // which policy took which part
    // The message was accepted: keys are harvested, the parts go to the queue.
    void release();

private:
    // A body on its way into the store.
    struct Lane final : Source {
        Lane(Incoming& i, std::unique_ptr<SpoolWriter> w) : incoming(i), writer(std::move(w)) {
            writer->set_source(this);
        }
        void on_drain() override;
        void on_failed(Error error) override { incoming.end(tl::unexpected(error)); }
        Incoming& incoming;
        std::unique_ptr<SpoolWriter> writer;
        bool full = false;
    };
    // The same body into the lanes of all parts. It never says full to who writes: flow() does for
    // all lanes, so that on the way through the layers "full" means that a key is awaited.
    struct Lanes final : Sink {
        explicit Lanes(Incoming& i) : incoming(i) {}
        Result<Flow> write(Chunk chunk) override;
        Result<Flow> finish() override;
        bool full() const;
        void clear();
        Incoming& incoming;
        std::vector<std::unique_ptr<Lane>> list;  // one for each part; empty: nobody wants it
        MimeScan scan;
    };
    struct Part {
        MessageId mid = 0;
        std::string policy;
        std::vector<std::size_t> recipients;
        PolicyDecision decision;  // when the verdict is there
        std::optional<StoredMessage> stored;
    };

    Sink& on_opened(const Header& entity) override;
    void on_hopeless() override;
    void on_smime_drain() override { drain(); }
    void on_smime_end(Result<void> stored) override;

    VerifyContext verify_context() const;
    void drain();
    void drain_later();
    void settle();
    Header header_to_deliver() const;
    SmimeFacts facts() const;
    std::string authentication_results() const;
    void commit(std::size_t index, const ChunkList& head, std::size_t header_bytes);
    void on_committed(std::size_t index, Result<StoredMessage> stored);
    Envelope envelope_of(const Part& part) const;
    void log_verdict(MessageId mid) const;
    void count_verdict() const;
    void end(Result<void> outcome);

    HouseParts& parts_of_house_;
    GatewayStatePtr state_;
    const MailFlowPolicyOptions& policy_;
    Message message_;
    Owner& owner_;
    std::string sender_;  // whom a signature must cover; empty: there is no single one
    std::vector<Part> parts_;
    Lanes original_{*this};
    Lanes opened_{*this};
    std::optional<LineEndStage> opened_lines_;  // before `opened_`: nobody has looked at its lines
    Header opened_header_;                      // of the entity in `opened_`
    std::unique_ptr<SmimeReader> reader_;
    SmimeVerdict verdict_;
    std::size_t commits_pending_ = 0;
    Result<void> outcome_;
    bool ended_ = false;
    bool released_ = false;
    std::shared_ptr<Incoming*> alive_;
};

}  // namespace sealgate

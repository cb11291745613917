// SPDX-License-Identifier: GPL-3.0-or-later
// The mail that is ready for one destination, and the connections that carry it there.
//
// Messages wait first in, first out. Connections are opened one by one as long as messages wait and
// the open ones are busy: at first connections_begin of them at once, one more for each round of
// successes, up to [destination] connections-max. A destination where no host takes a connection is
// down: nothing is tried before down_until(), and what waits or comes meanwhile is handed back to
// the house with the reason, some in each round of the loop. When only a further connection fails
// while others work, the destination is merely full.
//
// It knows MIDs, not messages: those are its house's, the queue's. Loop thread; nothing in here
// calls back from inside add(), but pump() may.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "smtp/queue_link.h"

namespace sealgate {

class DestinationQueue {
public:
    struct Taken {
        std::unique_ptr<DeliveryTask> task;  // null: the message has nothing to do here any more
        bool more = false;                   // it has further recipients here, for another task
    };

    class House {
    public:
        virtual Taken take_task(DestinationQueue& at, MessageId mid,
                                std::size_t recipients_max) = 0;
        virtual void on_outcome(DestinationQueue& at, std::uint64_t dcid,
                                std::unique_ptr<DeliveryTask> task,
                                std::vector<RecipientOutcome> outcomes) = 0;
        // No host took a connection: the house says until when it is down, by set_down().
        virtual void on_unreachable(DestinationQueue& at, std::uint64_t dcid, Reply reply) = 0;
        virtual bool knows(MessageId mid) const = 0;
        // The destination is down; this message is not in its line any more.
        virtual void on_handed_back(DestinationQueue& at, MessageId mid) = 0;
        virtual std::unique_ptr<DeliveryLink> make_link(DeliveryLink::Owner& owner,
                                                        const std::string& domain) = 0;
        // The gateway's connections, in and out together, are limited.
        virtual bool take_connection() = 0;
        virtual void give_connection() = 0;
        virtual std::int64_t now() const = 0;
        virtual void pump_later(DestinationQueue& at) = 0;
        virtual void pump_at(DestinationQueue& at, std::int64_t wall_seconds) = 0;

    protected:
        ~House() = default;
    };

    DestinationQueue(House& house, std::string domain, const DestinationOptions& options);
    ~DestinationQueue();
    DestinationQueue(const DestinationQueue&) = delete;
    DestinationQueue& operator=(const DestinationQueue&) = delete;

    const std::string& domain() const { return domain_; }
    void set_options(const DestinationOptions& options);

    void add(MessageId mid);
    // A message that waited here is gone; its place in the line is skipped when its turn comes.
    void forget_one() { --waiting_; }
    std::size_t waiting() const { return waiting_; }
    std::size_t connections() const { return lanes_.size(); }

    // Opens and wakes connections as far as messages wait. At the end of a round of the loop.
    void pump();
    // Every connection ends after its message; pump() opens no more while `draining`.
    void finish_connections();
    void drain();

    // Nothing is tried until then; `reply` is why. When it is permanent, what waits fails for good.
    void set_down(std::int64_t until, std::uint64_t dcid, Reply reply);
    void set_up();
    bool down() const;
    std::int64_t down_until() const { return down_until_; }
    const Reply& down_reply() const { return down_reply_; }
    std::uint64_t down_dcid() const { return down_dcid_; }
    std::uint32_t failures() const { return failures_; }  // in a row
    // Nothing waits, nothing is open, and nothing worth remembering.
    bool forgettable() const;

private:
    class Lane;
    friend class Lane;
    std::unique_ptr<DeliveryTask> next_task();
    std::size_t recipients_allowed();
    void on_gone(Lane& lane, bool reached, Reply reply);
    void hand_back();
    MessageId pop_front();
    void on_delivered();
    std::size_t connections_max() const;
    std::size_t working() const;
    void open_lane();

    House& house_;
    const std::string domain_;
    DestinationOptions options_;
    std::vector<MessageId> line_;  // from line_begin_ on; MIDs of forgotten messages among them
    std::size_t line_begin_ = 0;
    std::size_t waiting_ = 0;
    std::vector<std::unique_ptr<Lane>> lanes_;
    std::vector<std::unique_ptr<Lane>> gone_;  // destroyed by the next pump()
    std::size_t connections_now_max_;
    std::size_t successes_ = 0;
    std::int64_t down_until_ = 0;
    Reply down_reply_;
    std::uint64_t down_dcid_ = 0;
    std::uint32_t failures_ = 0;
    std::int64_t minute_ = 0;  // of recipients_this_minute_
    std::uint64_t recipients_this_minute_ = 0;
    bool draining_ = false;
};

// The destination of a recipient: its domain in look-up form, or its literal in lower case. An
// address without a domain ("postmaster") is the gateway's own. Empty: it can have no destination.
std::string destination_of(std::string_view address, std::string_view own_hostname);
// Whether that is `domain`; quicker.
bool goes_to(std::string_view address, std::string_view own_hostname, std::string_view domain);

// [destination:DOMAIN], else [destination:default].
const DestinationOptions& destination_options(const Config& config, const std::string& domain);
const BounceProfileOptions& bounce_profile_of(const Config& config, const std::string& domain);

}  // namespace sealgate

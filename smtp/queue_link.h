// SPDX-License-Identifier: GPL-3.0-or-later
// What the queue knows of a connection to a destination: so little that a test can script one.
//
// courier_links() makes real ones, each a Courier. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "smtp/courier.h"

namespace sealgate {

class DeliveryLink {
public:
    // One owner per link; the calls mean what those of Courier::Owner mean.
    class Owner {
    public:
        virtual std::unique_ptr<DeliveryTask> next_task() = 0;
        virtual void on_outcome(std::unique_ptr<DeliveryTask> task,
                                std::vector<RecipientOutcome> outcomes) = 0;
        virtual void on_gone(bool reached, Reply reply) = 0;

    protected:
        ~Owner() = default;
    };

    virtual ~DeliveryLink() = default;
    virtual void start() = 0;
    virtual void poke() = 0;
    virtual void finish() = 0;
    virtual std::uint64_t dcid() const = 0;  // 0 before a connection was made
};

using DeliveryLinkFactory = std::function<std::unique_ptr<DeliveryLink>(
    DeliveryLink::Owner& owner, std::shared_ptr<const Config> config, const std::string& domain)>;

DeliveryLinkFactory courier_links(Courier::Context context);

}  // namespace sealgate

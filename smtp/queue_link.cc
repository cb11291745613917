// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/queue_link.h"

namespace sealgate {
namespace {

class CourierLink final : public DeliveryLink, private Courier::Owner {
public:
    CourierLink(const Courier::Context& context, DeliveryLink::Owner& owner,
                std::shared_ptr<const Config> config, const std::string& domain)
        : owner_(owner), courier_(context, *this, std::move(config), domain) {}

    void start() override { courier_.start(); }
    void poke() override { courier_.poke(); }
    void finish() override { courier_.finish(); }
    std::uint64_t dcid() const override { return courier_.dcid(); }

private:
    std::unique_ptr<DeliveryTask> next_task(Courier&) override { return owner_.next_task(); }
    void on_outcome(Courier&, std::unique_ptr<DeliveryTask> task,
                    std::vector<RecipientOutcome> outcomes) override {
        owner_.on_outcome(std::move(task), std::move(outcomes));
    }
    void on_gone(Courier&, bool reached, Reply reply) override {
        owner_.on_gone(reached, std::move(reply));
    }

    DeliveryLink::Owner& owner_;
    Courier courier_;
};

}  // namespace

DeliveryLinkFactory courier_links(Courier::Context context) {
    return [context = std::move(context)](DeliveryLink::Owner& owner,
                                          std::shared_ptr<const Config> config,
                                          const std::string& domain) {
        return std::make_unique<CourierLink>(context, owner, std::move(config), domain);
    };
}

}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// A delivery queue on a real spool in a folder of its own, with scripted connections and a clock to
// set. What the connections carried is in `deliveries`, in order.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/loop.h"
#include "core/mail_log.h"
#include "core/options.h"
#include "core/spool.h"
#include "dns/resolver.h"
#include "smtp/listener_limits.h"
#include "smtp/queue.h"

namespace sealgate {

class SilentResolver final : public Resolver {
public:
    DnsTicket lookup_mx(const std::string&, std::function<void(MxAnswer)>) override { return {}; }
    DnsTicket lookup_addresses(const std::string&, std::function<void(AddressAnswer)>) override {
        return {};
    }
    DnsTicket confirm_host(const IpAddress&, std::function<void(std::string)>) override {
        return {};
    }
    DnsTicket lookup_smimea(const std::string&, std::function<void(SmimeaAnswer)>) override {
        return {};
    }
};

struct Delivery {
    std::string domain;
    MessageId mid = 0;
    std::uint64_t dcid = 0;
    std::string sender;
    std::vector<std::string> to;
    std::string body;  // when it was in memory
    bool in_memory = false;
    std::int64_t at = 0;
};

// What the hosts of the world say, and what they were given.
struct ScriptedWorld {
    using Outcome = RecipientOutcome;

    static Outcome delivered(std::size_t rid) {
        Outcome outcome;
        outcome.rid = rid;
        outcome.kind = Outcome::Kind::delivered;
        outcome.reply = make_reply(250, "2.0.0", "Ok: queued");
        outcome.from_host = true;
        return outcome;
    }
    static Outcome refused(std::size_t rid, int code, std::string enhanced, std::string text) {
        Outcome outcome;
        outcome.rid = rid;
        outcome.kind = code >= 500 ? Outcome::Kind::failed : Outcome::Kind::deferred;
        outcome.reply = make_reply(code, std::move(enhanced), std::move(text));
        outcome.from_host = true;
        outcome.host = "mail.example.net";
        return outcome;
    }

    explicit ScriptedWorld(Loop& l) : loop(l) {}

    Loop& loop;
    std::int64_t now = 1'800'000'000;
    std::uint64_t last_dcid = 0;
    std::size_t links_made = 0;
    std::size_t links_open = 0;
    std::size_t links_open_most = 0;
    bool holding = false;          // tasks are taken and not answered
    bool slow_to_connect = false;  // connections are begun and not made
    bool greets_and_leaves = false;
    std::map<std::string, Reply> unreachable;
    std::function<Outcome(const DeliveryTask&, const DeliveryRecipient&)> answer =
        [](const DeliveryTask&, const DeliveryRecipient& recipient) {
            return delivered(recipient.rid);
        };
    std::vector<Delivery> deliveries;
    std::vector<std::function<void()>> held;  // answers to come

    void release() {
        holding = false;
        answer_held();
    }
    void answer_held() {
        auto all = std::exchange(held, {});
        for (auto& next : all) next();
    }
};

class ScriptedLink final : public DeliveryLink {
public:
    ScriptedLink(ScriptedWorld& world, Owner& owner, std::string domain)
        : world_(world), owner_(owner), domain_(std::move(domain)) {
        ++world_.links_made;
        world_.links_open_most = std::max(world_.links_open_most, ++world_.links_open);
    }
    ~ScriptedLink() override {
        *alive_ = false;
        --world_.links_open;
    }

    void start() override {
        dcid_ = ++world_.last_dcid;
        if (!world_.slow_to_connect) return later([this] { connected(); });
        world_.held.push_back([this, alive = alive_] {
            if (*alive) connected();
        });
    }
    void poke() override {
        later([this] { work(); });
    }
    void finish() override {
        finishing_ = true;
        later([this] {
            if (!busy_ && !world_.slow_to_connect)
                owner_.on_gone(true, make_reply(221, "2.0.0", "bye"));
        });
    }
    std::uint64_t dcid() const override { return dcid_; }

private:
    void later(std::function<void()> task) {
        world_.loop.defer([alive = alive_, task = std::move(task)] {
            if (*alive) task();
        });
    }
    void connected() {
        const auto wrong = world_.unreachable.find(domain_);
        if (wrong != world_.unreachable.end()) return owner_.on_gone(false, wrong->second);
        if (world_.greets_and_leaves) return owner_.on_gone(true, make_reply(421, "", "not now"));
        work();
    }
    void work() {
        while (!busy_) {
            if (finishing_) return owner_.on_gone(true, make_reply(221, "2.0.0", "bye"));
            auto task = owner_.next_task();
            if (!task) return;
            take(std::move(task));
        }
    }
    void take(std::unique_ptr<DeliveryTask> task) {
        Delivery delivery{domain_, task->mid, dcid_,           task->sender,
                          {},      {},        task->in_memory, world_.now};
        for (const auto& recipient : task->recipients) delivery.to.push_back(recipient.address);
        if (task->in_memory) delivery.body = task->bytes.to_string();
        world_.deliveries.push_back(std::move(delivery));
        busy_ = true;
        if (!world_.holding) return answer(std::move(task));
        auto shared = std::make_shared<std::unique_ptr<DeliveryTask>>(std::move(task));
        world_.held.push_back([this, alive = alive_, shared] {
            if (!*alive) return;
            answer(std::move(*shared));
            work();
        });
    }
    void answer(std::unique_ptr<DeliveryTask> task) {
        std::vector<RecipientOutcome> outcomes;
        for (const auto& recipient : task->recipients)
            outcomes.push_back(world_.answer(*task, recipient));
        busy_ = false;
        owner_.on_outcome(std::move(task), std::move(outcomes));
    }

    ScriptedWorld& world_;
    Owner& owner_;
    std::string domain_;
    std::uint64_t dcid_ = 0;
    bool busy_ = false;
    bool finishing_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class QueueFixture : public testing::Test {
protected:
    QueueFixture() : directory_(testing::TempDir() + "sealgate_queue_XXXXXX") {
        if (!mkdtemp(directory_.data())) std::abort();
        configure("");
        open();
    }
    ~QueueFixture() override {
        close();
        std::filesystem::remove_all(directory_);
    }

    void configure(const std::string& more) {
        auto loaded = parse_config(
            "[gateway]\nhostname = mx.example.org\n"
            "[listener:in]\naddress = 127.0.0.1:2525\n" +
                more,
            "test");
        for (const auto& complaint : loaded.complaints) ADD_FAILURE() << complaint.to_text();
        ASSERT_TRUE(loaded.config);
        config_ = loaded.config;
        if (queue_) queue_->set_config(config_);
    }
    void open() {
        std::string why;
        LogOptions options;
        options.mail_log = directory_ + "/mail.log";
        log_ = MailLog::open(options, nullptr, &why).value();
        spool_ = Spool::open(loop_, directory_, &why).value();
        queue_ = std::make_unique<DeliveryQueue>(
            DeliveryQueue::Context{
                .loop = loop_,
                .log = *log_,
                .spool = *spool_,
                .resolver = resolver_,
                .connections = connections_,
                .hostname = "mx.example.org",
                .own_endpoints = {},
                .seal =
                    [this](SealTask task, std::function<void(SealOutcome)> done) {
                        ASSERT_TRUE(seal_) << "no sealer in this test";
                        seal_(std::move(task), std::move(done));
                    },
                .make_link =
                    [this](DeliveryLink::Owner& owner, std::shared_ptr<const Config>,
                           const std::string& domain) {
                        return std::make_unique<ScriptedLink>(world_, owner, domain);
                    },
                .clock = [this] { return world_.now; }},
            config_);
        ASSERT_TRUE(spool_->recover(
            [this](Spool::Recovered message) { queue_->recover(std::move(message)); }));
        queue_->start();
    }
    void close() {
        queue_.reset();
        spool_.reset();
        log_.reset();
    }
    void restart() {
        close();
        open();
    }

    // Runs the loop until nothing moves: no delivery, no report, no store.
    void settle() {
        bool stored = false;
        for (int quiet = 0; quiet < 2; quiet = stored ? quiet + 1 : 0) {
            const std::size_t before = world_.deliveries.size();
            stored = false;
            const MessageId mark = spool_->next_mid();
            spool_->store(mark, {}, "mark", [&](Result<StoredMessage>) {
                spool_->remove(mark, [&](Result<void>) { stored = true; });
            });
            ASSERT_TRUE(loop_.run_until([&] { return stored; }, 20'000));
            const bool moved =
                world_.deliveries.size() != before || queue_->statistics().reports > 0;
            if (moved) stored = false;
        }
    }
    void advance(std::int64_t seconds) {
        world_.now += seconds;
        queue_->check_due();
        settle();
    }

    Envelope envelope(const std::string& sender, std::vector<std::string> to) const {
        Envelope made;
        made.sender = sender;
        made.arrived = world_.now;
        made.message_id = "<x@example.com>";
        made.subject = "Hello";
        for (std::string& address : to) made.recipients.emplace_back().address = std::move(address);
        return made;
    }
    // Stores and queues it; the queue has it when this returns.
    MessageId add(Envelope made, const std::string& body = "Subject: Hello\r\n\r\nHi\r\n") {
        const MessageId mid = spool_->next_mid();
        made.header_bytes = body.find("\r\n\r\n") + 4;
        bool added = false;
        spool_->store(mid, list_of(body), encode_envelope(made), [&](Result<StoredMessage> stored) {
            ASSERT_TRUE(stored);
            queue_->add(*std::move(stored));
            added = true;
        });
        EXPECT_TRUE(loop_.run_until([&] { return added; }, 20'000));
        return mid;
    }
    MessageId add(const std::string& sender, std::vector<std::string> to) {
        return add(envelope(sender, std::move(to)));
    }
    static ChunkList list_of(const std::string& text) {
        ChunkList list;
        for (std::size_t at = 0; at < text.size(); at += 60'000)
            list.append(Chunk::copy_of(std::string_view(text).substr(at, 60'000)));
        return list;
    }

    // Everything that was logged; the queue is closed by it.
    std::string closed_log() {
        close();
        std::ifstream file(directory_ + "/mail.log");
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    }
    static std::size_t count_of(const std::string& text, const std::string& part) {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
        return count;
    }

    std::string directory_;
    Loop loop_;
    ScriptedWorld world_{loop_};
    SilentResolver resolver_;
    ConnectionBudget connections_{1000};
    std::shared_ptr<const Config> config_;
    std::unique_ptr<MailLog> log_;
    std::unique_ptr<Spool> spool_;
    std::function<void(SealTask, std::function<void(SealOutcome)>)> seal_;
    std::unique_ptr<DeliveryQueue> queue_;
};

}  // namespace sealgate

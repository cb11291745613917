// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/queue.h"

#include <malloc.h>

#include "queue_fixture.h"

namespace sealgate {
namespace {

class DeliveryQueueTest : public QueueFixture {};

using World = ScriptedWorld;

TEST_F(DeliveryQueueTest, DeliversAMessageAndFinishesItOnce) {
    const MessageId mid = add("a@example.com", {"b@Example.NET"});
    settle();
    ASSERT_EQ(world_.deliveries.size(), 1U);
    EXPECT_EQ(world_.deliveries[0].domain, "example.net");
    EXPECT_EQ(world_.deliveries[0].mid, mid);
    EXPECT_EQ(world_.deliveries[0].body, "Subject: Hello\r\n\r\nHi\r\n");
    EXPECT_EQ(queue_->statistics().messages, 0U);
    restart();
    settle();
    EXPECT_EQ(world_.deliveries.size(), 1U);  // it is gone from the store, too
    const std::string log = closed_log();
    EXPECT_EQ(count_of(log, "Message finished MID " + std::to_string(mid) + " done"), 1U);
    EXPECT_EQ(count_of(log, "Message finished"), 1U);
}

TEST_F(DeliveryQueueTest, KeepsTheOrderWithinADestination) {
    configure("[destination:example.net]\nconnections-max = 1\n");
    std::vector<MessageId> sent;
    for (int i = 0; i < 50; ++i) sent.push_back(add("a@example.com", {"b@example.net"}));
    settle();
    std::vector<MessageId> arrived;
    for (const Delivery& delivery : world_.deliveries) arrived.push_back(delivery.mid);
    EXPECT_EQ(arrived, sent);
    EXPECT_EQ(world_.links_open_most, 1U);
}

TEST_F(DeliveryQueueTest, GroupsRecipientsByDestination) {
    add("a@example.com", {"1@x.example", "2@y.example", "3@X.example", "4@[192.0.2.1]",
                          "5@b\xc3\xbc"
                          "cher.example",
                          "postmaster"});
    settle();
    std::map<std::string, std::vector<std::string>> by_domain;
    for (const Delivery& delivery : world_.deliveries) by_domain[delivery.domain] = delivery.to;
    EXPECT_EQ(world_.deliveries.size(), 5U);
    EXPECT_EQ(by_domain["x.example"], (std::vector<std::string>{"1@x.example", "3@X.example"}));
    EXPECT_EQ(by_domain["y.example"].size(), 1U);
    EXPECT_EQ(by_domain["[192.0.2.1]"].size(), 1U);
    EXPECT_EQ(by_domain["xn--bcher-kva.example"].size(), 1U);
    EXPECT_EQ(by_domain["mx.example.org"], (std::vector<std::string>{"postmaster"}));
}

TEST_F(DeliveryQueueTest, HandsOverAtMostAHundredRecipientsAtATime) {
    std::vector<std::string> to;
    for (int i = 0; i < 250; ++i) to.push_back(std::to_string(i) + "@example.net");
    add("a@example.com", to);
    settle();
    std::vector<std::size_t> sizes;
    std::size_t all = 0;
    for (const Delivery& delivery : world_.deliveries) {
        sizes.push_back(delivery.to.size());
        all += delivery.to.size();
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{100, 100, 50}));
    EXPECT_EQ(all, 250U);
    EXPECT_EQ(queue_->statistics().messages, 0U);
}

TEST_F(DeliveryQueueTest, TriesAgainAtDoublingTimes) {
    configure("[bounce-profile:default]\nretry-first = 60s\nretry-max = 5m\n");
    world_.answer = [](const DeliveryTask&, const DeliveryRecipient& recipient) {
        return World::refused(recipient.rid, 452, "4.2.2", "full");
    };
    const std::int64_t begin = world_.now;
    add("a@example.com", {"b@example.net"});
    settle();
    for (int i = 0; i < 20 * 60 / 10; ++i) advance(10);
    std::vector<std::int64_t> times;
    for (const Delivery& delivery : world_.deliveries) times.push_back(delivery.at - begin);
    EXPECT_EQ(times, (std::vector<std::int64_t>{0, 60, 180, 420, 720, 1020}));
}

TEST_F(DeliveryQueueTest, WritesTheLinesOfTheSpecification) {
    world_.last_dcid = 7;
    world_.answer = [](const DeliveryTask&, const DeliveryRecipient& recipient) {
        if (recipient.rid == 0) return World::refused(0, 550, "5.1.1", "unknown");
        return World::refused(1, 452, "4.2.2", "full");
    };
    const std::string mid = std::to_string(add("", {"b@example.net", "c@example.net"}));
    settle();
    const std::string log = closed_log();
    EXPECT_EQ(count_of(log, "Info: Bounced: DCID 8 MID " + mid +
                                " to RID 0 - 5.1.1 - No such user ('550', ['5.1.1 unknown'])\n"),
              1U)
        << log;
    EXPECT_EQ(count_of(log, "Info: Delayed: DCID 8 MID " + mid +
                                " to RID 1 - 4.2.2 - Mailbox full ('452', ['4.2.2 full'])\n"),
              1U)
        << log;
}

TEST_F(DeliveryQueueTest, GoesOnWhereItWasAfterARestart) {
    world_.answer = [](const DeliveryTask&, const DeliveryRecipient& recipient) {
        if (recipient.rid == 0) return World::delivered(0);
        return World::refused(1, 451, "", "later");
    };
    const MessageId mid = add("a@example.com", {"b@example.net", "c@example.net"});
    settle();
    advance(60);
    ASSERT_EQ(world_.deliveries.size(), 2U);
    restart();
    advance(0);
    EXPECT_EQ(world_.deliveries.size(), 2U);  // its time has not come
    const auto view = queue_->show(mid);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->row.attempts, 2U);
    EXPECT_EQ(view->row.next_attempt, world_.now + 120);
    EXPECT_EQ(view->row.last_error, "451 later");
    EXPECT_EQ(view->row.recipients, (std::vector<std::string>{"c@example.net"}));
    world_.answer = [](const DeliveryTask&, const DeliveryRecipient& recipient) {
        return World::delivered(recipient.rid);
    };
    advance(120);
    ASSERT_EQ(world_.deliveries.size(), 3U);
    EXPECT_EQ(world_.deliveries[2].to, (std::vector<std::string>{"c@example.net"}));
    EXPECT_FALSE(world_.deliveries[2].in_memory);
    EXPECT_EQ(queue_->statistics().messages, 0U);
}

TEST_F(DeliveryQueueTest, DeliversAfterARestartWhatWasUnderWay) {
    world_.holding = true;
    for (int i = 0; i < 20; ++i) add("a@example.com", {"b@example.net"});
    settle();
    EXPECT_EQ(world_.deliveries.size(), 5U);
    close();
    world_.holding = false;
    world_.held.clear();
    world_.deliveries.clear();
    open();
    advance(0);
    EXPECT_EQ(world_.deliveries.size(), 20U);
    EXPECT_EQ(queue_->statistics().messages, 0U);
}

TEST_F(DeliveryQueueTest, GivesADeadDestinationUpAsAWhole) {
    world_.unreachable["dead.example"] = make_reply(451, "4.4.1", "connection refused");
    for (int i = 0; i < 300; ++i) add("a@example.com", {"b@dead.example", "c@alive.example"});
    settle();
    EXPECT_EQ(world_.deliveries.size(), 300U);  // the other destination is not held up
    EXPECT_LE(world_.last_dcid, 10U + 5U);
    const QueueStatistics statistics = queue_->statistics();
    EXPECT_EQ(statistics.deferred, 300U);
    EXPECT_EQ(statistics.destinations_down, 1U);
    const std::uint64_t tried = world_.last_dcid;
    add("a@example.com", {"b@dead.example"});  // known to be down: nobody calls there
    settle();
    EXPECT_EQ(world_.last_dcid, tried);
    EXPECT_EQ(queue_->statistics().deferred, 301U);
    world_.unreachable.clear();
    advance(59);
    EXPECT_EQ(queue_->statistics().deferred, 301U);
    advance(1);
    advance(1);
    EXPECT_EQ(queue_->statistics().messages, 0U);
    EXPECT_EQ(world_.deliveries.size(), 601U);
    const std::string log = closed_log();
    EXPECT_EQ(count_of(log, "Delayed:"), 301U);
    EXPECT_EQ(count_of(log, " - 4.4.1 - No answer from host ('000', ['4.4.1 connection refused'])"),
              301U);
    EXPECT_EQ(count_of(log, "Message finished"), 301U);
}

TEST_F(DeliveryQueueTest, FailsWhatADestinationRefusesForGood) {
    world_.unreachable["none.example"] = make_reply(556, "5.1.10", "takes no mail");
    const MessageId mid = add("", {"b@none.example"});
    settle();
    const std::string log = closed_log();
    EXPECT_EQ(count_of(log, "MID " + std::to_string(mid) +
                                " to RID 0 - 5.1.10 - Domain accepts no mail ('000', "),
              1U)
        << log;
    EXPECT_EQ(count_of(log, "Message finished"), 1U);
}

TEST_F(DeliveryQueueTest, OpensConnectionsAsSuccessGrows) {
    configure("[destination:default]\nconnections-max = 8\n");
    world_.holding = true;
    for (int i = 0; i < 100; ++i) add("a@example.com", {"b@example.net"});
    settle();
    EXPECT_EQ(world_.links_open, 5U);
    for (int i = 0; i < 6; ++i) {
        world_.answer_held();
        settle();
    }
    EXPECT_EQ(world_.links_open, 8U);
    EXPECT_EQ(world_.links_open_most, 8U);
}

TEST_F(DeliveryQueueTest, OpensNoMoreConnectionsThanTheGatewayHas) {
    connections_.set_max(2);
    world_.holding = true;
    for (int i = 0; i < 10; ++i)
        add("a@example.com", {std::to_string(i) + "@d" + std::to_string(i)});
    settle();
    EXPECT_EQ(world_.links_open, 2U);
    world_.release();
    queue_->set_config(config_);  // connections end after their message
    settle();
    for (int i = 0; i < 10; ++i) {
        queue_->set_config(config_);
        advance(1);
    }
    EXPECT_EQ(world_.deliveries.size(), 10U);
    EXPECT_EQ(connections_.count(), world_.links_open);
}

TEST_F(DeliveryQueueTest, KeepsToTheRecipientsOfAMinute) {
    configure("[destination:example.net]\nrecipients-per-minute-max = 10\n");
    for (int i = 0; i < 25; ++i) add("a@example.com", {"b@example.net"});
    settle();
    EXPECT_EQ(world_.deliveries.size(), 10U);
    advance(60);
    EXPECT_EQ(world_.deliveries.size(), 20U);
    advance(60);
    EXPECT_EQ(world_.deliveries.size(), 25U);
}

TEST_F(DeliveryQueueTest, FailsARecipientThatHasNoDestination) {
    add("", {"b@-not a domain-", "c@example.net"});
    settle();
    EXPECT_EQ(world_.deliveries.size(), 1U);
    EXPECT_EQ(queue_->statistics().messages, 0U);
    EXPECT_EQ(count_of(closed_log(), " to RID 0 - 5.1.2 - Bad destination host"), 1U);
}

TEST_F(DeliveryQueueTest, LeavesAnUnreadableEnvelopeInTheStore) {
    bool stored = false;
    const MessageId mid = spool_->next_mid();
    spool_->store(mid, list_of("body"), "nonsense", [&](Result<StoredMessage>) { stored = true; });
    ASSERT_TRUE(loop_.run_until([&] { return stored; }, 20'000));
    restart();
    advance(0);
    EXPECT_EQ(queue_->statistics().unreadable, 1U);
    EXPECT_EQ(queue_->statistics().messages, 0U);
    restart();
    EXPECT_EQ(queue_->statistics().unreadable, 1U);
    EXPECT_GE(count_of(closed_log(), "Error: MID " + std::to_string(mid)), 1U);
}

TEST_F(DeliveryQueueTest, ShowsAndChangesWhatOperatorsAsk) {
    world_.answer = [](const DeliveryTask& task, const DeliveryRecipient& recipient) {
        if (task.sender == "slow@example.com")
            return World::refused(recipient.rid, 451, "4.3.0", "later");
        return World::delivered(recipient.rid);
    };
    const MessageId one = add("slow@example.com", {"b@one.example"});
    const MessageId two = add("slow@example.com", {"b@two.example", "c@two.example"});
    settle();
    world_.holding = true;
    const MessageId busy = add("quick@example.com", {"b@three.example"});
    settle();

    EXPECT_EQ(queue_->list({}).rows.size(), 3U);
    QueueFilter filter;
    filter.domain = "Two.Example";
    ASSERT_EQ(queue_->list(filter).rows.size(), 1U);
    const QueueRow row = queue_->list(filter).rows[0];
    EXPECT_EQ(row.mid, two);
    EXPECT_EQ(row.state, QueueState::deferred);
    EXPECT_EQ(row.recipients.size(), 2U);
    EXPECT_EQ(row.attempts, 1U);
    EXPECT_EQ(row.next_attempt, world_.now + 60);
    EXPECT_EQ(row.last_error, "451 4.3.0 later");
    filter = {};
    filter.state = QueueState::active;
    EXPECT_EQ(queue_->list(filter).rows.at(0).mid, busy);
    filter = {};
    filter.rows_max = 1;
    EXPECT_EQ(queue_->list(filter).rows.size(), 1U);
    EXPECT_EQ(queue_->list(filter).matching, 3U);
    EXPECT_FALSE(queue_->show(busy + 1000));

    EXPECT_EQ(queue_->remove(busy), QueueRemoval::active);
    EXPECT_EQ(queue_->remove(busy + 1000), QueueRemoval::not_found);
    EXPECT_EQ(queue_->remove(one), QueueRemoval::removed);
    world_.release();
    settle();
    world_.answer = [](const DeliveryTask&, const DeliveryRecipient& recipient) {
        return World::delivered(recipient.rid);
    };
    EXPECT_EQ(queue_->retry(one), 0U);
    EXPECT_EQ(queue_->retry_domain("one.example"), 0U);
    EXPECT_EQ(queue_->retry_domain("TWO.example."), 1U);
    settle();
    EXPECT_EQ(queue_->statistics().messages, 0U);
    const std::string log = closed_log();
    EXPECT_EQ(count_of(log, "Message finished MID " + std::to_string(one) + " aborted"), 1U);
    EXPECT_EQ(count_of(log, "Message finished MID " + std::to_string(two) + " done"), 1U);
    EXPECT_EQ(count_of(log, "Message finished"), 3U);
}

TEST_F(DeliveryQueueTest, RemovesAMessageThatWaitsInLine) {
    configure("[destination:default]\nconnections-max = 1\n");
    world_.holding = true;
    std::vector<MessageId> mids;
    for (int i = 0; i < 5; ++i) mids.push_back(add("a@example.com", {"b@example.net"}));
    settle();
    EXPECT_EQ(queue_->statistics().ready, 4U);
    EXPECT_EQ(queue_->remove(mids[1]), QueueRemoval::removed);
    EXPECT_EQ(queue_->remove(mids[4]), QueueRemoval::removed);
    world_.release();
    settle();
    std::vector<MessageId> arrived;
    for (const Delivery& delivery : world_.deliveries) arrived.push_back(delivery.mid);
    EXPECT_EQ(arrived, (std::vector<MessageId>{mids[0], mids[2], mids[3]}));
    EXPECT_EQ(queue_->statistics().messages, 0U);
}

TEST_F(DeliveryQueueTest, RetriesADestinationThatIsDownWhenAsked) {
    world_.unreachable["example.net"] = make_reply(451, "4.4.1", "connection refused");
    for (int i = 0; i < 10; ++i) add("a@example.com", {"b@example.net"});
    settle();
    world_.unreachable.clear();
    EXPECT_EQ(queue_->retry_all(), 10U);
    settle();
    EXPECT_EQ(world_.deliveries.size(), 10U);
}

TEST_F(DeliveryQueueTest, TakesAReloadForNoFailure) {
    world_.slow_to_connect = true;
    add("a@example.com", {"b@example.net"});
    settle();
    EXPECT_EQ(world_.links_open, 1U);
    queue_->set_config(config_);  // the connection ends before it was of use
    settle();
    world_.slow_to_connect = false;
    world_.answer_held();
    settle();
    EXPECT_EQ(queue_->statistics().destinations_down, 0U);
    EXPECT_EQ(world_.deliveries.size(), 1U);
    EXPECT_EQ(count_of(closed_log(), "Delayed:"), 0U);
}

TEST_F(DeliveryQueueTest, TakesAHostThatGreetsAndLeavesForDown) {
    world_.slow_to_connect = true;
    add("a@example.com", {"b@example.net"});
    settle();
    world_.greets_and_leaves = true;
    world_.slow_to_connect = false;
    world_.answer_held();
    settle();
    EXPECT_EQ(world_.links_made, 1U);
    EXPECT_EQ(queue_->statistics().destinations_down, 1U);
    world_.greets_and_leaves = false;
    advance(60);
    EXPECT_EQ(world_.deliveries.size(), 1U);
}

TEST_F(DeliveryQueueTest, DrainsWhatIsUnderWayAndBeginsNothing) {
    world_.holding = true;
    for (int i = 0; i < 20; ++i) add("a@example.com", {"b@example.net"});
    settle();
    bool drained = false;
    queue_->drain([&] { drained = true; });
    settle();
    EXPECT_FALSE(drained);
    world_.release();
    ASSERT_TRUE(loop_.run_until([&] { return drained; }, 5'000));
    EXPECT_EQ(world_.deliveries.size(), 5U);
    EXPECT_EQ(queue_->statistics().messages, 15U);
}

TEST_F(DeliveryQueueTest, NeedsLittleMemoryForAWaitingMessage) {
    world_.answer = [](const DeliveryTask&, const DeliveryRecipient& recipient) {
        return World::refused(recipient.rid, 452, "4.2.2", "full");
    };
    connections_.set_max(100'000);  // the scripted ones never end by themselves
    constexpr std::size_t count = 10'000;
    const std::string body = "Subject: x\r\n\r\n" + std::string(2000, 'x') + "\r\n";
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
        Envelope made =
            envelope("sender@example.com", {"recipient@d" + std::to_string(i % 500) + ".example"});
        const MessageId mid = spool_->next_mid();
        spool_->store(mid, list_of(body), encode_envelope(made),
                      [&](Result<StoredMessage> stored) { queue_->add(*std::move(stored)); });
    }
    ASSERT_TRUE(loop_.run_until([&] { return world_.deliveries.size() == count; }, 120'000));
    settle();
    ASSERT_EQ(queue_->statistics().deferred, count);
    world_.deliveries.clear();
    world_.deliveries.shrink_to_fit();
    const std::size_t full = mallinfo2().uordblks;
    queue_.reset();
    bytes = full - mallinfo2().uordblks;
    RecordProperty("bytes_per_message", static_cast<int>(bytes / count));
    std::printf("a deferred message takes %zu bytes in the queue\n", bytes / count);
    EXPECT_LT(bytes / count, 800U);
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
// Who is told what, when: the reports that come out of the queue.
#include "smtp/bounce.h"

#include "queue_fixture.h"
#include "smtp/bounce_reason.h"
#include "smtp/bounce_schedule.h"

namespace sealgate {
namespace {

using World = ScriptedWorld;

class BounceTest : public QueueFixture {
protected:
    // Everything for example.net gets this answer; reports for example.com are taken.
    void answer_at_example_net(int code, const std::string& enhanced, const std::string& text) {
        world_.answer = [=](const DeliveryTask&, const DeliveryRecipient& recipient) {
            if (recipient.address.ends_with("example.com") || code == 250)
                return World::delivered(recipient.rid);
            return World::refused(recipient.rid, code, enhanced, text);
        };
    }
    std::vector<Delivery> reports() const {
        std::vector<Delivery> found;
        for (const Delivery& delivery : world_.deliveries) {
            if (delivery.sender.empty()) found.push_back(delivery);
        }
        return found;
    }
    MessageId add_with_notify(Notify notify) {
        Envelope made = envelope("a@example.com", {"b@example.net"});
        made.recipients[0].notify = notify;
        return add(made);
    }
};

TEST_F(BounceTest, TellsTheSenderOfAFailure) {
    answer_at_example_net(550, "5.1.1", "unknown");
    const MessageId mid = add("a@example.com", {"b@example.net"});
    settle();
    ASSERT_EQ(reports().size(), 1U);
    const Delivery report = reports()[0];
    EXPECT_EQ(report.to, (std::vector<std::string>{"a@example.com"}));
    EXPECT_NE(report.body.find("Final-Recipient: rfc822; b@example.net\r\n"), std::string::npos);
    EXPECT_NE(report.body.find("Status: 5.1.1\r\n"), std::string::npos);
    EXPECT_NE(report.body.find("Remote-MTA: dns; mail.example.net\r\n"), std::string::npos);
    EXPECT_NE(report.body.find("Diagnostic-Code: smtp; 550 5.1.1 unknown\r\n"), std::string::npos);
    EXPECT_NE(report.body.find("message/rfc822\r\n\r\nSubject: Hello\r\n\r\nHi\r\n"),
              std::string::npos);
    EXPECT_EQ(queue_->statistics().messages, 0U);
    const std::string log = closed_log();
    EXPECT_EQ(count_of(log, "MID " + std::to_string(report.mid) + " was generated based on MID " +
                                std::to_string(mid) + " by bounce"),
              1U);
    EXPECT_EQ(count_of(log, "Message finished"), 2U);
}

TEST_F(BounceTest, NeverBouncesABounce) {
    answer_at_example_net(550, "5.1.1", "unknown");
    add("", {"b@example.net"});
    world_.unreachable["example.com"] = make_reply(550, "5.1.2", "no such domain");
    add("a@example.com", {"b@example.net"});  // its report cannot be delivered either
    settle();
    EXPECT_EQ(queue_->statistics().messages, 0U);
    EXPECT_TRUE(reports().size() == 1 && reports()[0].domain == "example.net");
    EXPECT_EQ(count_of(closed_log(), "RID 0 bounce of a bounce: not sent"), 2U);
}

TEST_F(BounceTest, HonoursNotify) {
    struct Case {
        const char* name;
        int code;
        Notify notify;
        const char* action;  // of the report; empty: none
    };
    const Case cases[] = {
        {"failure, not asked", 550, {}, "failed"},
        {"failure, never", 550, {.given = true, .never = true}, ""},
        {"failure, only success", 550, {.given = true, .success = true}, ""},
        {"failure, only delay", 550, {.given = true, .delay = true}, ""},
        {"failure, asked", 550, {.given = true, .failure = true}, "failed"},
        {"success, not asked", 250, {}, ""},
        {"success, asked", 250, {.given = true, .success = true}, "relayed"},
        {"success, never", 250, {.given = true, .never = true}, ""},
    };
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        world_.deliveries.clear();
        answer_at_example_net(row.code, "5.1.1", "unknown");
        add_with_notify(row.notify);
        settle();
        EXPECT_EQ(reports().size(), *row.action ? 1U : 0U);
        if (!*row.action || reports().empty()) continue;
        EXPECT_NE(reports()[0].body.find("Action: " + std::string(row.action) + "\r\n"),
                  std::string::npos);
    }
}

TEST_F(BounceTest, LeavesSuccessToAHostWithDsn) {
    world_.answer = [](const DeliveryTask&, const DeliveryRecipient& recipient) {
        auto outcome = World::delivered(recipient.rid);
        outcome.dsn_relayed = true;
        return outcome;
    };
    add_with_notify({.given = true, .success = true});
    settle();
    EXPECT_TRUE(reports().empty());
    EXPECT_EQ(queue_->statistics().messages, 0U);
}

TEST_F(BounceTest, IsSilentWhenTheProfileSaysSo) {
    configure(
        "[destination:example.net]\nbounce-profile = quiet\n"
        "[bounce-profile:quiet]\nnotify = no\ndelay-warning = 60s\n");
    answer_at_example_net(550, "5.1.1", "unknown");
    add("a@example.com", {"b@example.net"});
    answer_at_example_net(451, "4.1.1", "later");
    add("a@example.com", {"b@example.net"});
    settle();
    advance(3600);
    EXPECT_TRUE(reports().empty());
}

TEST_F(BounceTest, GivesUpWhenTheTimeIsOver) {
    configure(
        "[bounce-profile:default]\nretry-first = 60s\nretry-max = 1h\nqueue-time-max = 10m\n");
    answer_at_example_net(452, "4.2.2", "full");
    const std::string mid = std::to_string(add("a@example.com", {"b@example.net"}));
    settle();
    for (int i = 0; i < 60; ++i) advance(10);
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_EQ(reports()[0].at, 1'800'000'000 + 600);
    EXPECT_NE(reports()[0].body.find("Status: 5.4.7\r\n"), std::string::npos);
    EXPECT_NE(reports()[0].body.find("Diagnostic-Code: smtp; 452 4.2.2 full\r\n"),
              std::string::npos);
    const std::string log = closed_log();
    EXPECT_EQ(count_of(log, " MID " + mid +
                                " to RID 0 - 5.4.7 - Delivery expired (message too "
                                "old) ('452', ['4.2.2 full'])"),
              1U)
        << log;
    EXPECT_EQ(count_of(log, "Message finished"), 2U);
}

TEST_F(BounceTest, GivesUpAfterSoManyRetries) {
    configure("[bounce-profile:default]\nretry-first = 60s\nretry-max = 60s\nretries-max = 2\n");
    answer_at_example_net(452, "4.2.2", "full");
    add("a@example.com", {"b@example.net"});
    settle();
    for (int i = 0; i < 5; ++i) advance(60);
    EXPECT_EQ(world_.deliveries.size(), 4U);  // once, two retries, the report
    EXPECT_EQ(reports().size(), 1U);
}

TEST_F(BounceTest, WarnsOfADelayOnce) {
    configure("[bounce-profile:default]\nretry-first = 1h\ndelay-warning = 20m\n");
    answer_at_example_net(452, "4.2.2", "full");
    const MessageId mid = add("a@example.com", {"b@example.net"});
    add_with_notify({.given = true, .failure = true});  // wants no warning
    add("", {"b@example.net"});                         // must not have one
    settle();
    advance(19 * 60);
    EXPECT_TRUE(reports().size() == 1 && reports()[0].domain == "example.net");
    world_.deliveries.clear();
    advance(60);
    ASSERT_EQ(reports().size(), 1U);  // at its time, long before the next attempt
    EXPECT_NE(reports()[0].body.find("Action: delayed\r\n"), std::string::npos);
    EXPECT_NE(reports()[0].body.find("Will-Retry-Until: "), std::string::npos);
    EXPECT_NE(reports()[0].body.find("text/rfc822-headers"), std::string::npos);
    restart();
    world_.deliveries.clear();
    advance(4 * 3600);
    for (const Delivery& delivery : world_.deliveries) EXPECT_NE(delivery.domain, "example.com");
    EXPECT_TRUE(queue_->show(mid));
}

TEST_F(BounceTest, ReadsALargeOriginalFromTheStore) {
    answer_at_example_net(452, "4.2.2", "full");
    const std::string header = "Subject: large\r\nX-Long: " + std::string(900, 'x') + "\r\n\r\n";
    add(envelope("a@example.com", {"b@example.net"}), header + std::string(300'000, 'y') + "\r\n");
    Envelope whole = envelope("a@example.com", {"b@example.net"});
    whole.return_ = Envelope::Return::full;
    add(whole, header + "small body\r\n");
    Envelope headers = envelope("a@example.com", {"b@example.net"});
    headers.return_ = Envelope::Return::headers;
    add(headers, header + "small body\r\n");
    settle();
    answer_at_example_net(550, "5.1.1", "unknown");
    restart();
    advance(60);
    ASSERT_EQ(reports().size(), 3U);
    std::size_t with_body = 0;
    for (const Delivery& report : reports()) {
        EXPECT_NE(report.body.find(header.substr(0, header.size() - 2)), std::string::npos);
        EXPECT_EQ(report.body.find("yyy"), std::string::npos);
        with_body += count_of(report.body, "small body");
    }
    EXPECT_EQ(with_body, 1U);
}

TEST_F(BounceTest, TellsOfAllRecipientsInOneReport) {
    answer_at_example_net(550, "5.1.1", "unknown");
    add("a@example.com", {"b@example.net", "c@example.net", "d@example.net"});
    settle();
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_EQ(count_of(reports()[0].body, "Final-Recipient:"), 3U);
}

TEST_F(BounceTest, TellsThousandsWithoutHoldingThemAll) {
    for (int i = 0; i < 300; ++i) add("a@example.com", {"b@none.example"});
    world_.unreachable["none.example"] = make_reply(550, "5.1.2", "no such domain");
    for (int i = 0; i < 300; ++i) add("a@example.com", {"b@none.example"});
    settle();
    EXPECT_EQ(queue_->statistics().messages, 0U);
    EXPECT_EQ(queue_->statistics().reports, 0U);
}

TEST_F(BounceTest, BouncesWhatTheGatewayRefuses) {
    const std::string header = "From: a@example.com\r\nSubject: Secret\r\n\r\n";
    bool told = false;
    queue_->bounce(77, envelope("a@example.com", {"b@example.net", "c@example.net"}), header,
                   {{0, "5.7.1", "the certificate has expired", "expired"},
                    {1, "5.7.1", "the certificate has expired", "expired"}},
                   [&](Result<void> result) { told = result.has_value(); });
    EXPECT_FALSE(told);
    settle();
    EXPECT_TRUE(told);
    ASSERT_EQ(reports().size(), 1U);
    const std::string body = reports()[0].body;
    EXPECT_EQ(count_of(body, "Diagnostic-Code: x-sealgate; expired: the certificate has expired"),
              2U);
    EXPECT_NE(body.find("<c@example.net>: the certificate has expired (expired).\r\n"),
              std::string::npos);
    EXPECT_NE(body.find("Subject: Secret\r\n"), std::string::npos);
    const std::string log = closed_log();
    EXPECT_EQ(count_of(log,
                       "Bounced: DCID 0 MID 77 to RID 1 - 5.7.1 - Refused by policy ('000', "
                       "['expired: the certificate has expired'])"),
              1U)
        << log;
    EXPECT_EQ(count_of(log, "Message finished MID 77"), 0U);  // the caller's
}

TEST_F(BounceTest, SaysDoneWhenThereMustBeNoReport) {
    Envelope silent = envelope("a@example.com", {"b@example.net"});
    silent.recipients[0].notify = {.given = true, .never = true};
    int done = 0;
    for (const Envelope& made : {envelope("", {"b@example.net"}), silent}) {
        queue_->bounce(77, made, "Subject: x\r\n\r\n", {{0, "5.7.1", "why", "no-key"}},
                       [&](Result<void> result) { done += result.has_value() ? 1 : 100; });
    }
    EXPECT_EQ(done, 0);
    settle();
    EXPECT_EQ(done, 2);
    EXPECT_TRUE(world_.deliveries.empty());
    EXPECT_EQ(count_of(closed_log(), "MID 77 bounce of a bounce: not sent"), 1U);
}

TEST(BounceReason, NamesStatusAndWords) {
    struct Case {
        int code;
        const char* enhanced;
        FailureClass failure;
        const char* status;
        const char* words;
    };
    const auto later = FailureClass::persistent_transient;
    const auto never = FailureClass::permanent;
    const Case cases[] = {
        {550, "5.1.1", never, "5.1.1", "No such user"},
        {550, "", never, "5.1.0", "Unknown address error"},
        {552, "", never, "5.2.2", "Mailbox full"},
        {554, "", never, "5.0.0", "Delivery failed"},
        {550, "5.7.26", never, "5.7.26", "Refused for security or policy reasons"},
        {450, "", later, "4.2.0", "Mailbox problem"},
        {421, "", later, "4.4.2", "Bad connection"},
        {452, "4.2.2", later, "4.2.2", "Mailbox full"},
        {450, "5.1.1", later, "4.1.1", "No such user"},  // hosts that contradict themselves
        {550, "4.1.1", never, "5.1.1", "No such user"},
    };
    for (const Case& row : cases) {
        const Reply reply = make_reply(row.code, row.enhanced, "text");
        EXPECT_EQ(status_of(reply, row.failure), row.status) << row.code << row.enhanced;
        EXPECT_STREQ(words_for_status(status_of(reply, row.failure)), row.words);
    }
}

TEST(BounceReason, QuotesWhatTheHostSaid) {
    Reply reply = make_reply(550, "5.1.1", "no");
    reply.lines.push_back("it's\x01over");
    EXPECT_EQ(reply_tuple(reply, true), "('550', ['5.1.1 no', '5.1.1 it's\\x01over'])");
    EXPECT_EQ(reply_tuple(make_reply(450, "", "later"), true), "('450', ['later'])");
    EXPECT_EQ(kept_reply(reply, true), "550 5.1.1 no it's?over");
    EXPECT_TRUE(kept_reply_is_from_host(kept_reply(reply, true)));
    EXPECT_FALSE(kept_reply_is_from_host(kept_reply(make_reply(450, "4.4.1", "down"), false)));
}

TEST(BounceSchedule, DoublesUpToItsLimit) {
    BounceProfileOptions profile;
    std::vector<std::int64_t> delays;
    for (std::uint32_t attempt = 1; attempt <= 9; ++attempt)
        delays.push_back(retry_delay_seconds(profile, attempt));
    EXPECT_EQ(delays, (std::vector<std::int64_t>{60, 120, 240, 480, 960, 1920, 3600, 3600, 3600}));
    EXPECT_EQ(retry_delay_seconds(profile, 4'000'000'000), 3600);
    profile.retry_max_ms = 1;  // less than the first: the first counts
    EXPECT_EQ(retry_delay_seconds(profile, 5), 60);
}

}  // namespace
}  // namespace sealgate

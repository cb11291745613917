// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/session.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "tests/smtp/session_test_base.h"

namespace sealgate {
namespace {

TEST_F(SessionTest, GreetsAndAnnouncesWhatItCan) {
    setting_.policy().message_bytes_max = 1000;
    auto c = client();
    EXPECT_EQ(c->replies, "220 gw.example.com ESMTP Sealgate\r\n");
    c->replies.clear();
    c->say("EHLO c.example\r\n");
    EXPECT_EQ(c->replies,
              "250-gw.example.com\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n"
              "250-SMTPUTF8\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n250 DSN\r\n");
    c->replies.clear();
    c->say("HELO c.example\r\n");
    EXPECT_EQ(c->replies, "250 gw.example.com\r\n");
}

TEST_F(SessionTest, HandsTheHouseEnvelopeAndContent) {
    auto c = greeted_client();
    c->say(
        "MAIL FROM:<a@example.com> BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=e1\r\n"
        "RCPT TO:<b@example.net> NOTIFY=NEVER ORCPT=rfc822;x@y\r\nRCPT TO:<Postmaster>\r\n"
        "DATA\r\nSubject: x\r\n\r\n..text\r\n.\r\n");
    EXPECT_EQ(c->replies,
              "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n"
              "354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok: queued as MID 1\r\n");
    ASSERT_EQ(host_.finished.size(), 1u);
    const KeptMessage& kept = host_.finished.front();
    EXPECT_EQ(kept.content, "Subject: x\r\n\r\n.text\r\n");
    EXPECT_EQ(kept.helo, "c.example");
    EXPECT_EQ(kept.envelope.sender, "a@example.com");
    EXPECT_EQ(kept.envelope.body, BodyType::eight_bit);
    EXPECT_TRUE(kept.envelope.smtputf8);
    EXPECT_EQ(kept.envelope.return_, Envelope::Return::full);
    EXPECT_EQ(kept.envelope.envelope_id, "e1");
    ASSERT_EQ(kept.envelope.recipients.size(), 2u);
    EXPECT_TRUE(kept.envelope.recipients[0].notify.never);
    EXPECT_EQ(kept.envelope.recipients[0].original, "rfc822;x@y");
    EXPECT_EQ(kept.envelope.recipients[1].address, "Postmaster@gw.example.com");
    EXPECT_EQ(host_.aborted, 0);
}

TEST_F(SessionTest, ReadsNothingMoreWhileAMessageIsStored) {
    auto c = greeted_client();
    c->answers = false;
    EXPECT_EQ(c->say(message + "QUIT\r\n"), Flow::full);
    EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 354");
    EXPECT_TRUE(c->session.storing());
    EXPECT_EQ(c->session.patience_ms(), 0u);
    EXPECT_FALSE(c->ready);
    ASSERT_TRUE(host_.answer());
    EXPECT_TRUE(c->ready);
    EXPECT_FALSE(c->session.has_output()) << "nothing happens inside the house's call";
    EXPECT_EQ(c->session.resume(), Flow::open);
    c->take();
    EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 354, 250 2.0.0, 221 2.0.0");
}

TEST_F(SessionTest, StopsAtAFullHouseAndGoesOnWhenItDrained) {
    for (const bool bdat : {false, true}) {
        auto c = greeted_client();
        c->answers = false;
        host_.flow = Flow::full;
        host_.writes = 0;
        c->say(envelope + (bdat ? "BDAT 10\r\n" : "DATA\r\n"));
        EXPECT_EQ(c->session.patience_ms(), 600'000u);
        EXPECT_EQ(c->say("one\r\n"), Flow::full);
        EXPECT_EQ(c->session.patience_ms(), 0u);
        EXPECT_EQ(c->session.receive(Chunk::copy_of("two\r\n")), Flow::full);
        EXPECT_EQ(host_.writes, 1);
        host_.flow = Flow::open;
        host_.drain();
        EXPECT_TRUE(c->ready);
        EXPECT_EQ(c->session.resume(), Flow::open);
        EXPECT_EQ(host_.writes, 2);
        c->answers = true;
        c->say(bdat ? "BDAT 0 LAST\r\n" : ".\r\n");
        EXPECT_EQ(host_.finished.back().content, "one\r\ntwo\r\n");
    }
}

TEST_F(SessionTest, ReadsARefusedMessageToItsEnd) {
    auto c = greeted_client();
    host_.write_error = Error{ErrorKind::malformed, "Bad header"};
    c->say(message + "NOOP\r\n");
    EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 354, 554 5.6.0, 250 2.0.0");
    EXPECT_EQ(host_.writes, 1);
    EXPECT_EQ(host_.aborted, 1);
}

TEST_F(SessionTest, AnswersAnEarlyRefusalAtTheEndOfData) {
    auto c = greeted_client();
    c->say(envelope + "DATA\r\nabc\r\n");
    host_.refuse_early(make_reply(550, "5.7.0", "No"));
    c->session.resume();
    const int writes = host_.writes;
    c->say("more\r\n.\r\nNOOP\r\n");
    EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 354, 550 5.7.0, 250 2.0.0");
    EXPECT_EQ(host_.writes, writes);
    EXPECT_TRUE(host_.finished.empty());
}

TEST_F(SessionTest, AnEarlyRefusalWakesAFullSession) {
    auto c = greeted_client();
    host_.flow = Flow::full;
    EXPECT_EQ(c->say(envelope + "DATA\r\nabc\r\n"), Flow::full);
    host_.refuse_early(make_reply(550, "5.7.0", "No"));
    EXPECT_EQ(c->session.resume(), Flow::open);
}

TEST_F(SessionTest, SaysWhyTheHouseTakesNoMessage) {
    auto c = greeted_client();
    host_.accepts = false;
    c->say("MAIL FROM:<a@b>\r\n");
    host_.accepts = true;
    c->say(envelope);
    host_.accepts = false;
    c->say("DATA\r\n");
    host_.accepts = true;
    c->say(envelope);
    host_.accepts = false;
    c->say("BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n");
    EXPECT_EQ(c->codes(),
              "452 4.3.1, 250 2.1.0, 250 2.1.5, 452 4.3.1, 250 2.1.0, 250 2.1.5, 452 4.3.1, "
              "250 2.0.0");
    EXPECT_EQ(host_.begun, 0);
}

TEST_F(SessionTest, HoldsMessagesToTheSizeAnnounced) {
    setting_.policy().message_bytes_max = 20;
    auto c = greeted_client();
    c->say("MAIL FROM:<a@b> SIZE=21\r\n");
    EXPECT_EQ(c->codes(), "552 5.3.4");
    c->replies.clear();
    c->say("MAIL FROM:<a@b> SIZE=20\r\nRCPT TO:<c@d>\r\nDATA\r\n" + std::string(18, 'x') +
           "\r\n.\r\n");
    EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 354, 250 2.0.0");
    c->replies.clear();
    c->say(envelope + "DATA\r\n" + std::string(19, 'x') + "\r\n.\r\nNOOP\r\n");
    EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 354, 552 5.3.4, 250 2.0.0");
    c->replies.clear();
    c->say(envelope + "BDAT 20 LAST\r\n" + std::string(18, 'x') + "\r\n");
    EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 250 2.0.0");
    c->replies.clear();
    c->say(envelope + "BDAT 12\r\n" + std::string(12, 'x') + "BDAT 9 LAST\r\n" +
           std::string(9, 'x') + "NOOP\r\n");
    EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 250 2.0.0, 552 5.3.4, 250 2.0.0");
    EXPECT_EQ(host_.finished.size(), 2u);
    EXPECT_EQ(host_.aborted, 2);
}

// A fuzzer's find: one read said 5.6.11, two reads 5.3.4.
TEST_F(SessionTest, SaysBareLineEndsWhateverElseIsWrong) {
    setting_.policy().message_bytes_max = 20;
    for (const std::size_t piece_bytes : {1u, 30u, 200u}) {
        auto c = greeted_client();
        c->say(envelope + "DATA\r\n");
        c->say_in_pieces(std::string(40, 'x') + "\n\r\n.\r\n", piece_bytes);
        EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 354, 550 5.6.11");
    }
}

TEST_F(SessionTest, CountsRecipientsAndMessages) {
    setting_.policy().recipients_per_message_max = 2;
    setting_.policy().messages_per_connection_max = 2;
    auto c = greeted_client();
    c->say(envelope + "RCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nRSET\r\n");
    EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 250 2.1.5, 452 4.5.3, 250 2.0.0");
    c->replies.clear();
    c->recipients_left = false;
    c->say(envelope + "RSET\r\n");
    EXPECT_EQ(c->codes(), "250 2.1.0, 452 4.7.1, 250 2.0.0");
    c->recipients_left = true;
    c->say(message + message);
    c->replies.clear();
    c->say(message);
    EXPECT_EQ(c->codes(), "421 4.7.0");
    EXPECT_TRUE(c->session.wants_close());
    EXPECT_EQ(host_.finished.size(), 2u);
}

TEST_F(SessionTest, AsksRecipientAccessOnlyForIncomingMail) {
    RecipientAccessRow row;
    row.pattern = "example.net";
    row.accept = true;
    setting_.recipient_access = std::make_shared<RecipientAccess>(std::vector{row});
    const std::string in = envelope + "RCPT TO:<a@other.example>\r\nRCPT TO:<postmaster>\r\n";
    struct Case {
        ListenerOptions::Type type;
        MailFlowPolicyOptions::Action action;
        const char* want;
    };
    for (const Case& c :
         {Case{ListenerOptions::Type::public_, MailFlowPolicyOptions::Action::accept, "550 5.7.1"},
          Case{ListenerOptions::Type::public_, MailFlowPolicyOptions::Action::relay, "250 2.1.5"},
          Case{ListenerOptions::Type::private_, MailFlowPolicyOptions::Action::accept,
               "250 2.1.5"}}) {
        setting_.listener().type = c.type;
        setting_.policy().action = c.action;
        auto talking = greeted_client();
        talking->say(in);
        EXPECT_EQ(talking->codes(), std::string("250 2.1.0, 250 2.1.5, ") + c.want + ", 250 2.1.5");
    }
}

TEST_F(SessionTest, RefusesByPolicyUntilQuit) {
    setting_.policy().action = MailFlowPolicyOptions::Action::reject;
    auto c = client();
    c->say(ehlo + message + "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\nQUIT\r\n");
    EXPECT_EQ(c->codes().substr(0, 20), "554 5.7.1, 503 5.5.1");
    EXPECT_NE(c->replies.find("221 2.0.0"), std::string::npos);
    EXPECT_TRUE(c->session.wants_close());
    EXPECT_EQ(host_.begun, 0);
}

TEST_F(SessionTest, ClosesWithoutAWordByPolicy) {
    setting_.policy().action = MailFlowPolicyOptions::Action::tcp_refuse;
    auto c = client();
    EXPECT_EQ(c->replies, "");
    EXPECT_TRUE(c->session.wants_close());
}

TEST_F(SessionTest, SaysTheListenersRefusalInPlaceOfTheGreeting) {
    setting_.refusal = SmtpRefusal{421, "4.7.0", "Too many connections from you"};
    auto c = client();
    EXPECT_EQ(c->replies, "421 4.7.0 gw.example.com Too many connections from you\r\n");
    EXPECT_TRUE(c->session.wants_close());
}

TEST_F(SessionTest, RefusesWhoSpeaksBeforeTheGreeting) {
    SessionClient c(setting_, host_, *log_);
    c.session.refuse_early_talker();
    c.take();
    EXPECT_EQ(c.codes(), "554 5.5.0");
    EXPECT_TRUE(c.session.wants_close());
}

TEST_F(SessionTest, LosesPatienceWithBadCommands) {
    auto c = client();
    for (int i = 0; i < limits::bad_commands_max; ++i) c->say("FOO\r\n");
    EXPECT_FALSE(c->session.wants_close());
    c->replies.clear();
    c->say("FOO\r\nNOOP\r\n");
    EXPECT_EQ(c->codes(), "500 5.5.2, 421 4.7.0");
    EXPECT_TRUE(c->session.wants_close());
}

TEST_F(SessionTest, TimesOutInEveryStateThatWaitsForTheClient) {
    for (const std::string& in :
         {std::string(""), std::string("EHL"), ehlo, ehlo + envelope,
          ehlo + envelope + "DATA\r\nabc", ehlo + envelope + "BDAT 9\r\nabc",
          ehlo + envelope + "BDAT 3\r\nabc"}) {
        auto c = client();
        if (!in.empty()) c->say(in);
        c->replies.clear();
        EXPECT_GT(c->session.patience_ms(), 0u) << in;
        c->session.on_timeout();
        c->take();
        EXPECT_EQ(c->codes(), "421 4.4.2") << in;
        EXPECT_TRUE(c->session.wants_close()) << in;
        EXPECT_FALSE(host_.has_message()) << in;
    }
}

TEST_F(SessionTest, CountsOnlyWholeLinesAndContentAsProgress) {
    auto c = greeted_client();
    const std::uint32_t before = c->session.progress();
    c->say("NOO");
    EXPECT_EQ(c->session.progress(), before);
    c->say("P\r\n");
    EXPECT_NE(c->session.progress(), before);
}

TEST_F(SessionTest, DrainsAtOnceOrAfterTheMessage) {
    auto idle = greeted_client();
    idle->session.drain();
    idle->take();
    EXPECT_EQ(idle->codes(), "421 4.3.2");
    auto busy = greeted_client();
    busy->say(envelope);
    busy->session.drain();
    EXPECT_FALSE(busy->session.wants_close());
    busy->say("DATA\r\nabc\r\n.\r\n" + message);
    EXPECT_EQ(busy->codes(), "250 2.1.0, 250 2.1.5, 354, 250 2.0.0, 421 4.3.2");
    EXPECT_TRUE(busy->session.wants_close());
    EXPECT_EQ(host_.finished.size(), 1u);
}

TEST_F(SessionTest, StopsReadingCommandsWhenRepliesPileUp) {
    auto c = greeted_client();
    std::string many;
    for (int i = 0; i < 5000; ++i) many += "NOOP\r\n";
    EXPECT_EQ(c->session.receive(Chunk::copy_of(many)), Flow::full);
    EXPECT_LE(c->session.take_output().bytes(), limits::pending_reply_bytes_max + 512);
    EXPECT_EQ(c->session.resume(), Flow::full) << "four more rounds are waiting";
}

TEST_F(SessionTest, AnswersALongPipelineWhole) {
    auto c = greeted_client();
    std::string many, want;
    for (int i = 0; i < 5000; ++i) {
        many += "NOOP\r\n";
        want += "250 2.0.0 Ok\r\n";
    }
    EXPECT_EQ(c->say(many), Flow::open);
    EXPECT_EQ(c->replies, want);
}

TEST_F(SessionTest, HoldsNoBlockWhileItWaits) {
    auto c = greeted_client();
    c->say(message + "NOOP half a li");
    EXPECT_EQ(BlockPool::instance().in_use_bytes(), 0u);
}

TEST_F(SessionTest, ClosesOnTheHouses421) {
    auto c = greeted_client();
    host_.reply = make_reply(421, "4.3.0", "Going down");
    c->say(message);
    EXPECT_EQ(c->codes(), "250 2.1.0, 250 2.1.5, 354, 421 4.3.0");
    EXPECT_TRUE(c->session.wants_close());
}

TEST_F(SessionTest, AbortsWhatIsNotStoredWhenItGoes) {
    for (const std::string& in : {envelope + "DATA\r\nabc", envelope + "BDAT 3\r\nabc", message}) {
        host_.aborted = 0;
        auto c = greeted_client();
        c->answers = false;
        c->say(in);
        c.reset();
        EXPECT_EQ(host_.aborted, 1) << in;
    }
}

TEST_F(SessionTest, LogsInTheFormOperatorsKnow) {
    open_log(LogOptions::Level::info);
    setting_.sender_group = "PARTNERS";
    setting_.policy().action = MailFlowPolicyOptions::Action::relay;
    setting_.confirmed_host = "mx.example.net";
    client()->say("EHLO c.example\r\nMAIL FROM:<a\x01>\r\nFOO \"x\"\r\n");
    setting_.sender_group.clear();
    setting_.confirmed_host.clear();
    setting_.refusal = SmtpRefusal{421, "4.7.0", "Too many"};
    client();
    EXPECT_EQ(logged(),
              (std::vector<std::string>{
                  "New SMTP ICID 1 interface private (127.0.0.1) address 10.3.4.5 reverse dns host "
                  "mx.example.net verified yes",
                  "ICID 1 RELAY SG PARTNERS match 10.3.4.0/24",
                  "ICID 1 refused 'MAIL FROM:<a\\x01>': 500 5.5.2 Control character in command",
                  "ICID 1 refused 'FOO \\\"x\\\"': 500 5.5.2 Command not recognized",
                  "ICID 1 close",
                  "New SMTP ICID 2 interface private (127.0.0.1) address 10.3.4.5 reverse dns host "
                  "unknown verified no",
                  "ICID 2 refused: 421 4.7.0 Too many",
                  "ICID 2 close",
              }));
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source_dialogue.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

using Next = MailDialogue::Next;

const MailTemplate& mail() {
    static const MailTemplate made("test", "Subject: a\r\n\r\nbody\r\n");
    return made;
}

class MailDialogueTest : public testing::Test {
protected:
    void begin(const Offers& offers, std::vector<std::string> to = {"a@x", "b@x"}) {
        SourceAddresses::Plan plan;
        plan.from = "s%d@x";
        plan.to = std::move(to);
        dialogue.begin(mail(), 8, SourceAddresses(plan), 7, offers);
    }
    // What leaves; a "*" at the end: and the content with it.
    std::string commands() {
        std::string out;
        const bool content = dialogue.take_commands(out);
        if (content) dialogue.on_content_sent();
        return out + (content ? "*" : "");
    }
    Next reply(std::string_view line) {
        const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
        return dialogue.on_reply(ReplyLine{code, true, line});
    }
    MailDialogue dialogue;
};

TEST_F(MailDialogueTest, SaysOneCommandAtATimeWithoutPipelining) {
    begin({});
    EXPECT_EQ(commands(), "MAIL FROM:<s7@x>\r\n");
    EXPECT_EQ(dialogue.awaited(), Phase::mail);
    EXPECT_EQ(reply("250 ok"), Next::commands);
    EXPECT_EQ(commands(), "RCPT TO:<a@x>\r\n");
    EXPECT_EQ(dialogue.awaited(), Phase::rcpt);
    EXPECT_EQ(reply("550 no"), Next::commands);
    EXPECT_EQ(commands(), "RCPT TO:<b@x>\r\n");
    EXPECT_EQ(reply("250 ok"), Next::commands);
    EXPECT_EQ(commands(), "DATA\r\n");
    EXPECT_EQ(dialogue.awaited(), Phase::data);
    EXPECT_EQ(reply("354 go"), Next::content);
    EXPECT_EQ(dialogue.awaited(), Phase::content);
    EXPECT_EQ(reply("250 taken"), Next::finished);
    EXPECT_EQ(dialogue.outcome(), SentState::accepted);
    EXPECT_EQ(dialogue.accepted_recipients(), std::vector<std::string>{"b@x"});
    EXPECT_EQ(dialogue.all_recipients(), (std::vector<std::string>{"a@x", "b@x"}));
}

TEST_F(MailDialogueTest, SaysAllAtOnceWithPipelining) {
    begin({.pipelining = true, .size = true});
    EXPECT_EQ(commands(), "MAIL FROM:<s7@x> SIZE=" + std::to_string(mail().bytes(8)) +
                              "\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(reply("250 ok"), Next::wait);
    EXPECT_EQ(reply("354 go"), Next::content);
    EXPECT_EQ(reply("250 ok"), Next::finished);
}

TEST_F(MailDialogueTest, SendsTheContentAlongWithBdat) {
    begin({.pipelining = true, .chunking = true}, {"a@x"});
    EXPECT_EQ(commands(), "MAIL FROM:<s7@x>\r\nRCPT TO:<a@x>\r\nBDAT " +
                              std::to_string(mail().bytes(8)) + " LAST\r\n*");
    EXPECT_TRUE(dialogue.content_sent());
    EXPECT_EQ(reply("250 ok"), Next::wait);
    EXPECT_EQ(reply("250 ok"), Next::wait);
    EXPECT_EQ(dialogue.awaited(), Phase::content);
    EXPECT_EQ(reply("250 ok"), Next::finished);
    EXPECT_EQ(dialogue.outcome(), SentState::accepted);
}

TEST_F(MailDialogueTest, WaitsForTheRecipientsBeforeBdatWithoutPipelining) {
    begin({.chunking = true}, {"a@x"});
    commands();
    reply("250 ok");
    EXPECT_EQ(commands(), "RCPT TO:<a@x>\r\n");
    EXPECT_FALSE(dialogue.content_sent());
    reply("250 ok");
    EXPECT_EQ(commands().back(), '*');
}

// Replies up to the message's end, how it ended, and what decided it.
TEST_F(MailDialogueTest, KnowsARefusalByTheReplyThatDecidedIt) {
    const Offers one{}, all{.pipelining = true}, bdat{.pipelining = true, .chunking = true};
    const struct {
        Offers offers;
        std::vector<const char*> replies;
        Next last;
        const char* refusal;
    } rows[] = {
        {one, {"550 m"}, Next::finished, "550 m"},
        {one, {"250 m", "550 r", "551 r"}, Next::finished, "551 r"},
        {one, {"250 m", "250 r", "551 r", "450 d"}, Next::finished, "450 d"},
        {one, {"250 m", "250 r", "250 r", "354 d", "552 e"}, Next::finished, "552 e"},
        {all, {"550 m", "503 r", "503 r", "503 d"}, Next::finished, "550 m"},
        {all, {"250 m", "550 r", "551 r", "554 d"}, Next::finished, "551 r"},
        {all, {"250 m", "550 r", "551 r", "354 d"}, Next::dot, "551 r"},
        {all, {"250 m", "550 r", "551 r", "354 d", "554 e"}, Next::finished, "551 r"},
        {all, {"250 m", "250 r", "250 r", "354 d", "421 e"}, Next::finished, "421 e"},
        {all, {"421 m"}, Next::lost, "421 m"},
        {all, {"250 m", "421 r"}, Next::lost, ""},
        {all, {"250 m", "250 r", "250 r", "421 d"}, Next::lost, ""},
        {bdat, {"250 m", "550 r", "551 r", "503 b"}, Next::finished, "551 r"},
        {bdat, {"250 m", "250 r", "250 r", "552 b"}, Next::finished, "552 b"},
        // 250 to a message that has no recipient is no acceptance.
        {bdat, {"250 m", "550 r", "551 r", "250 b"}, Next::finished, "551 r"},
    };
    for (const auto& [offers, replies, last, refusal] : rows) {
        SCOPED_TRACE(testing::PrintToString(replies));
        begin(offers);
        Next next = Next::commands;
        for (const char* line : replies) {
            if (next == Next::commands) commands();
            if (next == Next::content) dialogue.on_content_sent();
            ASSERT_TRUE(dialogue.awaits_reply());
            next = reply(line);
        }
        EXPECT_EQ(next, last);
        EXPECT_EQ(dialogue.refusal(), refusal);
        EXPECT_NE(dialogue.outcome(), SentState::accepted);
    }
}

TEST_F(MailDialogueTest, BeginsAnewAfterARefusal) {
    begin({.pipelining = true, .chunking = true});
    commands();
    for (const char* line : {"550 m", "503 r", "503 r", "503 b"}) reply(line);
    begin({.pipelining = true}, {"c@x"});
    EXPECT_FALSE(dialogue.content_sent());
    EXPECT_EQ(dialogue.refusal(), "");
    EXPECT_EQ(commands(), "MAIL FROM:<s7@x>\r\nRCPT TO:<c@x>\r\nDATA\r\n");
    EXPECT_EQ(dialogue.accepted_recipients(), std::vector<std::string>{});
}

TEST_F(MailDialogueTest, SaysEightBitOnlyWhereItIsOfferedAndNeeded) {
    const MailTemplate eight("test", "Subject: a\r\n\r\n\xc3\xa4\r\n");
    const SourceAddresses addresses(SourceAddresses::Plan{});
    const struct {
        const MailTemplate& mail;
        bool offered, said;
    } rows[] = {{eight, true, true}, {eight, false, false}, {mail(), true, false}};
    for (const auto& [template_, offered, said] : rows) {
        dialogue.begin(template_, 8, addresses, 1, {.eight_bit = offered});
        EXPECT_EQ(commands().find("BODY=8BITMIME") != std::string::npos, said);
    }
}

}  // namespace
}  // namespace sealgate

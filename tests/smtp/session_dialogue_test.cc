// SPDX-License-Identifier: GPL-3.0-or-later
// Whole dialogues with the session, as rows, at every cut.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "smtp/session.h"
#include "tests/smtp/session_test_base.h"

namespace sealgate {
namespace {

struct DialogueCase {
    const char* name;
    std::string in;
    std::string codes;
    std::vector<std::string> contents;
    bool closed = false;
};

class SessionDialogue : public SessionTest, public testing::WithParamInterface<DialogueCase> {};

TEST_P(SessionDialogue, GivesTheSameRepliesHoweverTheInputIsCut) {
    const DialogueCase& want = GetParam();
    const auto check = [&](const auto& feed, std::size_t cut) {
        SCOPED_TRACE(testing::Message() << want.name << ", cut " << cut);
        host_.finished.clear();
        auto c = client();
        feed(*c);
        EXPECT_EQ(c->codes(), "220, " + want.codes);
        EXPECT_EQ(c->session.wants_close(), want.closed);
        std::vector<std::string> contents;
        for (const KeptMessage& kept : host_.finished) contents.push_back(kept.content);
        EXPECT_EQ(contents, want.contents);
    };
    const std::string_view in = want.in;
    for (std::size_t cut = 0; cut <= in.size() && !HasFailure(); ++cut) {
        const auto feed = [&](SessionClient& c) {
            if (cut > 0) c.say(in.substr(0, cut));
            if (cut < in.size()) c.say(in.substr(cut));
        };
        check(feed, cut);
    }
    check([&](SessionClient& c) { c.say_in_pieces(in, 1); }, 1);
}

const std::string subject = "Subject: x\r\n\r\n.text\r\n";

INSTANTIATE_TEST_SUITE_P(
    Commands, SessionDialogue,
    testing::Values(
        DialogueCase{"OneMessage",
                     ehlo + message + "QUIT\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 354, 250 2.0.0, 221 2.0.0",
                     {subject},
                     true},
        DialogueCase{
            "TwoMessages",
            ehlo + message + message,
            "250, 250 2.1.0, 250 2.1.5, 354, 250 2.0.0, 250 2.1.0, 250 2.1.5, 354, 250 2.0.0",
            {subject, subject}},
        DialogueCase{"MailBeforeEhlo", "MAIL FROM:<a@b>\r\n", "503 5.5.1", {}},
        DialogueCase{"DataBeforeMail", ehlo + "DATA\r\n", "250, 503 5.5.1", {}},
        DialogueCase{"RcptBeforeMail", ehlo + "RCPT TO:<a@b>\r\n", "250, 503 5.5.1", {}},
        DialogueCase{"MailTwice",
                     ehlo + "MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n",
                     "250, 250 2.1.0, 503 5.5.1",
                     {}},
        DialogueCase{"DataWithoutRecipient",
                     ehlo + "MAIL FROM:<a@b>\r\nRCPT TO:<c>\r\nDATA\r\n",
                     "250, 250 2.1.0, 501 5.1.3, 554 5.5.1",
                     {}},
        DialogueCase{"DataWithArgument",
                     ehlo + envelope + "DATA now\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 501 5.5.4",
                     {}},
        DialogueCase{"Rset",
                     "RSET\r\n" + ehlo + envelope + "RSET\r\nDATA\r\n" + "RSET x\r\n",
                     "250 2.0.0, 250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 503 5.5.1, 501 5.5.4",
                     {}},
        DialogueCase{"EhloForgetsTheMessage",
                     ehlo + envelope + ehlo + "DATA\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 250, 503 5.5.1",
                     {}},
        DialogueCase{"Others",
                     "NOOP\r\nNOOP x\r\nHELP\r\nVRFY a\r\nVRFY\r\nEXPN l\r\nSTARTTLS\r\nFOO\r\n",
                     "250 2.0.0, 250 2.0.0, 214 2.0.0, 252 2.1.5, 501 5.5.4, 502 5.5.1, 502 5.5.1, "
                     "500 5.5.2",
                     {}},
        DialogueCase{"BareLf", "NOOP\nNOOP\r\n", "500 5.5.2, 250 2.0.0", {}},
        DialogueCase{"BareCr", "NOOP\rNOOP\r\nNOOP\r\n", "500 5.5.2, 250 2.0.0", {}},
        DialogueCase{"EmptyLine", "\r\n\n", "500 5.5.2, 500 5.5.2", {}},
        DialogueCase{"Nul", std::string("NO\0OP\r\n", 7), "500 5.5.2", {}},
        DialogueCase{"Http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + ehlo, "500 5.5.2", {}, true},
        DialogueCase{"AfterQuit", "QUIT\r\nNOOP\r\n", "221 2.0.0", {}, true},
        DialogueCase{"LineAtTheLimit",
                     "NOOP " + std::string(2041, 'x') + "\r\nNOOP\r\n",
                     "250 2.0.0, 250 2.0.0",
                     {}},
        DialogueCase{"LinePastTheLimit",
                     "NOOP " + std::string(2042, 'x') + "\r\nNOOP\r\n",
                     "500 5.5.2, 250 2.0.0",
                     {}}));

INSTANTIATE_TEST_SUITE_P(
    Bdat, SessionDialogue,
    testing::Values(
        DialogueCase{"OneChunk",
                     ehlo + envelope + "BDAT 5 LAST\r\nabc\r\nQUIT\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 221 2.0.0",
                     {"abc\r\n"},
                     true},
        DialogueCase{"Chunks",
                     ehlo + envelope + "BDAT 2\r\na\rBDAT 3\r\n\n.\rBDAT 3 LAST\r\n\n.bNOOP\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 250 2.0.0, 250 2.0.0, 250 2.0.0",
                     {"a\r\n.\r\n.b\r\n"}},
        DialogueCase{"EmptyLast",
                     ehlo + envelope + "BDAT 3\r\na\r\nBDAT 0 LAST\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 250 2.0.0",
                     {"a\r\n"}},
        DialogueCase{"NoLineEnd",
                     ehlo + envelope + "BDAT 1 LAST\r\naNOOP\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 250 2.0.0",
                     {"a\r\n"}},
        DialogueCase{"BareLf",
                     ehlo + envelope + "BDAT 3 LAST\r\na\nbNOOP\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 550 5.6.11, 250 2.0.0",
                     {}},
        DialogueCase{"BareCrAtTheEnd",
                     ehlo + envelope + "BDAT 2 LAST\r\na\rNOOP\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 550 5.6.11, 250 2.0.0",
                     {}},
        DialogueCase{"BareLfInTheFirst",
                     ehlo + envelope + "BDAT 3\r\na\nbBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 550 5.6.11, 503 5.5.1, 250 2.0.0",
                     {}},
        DialogueCase{"BeforeEhlo", "BDAT 6 LAST\r\nQUIT\r\n" + ehlo, "503 5.5.1, 250", {}},
        DialogueCase{"BeforeMail",
                     ehlo + "BDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\n",
                     "250, 503 5.5.1, 503 5.5.1",
                     {}},
        DialogueCase{"WithoutRecipient",
                     ehlo + "MAIL FROM:<a@b>\r\nBDAT 6 LAST\r\nQUIT\r\n" + envelope,
                     "250, 250 2.1.0, 554 5.5.1, 250 2.1.0, 250 2.1.5",
                     {}},
        DialogueCase{"CountUnknown",
                     ehlo + envelope + "BDAT x\r\nQUIT\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 501 5.5.4",
                     {},
                     true},
        DialogueCase{"DataBetween",
                     ehlo + envelope + "BDAT 3\r\na\r\nDATA\r\nRCPT TO:<a@b>\r\nBDAT 0 LAST\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 503 5.5.1, 503 5.5.1, 250 2.0.0",
                     {"a\r\n"}},
        DialogueCase{"RsetBetween",
                     ehlo + envelope + "BDAT 3\r\na\r\nRSET\r\nBDAT 0 LAST\r\n",
                     "250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 250 2.0.0, 503 5.5.1",
                     {}}));

INSTANTIATE_TEST_SUITE_P(
    Content, SessionDialogue,
    testing::Values(DialogueCase{"Empty",
                                 ehlo + envelope + "DATA\r\n.\r\nNOOP\r\n",
                                 "250, 250 2.1.0, 250 2.1.5, 354, 250 2.0.0, 250 2.0.0",
                                 {""}},
                    DialogueCase{"BareLf",
                                 ehlo + envelope + "DATA\r\na\nb\r\n.\r\nNOOP\r\n",
                                 "250, 250 2.1.0, 250 2.1.5, 354, 550 5.6.11, 250 2.0.0",
                                 {}},
                    DialogueCase{"Smuggled",
                                 ehlo + envelope + "DATA\r\na\n.\n" + message + "QUIT\r\n",
                                 "250, 250 2.1.0, 250 2.1.5, 354, 550 5.6.11, 221 2.0.0",
                                 {},
                                 true}));

// SEC Consult's sequences: a message follows each imitation of an end; it must not become one.
TEST_F(SessionTest, TakesNoKnownImitationForTheEndOfData) {
    const std::string path =
        std::string(SEALGATE_CORPUS_DIR) + "/smtp-smuggling/sec-consult-eod-sequences.hex.json";
    std::ifstream file(path);
    if (!file) GTEST_SKIP() << "no corpus at " << path;
    const auto sequences = nlohmann::json::parse(file);
    for (const char* kind : {"inbound_eod_sequences", "outbound_eod_sequences"}) {
        for (const std::string hex : sequences.at(kind)) {
            SCOPED_TRACE(hex);
            std::string imitation;
            for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
                imitation.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
            }
            host_.finished.clear();
            auto c = greeted_client();
            c->say(envelope + "DATA\r\nSubject: first\r\n\r\nx" + imitation + message);
            const std::string codes = c->codes();
            const bool refused = codes == "250 2.1.0, 250 2.1.5, 354, 550 5.6.11";
            const bool taken = codes == "250 2.1.0, 250 2.1.5, 354, 250 2.0.0";
            EXPECT_TRUE(refused || taken) << codes;
            EXPECT_EQ(host_.finished.size(), refused ? 0u : 1u);
        }
    }
}

}  // namespace
}  // namespace sealgate

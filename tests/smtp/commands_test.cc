// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/commands.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace sealgate {
namespace {

std::string code_of(const SmtpRefusal& refusal) {
    return std::to_string(refusal.code) + " " + refusal.enhanced;
}

TEST(Commands, SplitVerbAndArgument) {
    struct Case {
        std::string in;
        Verb verb;
        std::string argument;
    };
    for (const Case& c : {
             Case{"EHLO mx.example.com", Verb::ehlo, "mx.example.com"},
             Case{"ehlo mx", Verb::ehlo, "mx"},
             Case{"QuIt", Verb::quit, ""},
             Case{"QUIT  ", Verb::quit, ""},
             Case{"MAIL FROM:<a@b>  SIZE=3 ", Verb::mail, "FROM:<a@b>  SIZE=3"},
             Case{"BDAT 3 LAST", Verb::bdat, "3 LAST"},
             Case{"STARTTLS", Verb::starttls, ""},
             Case{"EXPN list", Verb::not_implemented, "list"},
             Case{"GET / HTTP/1.1", Verb::foreign, "/ HTTP/1.1"},
             Case{"", Verb::unknown, ""},
             Case{" QUIT", Verb::unknown, ""},
             Case{"QUITX", Verb::unknown, ""},
             Case{"MAI", Verb::unknown, ""},
             Case{"Host: x", Verb::unknown, ""},
             Case{"\xc3\xbc", Verb::unknown, ""},
         }) {
        const auto command = parse_command(c.in);
        ASSERT_TRUE(command) << c.in;
        EXPECT_EQ(command->verb, c.verb) << c.in;
        EXPECT_EQ(command->argument, c.argument) << c.in;
    }
}

TEST(Commands, RefuseControlCharacters) {
    for (const std::string& in :
         {std::string("NOOP\t"), std::string("NO\0OP", 5), std::string("NOOP\r"),
          std::string("NOOP a\rQUIT"), std::string("NOOP \x7f"), std::string("\x1b[A")}) {
        const auto command = parse_command(in);
        ASSERT_FALSE(command) << in;
        EXPECT_EQ(code_of(command.error()), "500 5.5.2");
    }
}

TEST(Commands, TakeHelosAsClientsSayThem) {
    for (const char* good : {"mx.example.com", "[192.0.2.1]", "[IPv6:::1]", "WIN_PC", "10.0.0.1"}) {
        EXPECT_TRUE(parse_helo(good)) << good;
    }
    for (const std::string& bad :
         {std::string(""), std::string("a b"), std::string("a\xc3\xbc"), std::string("a<b>"),
          std::string("a(b)"), std::string("a\"b"), std::string(256, 'a')}) {
        EXPECT_FALSE(parse_helo(bad)) << bad;
    }
}

TEST(MailCommand, ReadsEveryParameter) {
    const auto mail = parse_mail(
        "from: <a@example.com> size=1000 BODY=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B1 AUTH=<>");
    ASSERT_TRUE(mail) << mail.error().text;
    EXPECT_EQ(mail->sender, "a@example.com");
    EXPECT_EQ(mail->size_bytes, 1000u);
    EXPECT_EQ(mail->body, BodyType::eight_bit);
    EXPECT_TRUE(mail->smtputf8);
    EXPECT_EQ(mail->return_, Envelope::Return::headers);
    EXPECT_EQ(mail->envelope_id, "QQ+2B1");
}

TEST(MailCommand, LeavesOutWhatWasNotGiven) {
    const auto mail = parse_mail("FROM:<>");
    ASSERT_TRUE(mail);
    EXPECT_EQ(mail->sender, "");
    EXPECT_FALSE(mail->size_bytes);
    EXPECT_EQ(mail->body, BodyType::seven_bit);
    EXPECT_FALSE(mail->smtputf8);
    EXPECT_EQ(mail->return_, Envelope::Return::not_given);
}

TEST(MailCommand, TakesASizePastEveryNumberAsTheLargest) {
    EXPECT_EQ(parse_mail("FROM:<> SIZE=99999999999999999999")->size_bytes,
              std::numeric_limits<std::uint64_t>::max());
}

TEST(MailCommand, RefusesWhatItCannotRead) {
    struct Case {
        std::string in;
        const char* want;
    };
    for (const Case& c : {
             Case{"", "501 5.5.4"},
             Case{"<a@b>", "501 5.5.4"},
             Case{"FROM", "501 5.5.4"},
             Case{"FROM:", "501 5.1.7"},
             Case{"FROM:a@b", "501 5.1.7"},
             Case{"FROM :<a@b>", "501 5.5.4"},
             Case{"FROM:<a>", "501 5.1.7"},
             Case{"FROM:<a@b>SIZE=1", "501 5.5.4"},
             Case{"FROM:<a@b> SIZE", "501 5.5.4"},
             Case{"FROM:<a@b> SIZE=", "501 5.5.4"},
             Case{"FROM:<a@b> SIZE=-1", "501 5.5.4"},
             Case{"FROM:<a@b> SIZE=1x", "501 5.5.4"},
             Case{"FROM:<a@b> SIZE=999999999999999999999", "501 5.5.4"},
             Case{"FROM:<a@b> SIZE=1 SIZE=1", "501 5.5.4"},
             Case{"FROM:<a@b> BODY=BINARYMIME", "501 5.5.4"},
             Case{"FROM:<a@b> BODY", "501 5.5.4"},
             Case{"FROM:<a@b> SMTPUTF8=yes", "501 5.5.4"},
             Case{"FROM:<a@b> RET=ALL", "501 5.5.4"},
             Case{"FROM:<a@b> RET=FULL ret=FULL", "501 5.5.4"},
             Case{"FROM:<a@b> ENVID=a+2", "501 5.5.4"},
             Case{"FROM:<a@b> ENVID=a+2b", "501 5.5.4"},
             Case{"FROM:<a@b> ENVID=a=b", "501 5.5.4"},
             Case{"FROM:<a@b> ENVID=" + std::string(101, 'x'), "501 5.5.4"},
             Case{"FROM:<a@b> =x", "501 5.5.4"},
             Case{"FROM:<a@b> -X=x", "501 5.5.4"},
             Case{"FROM:<a@b> X$=x", "501 5.5.4"},
             Case{"FROM:<a@b> X-OTHER=x", "555 5.5.4"},
             Case{"FROM:<a@b> NOTIFY=NEVER", "555 5.5.4"},
             Case{"FROM:<\xc3\xbc@b>", "553 5.6.7"},
             Case{"FROM:<\xc3\xbc@b> BODY=8BITMIME", "553 5.6.7"},
         }) {
        const auto mail = parse_mail(c.in);
        ASSERT_FALSE(mail) << c.in;
        EXPECT_EQ(code_of(mail.error()), c.want) << c.in << ": " << mail.error().text;
    }
    EXPECT_TRUE(parse_mail("FROM:<a@b> ENVID=" + std::string(100, 'x')));
    EXPECT_TRUE(parse_mail("FROM:<\xc3\xbc@b> SMTPUTF8"));
}

TEST(RcptCommand, ReadsDsnParameters) {
    const auto recipient =
        parse_rcpt("TO:<b@example.net> NOTIFY=success,DELAY ORCPT=rfc822;b+2Bx@example.net", false);
    ASSERT_TRUE(recipient) << recipient.error().text;
    EXPECT_EQ(recipient->address, "b@example.net");
    EXPECT_EQ(recipient->original, "rfc822;b+2Bx@example.net");
    EXPECT_TRUE(recipient->notify.given && recipient->notify.success && recipient->notify.delay);
    EXPECT_FALSE(recipient->notify.failure || recipient->notify.never);
    EXPECT_FALSE(parse_rcpt("TO:<b@c>", false)->notify.given);
}

TEST(RcptCommand, RefusesWhatItCannotRead) {
    struct Case {
        std::string in;
        const char* want;
    };
    for (const Case& c : {
             Case{"", "501 5.5.4"},
             Case{"FROM:<a@b>", "501 5.5.4"},
             Case{"TO:<>", "501 5.1.3"},
             Case{"TO:<a>", "501 5.1.3"},
             Case{"TO:<a@b> NOTIFY=NEVER,SUCCESS", "501 5.5.4"},
             Case{"TO:<a@b> NOTIFY=", "501 5.5.4"},
             Case{"TO:<a@b> NOTIFY=SUCCESS,", "501 5.5.4"},
             Case{"TO:<a@b> NOTIFY=ALWAYS", "501 5.5.4"},
             Case{"TO:<a@b> NOTIFY=DELAY NOTIFY=DELAY", "501 5.5.4"},
             Case{"TO:<a@b> ORCPT=a@b", "501 5.5.4"},
             Case{"TO:<a@b> ORCPT=rfc822;", "501 5.5.4"},
             Case{"TO:<a@b> ORCPT=;a@b", "501 5.5.4"},
             Case{"TO:<a@b> ORCPT=rfc822;" + std::string(500, 'x'), "501 5.5.4"},
             Case{"TO:<a@b> SIZE=1", "555 5.5.4"},
             Case{"TO:<\xc3\xbc@b>", "553 5.6.7"},
         }) {
        const auto recipient = parse_rcpt(c.in, false);
        ASSERT_FALSE(recipient) << c.in;
        EXPECT_EQ(code_of(recipient.error()), c.want) << c.in << ": " << recipient.error().text;
    }
    EXPECT_TRUE(parse_rcpt("TO:<\xc3\xbc@b>", true));
}

TEST(BdatCommand, ReadsItsCount) {
    EXPECT_EQ(parse_bdat("0 LAST")->bytes, 0u);
    EXPECT_TRUE(parse_bdat("0 last")->last);
    EXPECT_EQ(parse_bdat("86000")->bytes, 86000u);
    EXPECT_FALSE(parse_bdat("86000")->last);
    for (const char* bad : {"", "LAST", "-1", "1x", "1 LAS", "1 LAST x", "0x10", "1,5"}) {
        EXPECT_FALSE(parse_bdat(bad)) << bad;
    }
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/reply.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

TEST(Reply, PutsTheEnhancedCodeOnEveryLine) {
    Reply reply = make_reply(550, "5.7.1", "Not here");
    reply.lines.push_back("See elsewhere");
    EXPECT_EQ(reply.to_wire(), "550-5.7.1 Not here\r\n550 5.7.1 See elsewhere\r\n");
    EXPECT_EQ(reply.text(), "5.7.1 Not here See elsewhere");
}

TEST(Reply, HasNoEnhancedCodeWhereNoneWasGiven) {
    EXPECT_EQ(make_reply(354, "", "Go on").to_wire(), "354 Go on\r\n");
}

TEST(Reply, LetsNoTextMakeASecondLine) {
    EXPECT_EQ(make_reply(550, "", "a\r\n250 b\x01\x7f").to_wire(), "550 a??250 b??\r\n");
}

TEST(Reply, KnowsItsClass) {
    struct Case {
        int code;
        bool positive, temporary, permanent;
    };
    for (const Case& c : {Case{250, true, false, false}, Case{354, true, false, false},
                          Case{421, false, true, false}, Case{550, false, false, true}}) {
        const Reply reply = make_reply(c.code, "", "x");
        EXPECT_EQ(reply.positive(), c.positive) << c.code;
        EXPECT_EQ(reply.temporary(), c.temporary) << c.code;
        EXPECT_EQ(reply.permanent(), c.permanent) << c.code;
    }
}

TEST(Reply, AnswersEachKindOfError) {
    struct Case {
        ErrorKind kind;
        const char* want;
    };
    for (const Case& c : {Case{ErrorKind::malformed, "554 5.6.0 what\r\n"},
                          Case{ErrorKind::limit, "552 5.3.4 what\r\n"},
                          Case{ErrorKind::unsupported, "554 5.6.1 what\r\n"},
                          Case{ErrorKind::untrusted, "550 5.7.1 what\r\n"},
                          Case{ErrorKind::temporary, "451 4.3.0 what\r\n"}}) {
        EXPECT_EQ(reply_for(Error{c.kind, "what"}).to_wire(), c.want) << to_text(c.kind);
    }
    EXPECT_EQ(reply_for(Error{ErrorKind::internal, "secret"}).to_wire().find("secret"),
              std::string::npos);
}

TEST(Reply, ReadsWhatAnOperatorWrote) {
    struct Case {
        const char* in;
        const char* want;
    };
    for (const Case& c : {
             Case{"550 5.1.1 No such user", "550 5.1.1 No such user\r\n"},
             Case{"451 4.7.1 Later", "451 4.7.1 Later\r\n"},
             Case{"550 No such user", "550 No such user\r\n"},
             Case{"550 5.1.1", "550 5.1.1 Refused\r\n"},
             Case{"550", "550 Refused\r\n"},
             Case{"550 5.1111.1 Text", "550 5.1111.1 Text\r\n"},
             Case{"550 5..1 Text", "550 5..1 Text\r\n"},
             Case{"No such user", "550 5.7.1 No such user\r\n"},
             Case{"250 Ok", "550 5.7.1 250 Ok\r\n"},
             Case{"5500 Text", "550 5.7.1 5500 Text\r\n"},
         }) {
        EXPECT_EQ(parse_reply_text(c.in).to_wire(), c.want) << c.in;
    }
}

}  // namespace
}  // namespace sealgate

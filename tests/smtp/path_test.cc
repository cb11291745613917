// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/path.h"

#include <gtest/gtest.h>

#include <string>

namespace sealgate {
namespace {

struct GoodCase {
    std::string in;
    std::string address;
    bool non_ascii = false;
};

TEST(Path, ReadsMailboxesAndNothingBehindThem) {
    for (const GoodCase& c : {
             GoodCase{"<a@example.com>", "a@example.com"},
             GoodCase{"<a@example.com> SIZE=1", "a@example.com"},
             GoodCase{"<a.b+c=d@mx_1.example.com>", "a.b+c=d@mx_1.example.com"},
             GoodCase{"<!#$%&'*+-/=?^_`{|}~@a.b>", "!#$%&'*+-/=?^_`{|}~@a.b"},
             GoodCase{"<\"a b\"@example.com>", "\"a b\"@example.com"},
             GoodCase{"<\"a\\\"@b>\"@example.com>", "\"a\\\"@b>\"@example.com"},
             GoodCase{"<\"\"@example.com>", "\"\"@example.com"},
             GoodCase{"<a@localhost>", "a@localhost"},
             GoodCase{"<a@[192.0.2.1]>", "a@[192.0.2.1]"},
             GoodCase{"<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"},
             GoodCase{"<a@[ipv6:::1]>", "a@[ipv6:::1]"},
             GoodCase{"<@r1.example,@[192.0.2.9]:a@example.com>", "a@example.com"},
             GoodCase{"<gr\xc3\xbc\xc3\x9f@example.com>", "gr\xc3\xbc\xc3\x9f@example.com", true},
             GoodCase{"<a@\xe4\xbe\x8b.example>", "a@\xe4\xbe\x8b.example", true},
             GoodCase{"<\"\xf0\x9f\x98\x80 b\"@example.com>", "\"\xf0\x9f\x98\x80 b\"@example.com",
                      true},
             GoodCase{"<" + std::string(100, 'v') + "@example.com>",
                      std::string(100, 'v') + "@example.com"},
             GoodCase{"<" + std::string(242, 'v') + "@example.com>",
                      std::string(242, 'v') + "@example.com"},
         }) {
        const auto path = parse_path(c.in, PathUse::forward);
        ASSERT_TRUE(path) << c.in << ": " << path.error().text;
        EXPECT_EQ(path->address, c.address);
        EXPECT_EQ(path->non_ascii, c.non_ascii) << c.in;
        EXPECT_EQ(path->bytes, c.in.find(c.address) + c.address.size() + 1) << c.in;
    }
}

TEST(Path, RefusesWhatIsNoMailbox) {
    for (const std::string& in : {
             std::string(""),
             std::string("a@example.com"),
             std::string("<"),
             std::string("<a"),
             std::string("<a>"),
             std::string("<a@>"),
             std::string("<@example.com>"),
             std::string("<a@b"),
             std::string("< a@b>"),
             std::string("<a @b>"),
             std::string("<a@b >"),
             std::string("<.a@b>"),
             std::string("<a.@b>"),
             std::string("<a..b@c>"),
             std::string("<a@b..c>"),
             std::string("<a@.b>"),
             std::string("<a@b.>"),
             std::string("<a@-b>"),
             std::string("<a@b->"),
             std::string("<a@b@c>"),
             std::string("<a@b,c>"),
             std::string("<<a@b>>"),
             std::string("<a b@c>"),
             std::string("<a(x)@b>"),
             std::string("<\"a@b>"),
             std::string("<\"a\"b@c>"),
             std::string("<\"a\\"),
             std::string("<a\\b@c>"),
             std::string("<a@[192.0.2]>"),
             std::string("<a@[300.0.2.1]>"),
             std::string("<a@[192.0.2.1>"),
             std::string("<a@[2001:db8::1]>"),
             std::string("<a@[IPv6:192.0.2.1]>"),
             std::string("<a@[IPv6:]>"),
             std::string("<a@[x-tag:data]>"),
             std::string("<a@[192.0.2.1].com>"),
             std::string("<@r:a@b"),
             std::string("<@r a@b>"),
             std::string("<@r,:a@b>"),
             std::string("<@r,@s>"),
             std::string("<a@b\0c>", 8),
             std::string("<a\0@b>", 6),
             std::string("<\"a\0\"@b>", 8),
             std::string("<a@b\tc>"),
             std::string("<a@b\x7f>"),
             std::string("<a@") + std::string(64, 'd') + ".com>",
             std::string("<a\xff@b>"),
             std::string("<a\xc3@b>"),
             std::string("<a\xc0\xaf@b>"),
             std::string("<a\xc2\x85@b>"),
             std::string("<a\xed\xa0\x80@b>"),
             std::string("<a\xf4\x90\x80\x80@b>"),
             std::string("<a\xe0\x80\x80@b>"),
             std::string("<\xc3"),
             std::string("<a@\xe4\xbe>"),
             "<" + std::string(243, 'v') + "@example.com>",
             "<a@" + std::string(63, 'd') + "." + std::string(63, 'd') + "." +
                 std::string(63, 'd') + "." + std::string(61, 'd') + ">",
         }) {
        const auto path = parse_path(in, PathUse::forward);
        EXPECT_FALSE(path) << in;
        if (path) continue;
        EXPECT_EQ(path.error().code, 501) << in;
        EXPECT_STREQ(path.error().enhanced, "5.1.3") << in;
    }
}

TEST(Path, TakesTheNullPathOnlyInReverseAndPostmasterOnlyForward) {
    EXPECT_TRUE(parse_path("<>", PathUse::reverse));
    EXPECT_EQ(parse_path("<>", PathUse::reverse)->address, "");
    EXPECT_FALSE(parse_path("<>", PathUse::forward));
    EXPECT_TRUE(parse_path("<PostMaster>", PathUse::forward));
    const auto postmaster = parse_path("<postmaster>", PathUse::reverse);
    ASSERT_FALSE(postmaster);
    EXPECT_STREQ(postmaster.error().enhanced, "5.1.7");
}

TEST(Path, TellsMailboxesFromOtherText) {
    bool non_ascii = false;
    EXPECT_TRUE(is_mailbox("a@example.com", &non_ascii));
    EXPECT_FALSE(non_ascii);
    EXPECT_TRUE(is_mailbox("\xc3\xbc@example.com", &non_ascii));
    EXPECT_TRUE(non_ascii);
    for (const char* in : {"", "a", "a@", "a@b ", "a@b>", "postmaster"}) {
        EXPECT_FALSE(is_mailbox(in, nullptr)) << in;
    }
}

TEST(Path, FindsTheDomainBehindTheLastAt) {
    EXPECT_EQ(address_domain("a@b"), "b");
    EXPECT_EQ(address_domain("\"x@y\"@b"), "b");
    EXPECT_EQ(address_domain("postmaster"), "");
}

}  // namespace
}  // namespace sealgate

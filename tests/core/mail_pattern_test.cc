// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/mail_pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace sealgate {
namespace {

struct Row {
    const char* pattern;
    const char* address;
    bool want;
};

// clang-format off
const Row rows[] = {
    {"ALL", "a@example.com", true},
    {"ALL", "", true},
    {"ALL", "postmaster", true},

    {"a@example.com", "a@example.com", true},
    {"A@Example.com", "a@eXample.COM", true},
    {"a@example.com", "b@example.com", false},
    {"a@example.com", "a@sub.example.com", false},
    {"a@example.com", "aa@example.com", false},
    {"a@example.com", "", false},
    {"a+b=c@example.com", "a+b=c@example.com", true},
    {"j\xc3\xb6rg@example.com", "j\xc3\xb6rg@example.com", true},
    {"a@[192.0.2.1]", "a@[192.0.2.1]", true},

    {"sales@", "sales@example.com", true},
    {"sales@", "Sales@other.example", true},
    {"sales@", "presales@example.com", false},
    {"postmaster@", "postmaster", true},

    {"@example.com", "a@example.com", true},
    {"@example.com", "a@EXAMPLE.com", true},
    {"@example.com", "a@sub.example.com", false},
    {"@example.com", "a@notexample.com", false},
    {"@example.com", "\"x@y\"@example.com", true},
    {"@example.com", "a@example.com@evil.example", false},
    {"@example.com", "", false},
    {"@example.com", "example.com", false},

    {"@.example.com", "a@sub.example.com", true},
    {"@.example.com", "a@b.c.example.com", true},
    {"@.example.com", "a@example.com", false},
    {"@.example.com", "a@subexample.com", false},
    {"@.example.com", "a@.example.com", false},
    {"@.example.com", "", false},
};
// clang-format on

TEST(MailPattern, MatchesAddressesWithoutCase) {
    for (const Row& row : rows) {
        SCOPED_TRACE(testing::Message() << row.pattern << " and " << row.address);
        const auto pattern = MailPattern::parse(row.pattern);
        ASSERT_TRUE(pattern) << pattern.error().what;
        EXPECT_EQ(pattern->matches(row.address), row.want);
        EXPECT_EQ(pattern->text(), row.pattern);
    }
}

TEST(MailPattern, RefusesWhatIsNoPattern) {
    for (const char* text :
         {"", "@", "example.com", ".example.com", "all", "a b@example.com", "<a@example.com>",
          "a@b@example.com", "a@.example.com", "@..example.com", "@.", "@exa mple.com",
          "@m\xc3\xbcller.example", "a@*", "*@example.com.", "@192.0.2.1", "@[]"}) {
        EXPECT_FALSE(MailPattern::parse(text)) << text;
    }
    EXPECT_TRUE(MailPattern::parse(std::string(64, 'a') + "@"));
    EXPECT_FALSE(MailPattern::parse(std::string(65, 'a') + "@"));
}

}  // namespace
}  // namespace sealgate

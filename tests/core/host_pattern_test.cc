// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/host_pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace sealgate {
namespace {

struct Row {
    const char* pattern;
    const char* address;
    const char* host_name;
    bool want;
};

// clang-format off
const Row rows[] = {
    {"ALL", "192.0.2.1", "", true},
    {"ALL", "2001:db8::1", "", true},

    {"10.1.2.3", "10.1.2.3", "", true},
    {"10.1.2.3", "10.1.2.4", "", false},
    {"10.1.2.3", "2001:db8::1", "", false},
    {"0.0.0.0", "0.0.0.0", "", true},

    {"10.1.0.0/16", "10.1.0.0", "", true},
    {"10.1.0.0/16", "10.1.255.255", "", true},
    {"10.1.0.0/16", "10.2.0.0", "", false},
    {"10.1.0.0/16", "10.0.255.255", "", false},
    {"10.1/16", "10.1.7.7", "", true},
    {"10.1/16", "10.2.7.7", "", false},
    {"10/8", "10.255.0.1", "", true},
    {"10.1.1.64/27", "10.1.1.64", "", true},
    {"10.1.1.64/27", "10.1.1.95", "", true},
    {"10.1.1.64/27", "10.1.1.96", "", false},
    {"10.1.1.64/27", "10.1.1.63", "", false},
    {"10.1.1.1/32", "10.1.1.1", "", true},
    {"10.1.1.1/32", "10.1.1.2", "", false},
    {"0.0.0.0/0", "203.0.113.9", "", true},
    {"0.0.0.0/0", "2001:db8::1", "", false},

    {"10.1.", "10.1.0.0", "", true},
    {"10.1.", "10.1.255.1", "", true},
    {"10.1.", "10.10.0.1", "", false},
    {"10.", "10.200.0.1", "", true},
    {"10.1.1.", "10.1.1.9", "", true},
    {"10.1.1.", "10.1.2.9", "", false},

    {"10.1.1.10-40", "10.1.1.10", "", true},
    {"10.1.1.10-40", "10.1.1.40", "", true},
    {"10.1.1.10-40", "10.1.1.9", "", false},
    {"10.1.1.10-40", "10.1.1.41", "", false},
    {"10.1.1.10-40", "10.1.2.20", "", false},
    {"10.1-3", "10.1.0.0", "", true},
    {"10.1-3", "10.3.255.255", "", true},
    {"10.1-3", "10.4.0.0", "", false},
    {"10.1-3", "10.0.9.9", "", false},
    {"10.1-3.", "10.2.9.9", "", true},
    {"10-11", "11.0.0.1", "", true},

    {"2001:db8::1", "2001:db8::1", "", true},
    {"2001:DB8::1", "2001:db8:0:0::1", "", true},
    {"2001:db8::1", "2001:db8::2", "", false},
    {"2001:db8::/32", "2001:db8:ffff::1", "", true},
    {"2001:db8::/32", "2001:db9::1", "", false},
    {"2001:db8::8/125", "2001:db8::f", "", true},
    {"2001:db8::8/125", "2001:db8::10", "", false},
    {"::/0", "2001:db8::1", "", true},
    {"::/0", "192.0.2.1", "", false},
    {"::ffff:192.0.2.1", "192.0.2.1", "", true},
    {"::ffff:192.0.2.0/120", "192.0.2.77", "", true},
    {"192.0.2.1", "::ffff:192.0.2.1", "", true},

    {"mx.example.com", "192.0.2.1", "mx.example.com", true},
    {"MX.example.COM", "192.0.2.1", "mx.Example.com", true},
    {"mx.example.com", "192.0.2.1", "mx.example.com.", true},
    {"mx.example.com", "192.0.2.1", "", false},
    {"mx.example.com", "192.0.2.1", "a.mx.example.com", false},
    {"mx.example.com", "192.0.2.1", "example.com", false},
    {".example.com", "192.0.2.1", "mx.example.com", true},
    {".example.com", "192.0.2.1", "a.b.Example.com", true},
    {".example.com", "192.0.2.1", "example.com", false},
    {".example.com", "192.0.2.1", "notexample.com", false},
    {".example.com", "192.0.2.1", "", false},
    {".Example.com", "192.0.2.1", "mx.example.com", true},
    {"localhost", "127.0.0.1", "localhost", true},
    {"_a.1x.example", "127.0.0.1", "_a.1x.example", true},
};
// clang-format on

TEST(HostPattern, MatchesAddressesAndConfirmedNames) {
    for (const Row& row : rows) {
        SCOPED_TRACE(testing::Message()
                     << row.pattern << " and " << row.address << " " << row.host_name);
        const auto pattern = HostPattern::parse(row.pattern);
        const auto address = IpAddress::parse(row.address);
        ASSERT_TRUE(pattern) << pattern.error().what;
        ASSERT_TRUE(address);
        EXPECT_EQ(pattern->matches(*address, row.host_name), row.want);
        EXPECT_EQ(pattern->text(), row.pattern);
    }
}

TEST(HostPattern, RefusesWhatIsNoPattern) {
    for (const char* text : {"",
                             " ",
                             ".",
                             "..",
                             "10.1",
                             "10",
                             "10.1.2.3.",
                             "10.1.2.3.4",
                             "256.1.1.1",
                             "10.01.1.1",
                             "10..1.1",
                             "10.1.1.40-10",
                             "10.1-3.1.1",
                             "10.1.1.1-2-3",
                             "10.1.1.-3",
                             "10.1.1.3-",
                             "10.1/33",
                             "10.1/",
                             "10.1/16/8",
                             "10.1./16",
                             "10.1-2/16",
                             "/8",
                             "10.1.2.3/16",
                             "10.1.1.1/31",
                             "2001:db8::1/64",
                             "2001:db8::/129",
                             "2001:db8::/",
                             "2001:db8::/x",
                             "::ffff:10.0.0.0/64",
                             "::1::",
                             "[::1]",
                             "mx..example.com",
                             "-mx.example.com",
                             "mx-.example.com",
                             "mx.example.com.",
                             "mx example",
                             "*.example.com",
                             "a@example.com",
                             "..example.com",
                             "m\xc3\xbcller.example",
                             "mx.example.123",
                             "1.2.3.4.5-6"}) {
        EXPECT_FALSE(HostPattern::parse(text)) << text;
    }
    EXPECT_FALSE(HostPattern::parse(std::string(64, 'a') + ".example"));
    EXPECT_TRUE(HostPattern::parse(std::string(63, 'a') + ".example"));
}

TEST(HostPattern, BoundsTheLengthOfAName) {
    std::string name = "a";
    while (name.size() < 253) name += ".a";
    ASSERT_EQ(name.size(), 253U);
    EXPECT_TRUE(is_host_name(name));
    EXPECT_FALSE(is_host_name("b" + name));
}

}  // namespace
}  // namespace sealgate

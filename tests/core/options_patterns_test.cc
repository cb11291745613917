// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/options_patterns.h"

#include <gtest/gtest.h>

#include <string>

namespace sealgate {
namespace {

struct Case {
    std::string key;
    std::string value;
    std::string want;  // the row as shown, or behind '!' what is wrong
};

std::string taken(const Case& row, std::string (*take)(Config&, const IniEntry&),
                  std::vector<SectionKind::FreeRow> (*rows)(const Config&)) {
    Config config;
    const IniEntry entry{row.key, row.value, {"f", 1}, {{0, 1, 1}}};
    const std::string fault = take(config, entry);
    const auto shown = rows(config);
    if (!fault.empty()) return shown.empty() ? "!" + fault : "a row in spite of " + fault;
    return shown.size() == 1 ? shown[0].key + " = " + shown[0].value : "not one row";
}

// clang-format off
const Case access_rows[] = {
    {"example.com", "accept", "example.com = accept"},
    {"Example.COM", "accept", "example.com = accept"},
    {".example.com", "accept", ".example.com = accept"},
    {"User@example.com", "accept", "user@example.com = accept"},
    {"ALL", "reject", "ALL = reject 550 5.7.1 Relaying denied"},
    {"a.example", "reject 550", "a.example = reject 550 5.7.1 Recipient address rejected"},
    {"a.example", "reject 450", "a.example = reject 450 4.7.1 Recipient address rejected"},
    {"a.example", "reject 550 5.1.1", "a.example = reject 550 5.1.1 Recipient address rejected"},
    {"a.example", "reject  550  5.1.1  No such user", "a.example = reject 550 5.1.1 No such user"},
    {"a.example", "reject 550 No such user", "a.example = reject 550 5.7.1 No such user"},
    {"a.example", "reject 550 5.1 x", "a.example = reject 550 5.7.1 5.1 x"},

    {"a.example", "", "!a.example = \"\" is none of accept, reject"},
    {"a.example", "acept",
     "!a.example = \"acept\" is none of accept, reject (nearest known: accept)"},
    {"a.example", "accept all", "!behind accept goes nothing, not \"all\""},
    {"a.example", "reject No such user", "!\"No\" is no reply code that refuses: 4xx or 5xx"},
    {"a.example", "reject 250 Ok", "!\"250\" is no reply code that refuses: 4xx or 5xx"},
    {"a.example", "reject 5500", "!\"5500\" is no reply code that refuses: 4xx or 5xx"},
    {"a.example", "reject 421 4.7.0 x",
     "!421 would end the session: a refusal is another 4xx or 5xx"},
    {"a.example", "reject 550 4.1.1 x", "!\"4.1.1\" is of another class than 550"},
    {"a.example", "reject 550 \xc3\xa4", "!the text of an SMTP reply is ASCII"},
    {"a.example", "reject 550 " + std::string(500, 'x'),
     "!the reply is longer than an SMTP reply may be"},
    {"a b", "accept", "!\"a b\" is none of user@domain, domain, .domain, ALL"},
    {"user@", "accept", "!\"user@\" is none of user@domain, domain, .domain, ALL"},
    {"@a.example", "accept", "!\"@a.example\" is none of user@domain, domain, .domain, ALL"},
    {"*", "accept", "!\"*\" is none of user@domain, domain, .domain, ALL"},
};
// clang-format on

TEST(RecipientAccess, TakesOneRow) {
    for (const Case& row : access_rows)
        EXPECT_EQ(taken(row, take_recipient_access, recipient_access_rows), row.want);
}

// clang-format off
const Case route_rows[] = {
    {"a.example", "mx.example", "a.example = mx.example/pri=0"},
    {"A.Example", "MX.example:25/pri=7", "a.example = mx.example/pri=7"},
    {"ALL", "mx.example:65535/pri=65535", "ALL = mx.example:65535/pri=65535"},
    {".a.example", "[192.0.2.1]:2525, localhost",
     ".a.example = [192.0.2.1]:2525/pri=0, localhost/pri=0"},
    {"ALL", "[::1]", "ALL = [::1]/pri=0"},
    {"ALL", "[IPv6:2001:DB8::1]:587/pri=1", "ALL = [2001:db8::1]:587/pri=1"},
    {"ALL", "/dev/null", "ALL = /dev/null"},
    {"ALL", "USEDNS", "ALL = USEDNS"},

    {"ALL", "", "!ALL: an empty entry in the list"},
    {"ALL", "a,,b", "!ALL: an empty entry in the list"},
    {"ALL", "a, /dev/null", "!ALL: \"/dev/null\" stands alone"},
    {"ALL", "USEDNS, a", "!ALL: \"USEDNS\" stands alone"},
    {"ALL", "a:0", "!ALL: \"a:0\": a port is :1 to :65535 (IPv6 goes in brackets)"},
    {"ALL", "a:65536", "!ALL: \"a:65536\": a port is :1 to :65535 (IPv6 goes in brackets)"},
    {"ALL", "a:", "!ALL: \"a:\": a port is :1 to :65535 (IPv6 goes in brackets)"},
    {"ALL", "2001:db8::1",
     "!ALL: \"2001:db8::1\": a port is :1 to :65535 (IPv6 goes in brackets)"},
    {"ALL", "192.0.2.1:25", "!ALL: \"192.0.2.1:25\": an address goes in brackets"},
    {"ALL", "[mx.example]", "!ALL: \"[mx.example]\" has no address in its brackets"},
    {"ALL", "[::1", "!ALL: \"[::1\" lacks its ]"},
    {"ALL", "[::1]25", "!ALL: \"[::1]25\": a port is :1 to :65535 (IPv6 goes in brackets)"},
    {"ALL", "a/10", "!ALL: \"a/10\": behind the host goes /pri=0 to /pri=65535"},
    {"ALL", "a/pri=", "!ALL: \"a/pri=\": behind the host goes /pri=0 to /pri=65535"},
    {"ALL", "a/pri=65536", "!ALL: \"a/pri=65536\": behind the host goes /pri=0 to /pri=65535"},
    {"ALL", "a b", "!ALL: \"a b\" is no host"},
    {"ALL", "a..b, c:x",
     "!ALL: \"a..b\" is no host; \"c:x\": a port is :1 to :65535 (IPv6 goes in brackets)"},
    {"user@a.example", "b", "!\"user@a.example\" is none of domain, .domain, ALL"},
};
// clang-format on

TEST(SmtpRoutes, TakeOneRow) {
    for (const Case& row : route_rows)
        EXPECT_EQ(taken(row, take_smtp_route, smtp_route_rows), row.want);
}

}  // namespace
}  // namespace sealgate

// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/routes.h"

#include <gtest/gtest.h>

#include <map>

namespace sealgate {
namespace {

RouteRow row_to(std::string pattern, std::vector<RouteHost> hosts) {
    RouteRow row;
    row.pattern = std::move(pattern);
    row.hosts = std::move(hosts);
    return row;
}

RouteRow row_of(std::string pattern, RouteRow::Kind kind) {
    RouteRow row;
    row.pattern = std::move(pattern);
    row.kind = kind;
    return row;
}

RouteHost host(std::string name, unsigned priority = 0) {
    RouteHost result;
    result.host = std::move(name);
    result.priority = priority;
    return result;
}

std::shared_ptr<const Config> config_with(std::vector<RouteRow> rows) {
    auto config = std::make_shared<Config>();
    config->smtp_routes = std::move(rows);
    return config;
}

std::string shown(const Route& route) {
    switch (route.kind) {
    case Route::Kind::mx: return "mx";
    case Route::Kind::discard: return "discard";
    case Route::Kind::hosts: break;
    }
    std::string text;
    for (const RouteHost& h : route.hosts) text += (text.empty() ? "" : ",") + h.host;
    return text;
}

struct Case {
    const char* domain;
    const char* want;
};

class RoutesTest : public testing::TestWithParam<Case> {};

TEST_P(RoutesTest, TakesTheMostSpecificRow) {
    RouteTable table(config_with(
        {row_to("ALL", {host("all")}), row_to(".example.com", {host("below")}),
         row_to("example.com", {host("exact")}), row_to(".deep.example.com", {host("deep")}),
         row_of("mx.example.com", RouteRow::Kind::use_dns),
         row_of("void.example.net", RouteRow::Kind::discard),
         row_to("[192.0.2.7]", {host("literal")})}));
    EXPECT_EQ(shown(table.find(GetParam().domain)), GetParam().want);
}

const Case cases[] = {
    {"example.com", "exact"},        {"EXAMPLE.com", "exact"},
    {"a.example.com", "below"},      {"a.b.example.com", "below"},
    {"deep.example.com", "below"},   {"a.deep.example.com", "deep"},
    {"mx.example.com", "mx"},        {"a.mx.example.com", "below"},
    {"notexample.com", "all"},       {"com", "all"},
    {"void.example.net", "discard"}, {"[192.0.2.7]", "literal"},
    {"[192.0.2.8]", "all"},
};
INSTANTIATE_TEST_SUITE_P(Rows, RoutesTest, testing::ValuesIn(cases));

TEST(Routes, WithoutARowMeansMxAndALiteralItsAddress) {
    RouteTable table(config_with({}));
    EXPECT_EQ(shown(table.find("example.com")), "mx");
    const std::map<std::string, std::string> literals{{"[192.0.2.1]", "192.0.2.1"},
                                                      {"[IPv6:2001:db8::1]", "2001:db8::1"},
                                                      {"[2001:db8::1]", "2001:db8::1"}};
    for (const auto& [literal, address] : literals) {
        const Route route = table.find(literal);
        ASSERT_EQ(shown(route), address);
        EXPECT_TRUE(route.hosts[0].is_address);
        EXPECT_EQ(route.hosts[0].port, 25);
    }
    for (const char* broken : {"[]", "[", "[192.0.2.256]", "[example.com]", "192.0.2.1"}) {
        EXPECT_FALSE(address_of_literal(broken)) << broken;
    }
}

TEST(Routes, GoByPriorityAndTakeTurnsAmongEquals) {
    RouteTable table(config_with({row_to("ALL", {host("last", 20), host("a"), host("b"), host("c"),
                                                 host("x", 10), host("y", 10)})}));
    EXPECT_EQ(shown(table.find("example.com")), "a,b,c,x,y,last");
    EXPECT_EQ(shown(table.find("example.net")), "b,c,a,y,x,last");
    EXPECT_EQ(shown(table.find("example.com")), "c,a,b,x,y,last");
    EXPECT_EQ(shown(table.find("example.com")), "a,b,c,y,x,last");
}

TEST(Routes, AreReplacedAtAReload) {
    RouteTable table(config_with({row_to("ALL", {host("old")})}));
    table.replace(config_with({row_to("ALL", {host("new")})}));
    EXPECT_EQ(shown(table.find("example.com")), "new");
}

}  // namespace
}  // namespace sealgate
